package import Timekeeping

/// An account at an ACME server: who asks for certificates (RFC 8555, section 7.1.2). Prints without its key.
package struct Account: Sendable {
    package let url: ResourceURL
    package let key: AccountKey
    package let server: ACMEServer

    /// Gives the account another key (section 7.3.5). The old one is worth nothing afterwards.
    ///
    /// - Returns: the account with the new key.
    package func changingKey(to newKey: AccountKey, deadline: UnixInstant) async throws -> Account {
        guard let url = server.directory.keyChange else { throw server.unsupported("a change of the account's key") }
        let payload = #"{"account":"\#(self.url)","oldKey":\#(key.publicJWK)}"#
        let inner = try RequestSigner.key(newKey).sign(Array(payload.utf8), for: url, nonce: nil)
        _ = try await post(Array(inner.utf8), to: url, "keyChange", deadline: deadline)
        return Account(url: self.url, key: newKey, server: server)
    }

    /// Sets the e-mail addresses (section 7.3.2).
    package func setContacts(_ contacts: [String], deadline: UnixInstant) async throws {
        let payload = #"{"contact":\#(try json(contacts.map { "mailto:" + $0 }))}"#
        _ = try await post(Array(payload.utf8), to: url, "an update of the account", deadline: deadline)
    }

    /// Whether the server takes requests of an account.
    package enum Standing: Hashable, Sendable {
        case valid
        /// For good: its owner deactivated it, or the server revoked it. Its key cannot get another account.
        case ended
        /// The server knows no account of this address.
        case unknown
    }

    /// Asks the server for the account's status (sections 7.1.6 and 7.3.6).
    package func standing(deadline: UnixInstant) async throws -> Standing {
        do {
            let status = try await post(to: url, "the account's status", deadline: deadline).decoded(Body.self).status
            return ["deactivated", "revoked"].contains(status) ? .ended : .valid
        } catch let error as ACMEError where error.code == .problem(.accountDoesNotExist) {
            return .unknown
        } catch let error as ACMEError where error.code == .problem(.unauthorized) {
            // Any other account may read its own status.
            return .ended
        }
    }

    private struct Body: Decodable {
        let status: String
    }

    /// Ends the account for good (section 7.3.6).
    package func deactivate(deadline: UnixInstant) async throws {
        _ = try await post(
            Array(#"{"status":"deactivated"}"#.utf8), to: url, "a deactivation of the account", deadline: deadline)
    }

    /// Revokes a certificate that the account ordered (section 7.6). That it is revoked already is success.
    ///
    /// - Parameters:
    ///   - certificate: DER.
    ///   - reason: RFC 5280, section 5.3.1; 0, 1, 3, 4 or 5 is what authorities take.
    package func revoke(_ certificate: [UInt8], reason: Int = 0, deadline: UnixInstant) async throws {
        try await server.revoke(certificate, reason: reason, by: .account(url, key), deadline: deadline)
    }

    func post(
        _ payload: [UInt8] = [], to url: ResourceURL, _ name: String, hiding secrets: [String] = [],
        deadline: UnixInstant
    ) async throws -> Answer {
        try await server.transport.post(
            payload, to: url, name, by: .account(self.url, key), at: server.directory, hiding: secrets,
            deadline: deadline)
    }
}
