internal import FoundationEssentials
package import Timekeeping

/// How ACME Renewal Information calls a certificate: authority key identifier and serial number (RFC 9773, section 4.1).
package struct CertificateID: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// - Parameters:
    ///   - authorityKeyIdentifier: the extension's `keyIdentifier`.
    ///   - serialNumber: the content of the DER integer, leading zeros included.
    package init(authorityKeyIdentifier: [UInt8], serialNumber: [UInt8]) {
        description = "\(Base64URL.encode(authorityKeyIdentifier)).\(Base64URL.encode(serialNumber))"
    }

    /// Reads ``description`` again; nil when it is none.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ Base64URL.isValid(String($0)) }), text.utf8.count <= 256 else {
            return nil
        }
        description = text
    }
}

/// When a server wants a certificate to be renewed (RFC 9773, section 4.2).
package struct RenewalInfo: Hashable, Sendable {
    package let start: UnixInstant
    /// After ``start``.
    package let end: UnixInstant
    /// A page for people, when the server names one.
    package let explanationURL: String?
    /// When to ask again: within a minute to a day (section 4.3).
    package let askAgainAt: UnixInstant

    package init(start: UnixInstant, end: UnixInstant, explanationURL: String?, askAgainAt: UnixInstant) {
        self.start = start
        self.end = end
        self.explanationURL = explanationURL
        self.askAgainAt = askAgainAt
    }
}

extension ACMEServer {
    /// - Returns: nil when the server offers no renewal information, or none that makes sense.
    package func renewalInfo(of certificate: CertificateID, deadline: UnixInstant) async throws -> RenewalInfo? {
        guard let base = directory.renewalInfo else { return nil }
        let slash = base.description.hasSuffix("/") ? "" : "/"
        let answer = try await transport.get(
            try ResourceURL(base.description + slash + certificate.description), "renewal information",
            deadline: deadline)
        let body = try answer.decoded(Body.self)
        guard let start = UnixInstant(iso8601: body.suggestedWindow.start),
            let end = UnixInstant(iso8601: body.suggestedWindow.end), start < end
        else { return nil }
        let now = transport.clock.now
        let asked = answer.retryAt.map { now.duration(to: $0) } ?? .seconds(6 * 3600)
        return RenewalInfo(
            start: start, end: end, explanationURL: body.explanationURL,
            askAgainAt: now.advanced(by: min(max(asked, .seconds(60)), .seconds(86_400))))
    }

    private struct Body: Decodable {
        struct Window: Decodable {
            let start: String
            let end: String
        }
        let suggestedWindow: Window
        let explanationURL: String?
    }
}
