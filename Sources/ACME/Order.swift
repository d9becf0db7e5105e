package import Timekeeping

/// A request for one certificate (RFC 8555, section 7.1.3).
package struct Order: Hashable, Sendable {
    package let url: ResourceURL
    package let status: Status
    package let identifiers: [Identifier]
    package let authorizations: [ResourceURL]
    package let finalize: ResourceURL
    /// Where the certificate is, once the order is valid.
    package let certificate: ResourceURL?
    /// Why the order is invalid.
    package let error: Problem?
    /// When the server forgets the order; nil when it does not say.
    package let expires: UnixInstant?

    /// Section 7.1.6; what comes later is let pass.
    package struct Status: RawRepresentable, Hashable, Sendable, Decodable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }
        /// Authorizations are waited for.
        package static let pending = Status(rawValue: "pending")
        /// The request for the certificate is waited for.
        package static let ready = Status(rawValue: "ready")
        package static let processing = Status(rawValue: "processing")
        package static let valid = Status(rawValue: "valid")
        package static let invalid = Status(rawValue: "invalid")
    }
}

extension Order {
    /// The order without the address that the answer's `Location` gives.
    struct Body: Decodable {
        let status: Status
        let identifiers: [Identifier]
        let authorizations: [ResourceURL]
        let finalize: ResourceURL
        let certificate: ResourceURL?
        let error: Problem?
        let expires: String?
    }

    init(_ body: Body, at url: ResourceURL) {
        self.init(
            url: url, status: body.status, identifiers: body.identifiers, authorizations: body.authorizations,
            finalize: body.finalize, certificate: body.certificate, error: body.error,
            expires: body.expires.flatMap { UnixInstant(iso8601: $0) })
    }
}
