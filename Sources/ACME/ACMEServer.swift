internal import FoundationEssentials
package import PKI
package import Timekeeping

/// A certificate authority's ACME server (RFC 8555), as anybody sees it. With an account it becomes an ``Account``.
///
/// Every call throws ``ACMEError`` or `CancellationError`; what passes by itself is tried again until the deadline.
package struct ACMEServer: Sendable {
    package let directory: Directory
    /// The address of the directory: what a server is known by.
    package let url: ResourceURL
    let transport: ACMETransport

    /// Reads the directory.
    package static func discover(
        _ url: ResourceURL, over transport: ACMETransport, deadline: UnixInstant
    ) async throws -> ACMEServer {
        let answer = try await transport.get(url, "the directory", deadline: deadline)
        return ACMEServer(directory: try answer.decoded(Directory.self), url: url, transport: transport)
    }

    /// Makes an account of the key, or finds the one that it has (section 7.3).
    ///
    /// - Parameters:
    ///   - contacts: e-mail addresses; none is allowed.
    ///   - externalAccount: needed where ``Directory/Meta/externalAccountRequired``.
    /// - Throws: ``ProblemType/userActionRequired`` among others when the terms of service are not agreed to.
    package func register(
        _ key: AccountKey, contacts: [String], termsOfServiceAgreed: Bool, externalAccount: ExternalAccount? = nil,
        deadline: UnixInstant
    ) async throws -> Account {
        var members = [String]()
        members.append(#""termsOfServiceAgreed":\#(termsOfServiceAgreed)"#)
        members.append(#""contact":\#(try json(contacts.map { "mailto:" + $0 }))"#)
        if let externalAccount {
            members.append(
                #""externalAccountBinding":\#(externalAccount.binding(of: key, at: directory.newAccount))"#)
        }
        return try await newAccount(key, "{\(members.joined(separator: ","))}", deadline: deadline)
    }

    /// The account of the key (section 7.3.1).
    ///
    /// - Throws: ``ProblemType/accountDoesNotExist``.
    package func account(of key: AccountKey, deadline: UnixInstant) async throws -> Account {
        try await newAccount(key, #"{"onlyReturnExisting":true}"#, deadline: deadline)
    }

    /// An account whose address is known: no request is made.
    package func account(_ url: ResourceURL, key: AccountKey) -> Account {
        Account(url: url, key: key, server: self)
    }

    /// Revokes a certificate with its own key (section 7.6), whichever account ordered it. That it is revoked already is
    /// success.
    ///
    /// - Parameters:
    ///   - certificate: DER.
    ///   - reason: as for ``Account/revoke(_:reason:deadline:)``.
    package func revoke(
        _ certificate: [UInt8], reason: Int = 0, with key: KeyPair, deadline: UnixInstant
    ) async throws {
        try await revoke(certificate, reason: reason, by: .certificate(key), deadline: deadline)
    }

    func revoke(
        _ certificate: [UInt8], reason: Int, by signer: RequestSigner, deadline: UnixInstant
    ) async throws {
        guard let url = directory.revokeCert else { throw unsupported("revocation") }
        let payload = #"{"certificate":"\#(Base64URL.encode(certificate))","reason":\#(reason)}"#
        do {
            _ = try await transport.post(
                Array(payload.utf8), to: url, "revokeCert", by: signer, at: directory, deadline: deadline)
        } catch let error as ACMEError where error.code == .problem(.alreadyRevoked) {
            return
        }
    }

    func unsupported(_ what: String) -> ACMEError {
        ACMEError(.invalidAnswer, "\(url.host) does not offer \(what).")
    }

    private func newAccount(_ key: AccountKey, _ payload: String, deadline: UnixInstant) async throws -> Account {
        let answer = try await transport.post(
            Array(payload.utf8), to: directory.newAccount, "newAccount", by: .key(key), at: directory,
            deadline: deadline)
        return Account(url: try answer.requiredLocation(), key: key, server: self)
    }
}

func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
