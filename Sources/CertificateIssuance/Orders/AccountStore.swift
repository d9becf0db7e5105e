package import ACME
internal import Diagnostics
package import PKI
package import Timekeeping

/// Keeps our accounts at certificate authorities: one for each directory and contact.
package struct AccountStore: Sendable {
    private let storage: any ACMEStorage
    private let transport: ACMETransport
    let settings: SettingNames

    /// - Parameter settings: what messages call the settings.
    package init(storage: any ACMEStorage, transport: ACMETransport, settings: SettingNames) {
        self.storage = storage
        self.transport = transport
        self.settings = settings
    }

    /// The account at this authority, made when there is none yet.
    ///
    /// Its key is stored before the authority hears of it: of two processes that begin at the same time both use the key
    /// that was stored first, and an authority gives the same account for the same key.
    ///
    /// - Parameter externalAccount: for authorities that ask for one.
    /// - Throws: ``IssuanceError/Code/termsNotAgreed`` when an account has to be made and the terms are not agreed to.
    package func open(
        _ authority: CertificateAuthority, externalAccount: ExternalAccount? = nil, deadline: UnixInstant
    ) async throws -> Account {
        let server = try await ACMEServer.discover(authority.directory, over: transport, deadline: deadline)
        if let known = try await known(authority, at: server, deadline: deadline) { return known }
        return try await register(authority, at: server, externalAccount: externalAccount, deadline: deadline)
    }

    /// As ``open(_:externalAccount:deadline:)``, but never without asking the CA whether it accepts the account.
    package func checked(
        _ authority: CertificateAuthority, externalAccount: ExternalAccount? = nil, deadline: UnixInstant
    ) async throws -> Account {
        let account = try await open(authority, externalAccount: externalAccount, deadline: deadline)
        return try await renewed(
            account, account.standing(deadline: deadline), of: authority, externalAccount: externalAccount,
            deadline: deadline)
    }

    /// The account that ordered before. For what no other account may do.
    ///
    /// - Throws: ``IssuanceError/Code/noAccount``.
    package func known(_ authority: CertificateAuthority, deadline: UnixInstant) async throws -> Account {
        let server = try await ACMEServer.discover(authority.directory, over: transport, deadline: deadline)
        guard let known = try await known(authority, at: server, deadline: deadline) else {
            throw IssuanceError(
                .noAccount,
                "There is no account at \(authority.directory.host) "
                    + (authority.contact == nil ? "without a contact" : "with this contact")
                    + ": name the directory and the contact with which the certificate was ordered.")
        }
        return known
    }

    /// Revokes a certificate by the account that ordered it, or, when that is gone, with the certificate's own key (RFC
    /// 8555, section 7.6).
    package func revoke(
        _ certificate: IssuedCertificate, with key: KeyPair, reason: Int, of authority: CertificateAuthority,
        deadline: UnixInstant
    ) async throws {
        let server = try await ACMEServer.discover(authority.directory, over: transport, deadline: deadline)
        do {
            if let account = try await known(authority, at: server, deadline: deadline) {
                return try await account.revoke(certificate.der, reason: reason, deadline: deadline)
            }
        } catch let error as ACMEError
            where [.problem(.unauthorized), .problem(.accountDoesNotExist)].contains(error.code)
        {}
        try await server.revoke(certificate.der, reason: reason, with: key, deadline: deadline)
    }

    private func known(
        _ authority: CertificateAuthority, at server: ACMEServer, deadline: UnixInstant
    ) async throws -> Account? {
        guard let (stored, _) = try await stored(authority, deadline: deadline), let url = stored.url else {
            return nil
        }
        return server.account(url, key: try AccountKey(jwk: Redacted(stored.key)))
    }

    /// Makes the account with the key that is stored, or with a new one. Also for an account that the authority has
    /// forgotten.
    package func register(
        _ authority: CertificateAuthority, at server: ACMEServer, externalAccount: ExternalAccount? = nil,
        deadline: UnixInstant
    ) async throws -> Account {
        try checkTerms(authority, at: server)
        let name = name(of: authority)
        if try await stored(authority, deadline: deadline) == nil {
            _ = try await storage.write(
                StoredAccount(authority, key: .generate()), as: name, replacing: nil, deadline: deadline)
        }
        guard let (found, tag) = try await stored(authority, deadline: deadline) else {
            throw IssuanceError(.contention, "The account acme/\(name) keeps changing: try again.")
        }
        let key = try AccountKey(jwk: Redacted(found.key))
        let account = try await server.register(
            key, contacts: authority.contact.map { [$0] } ?? [], termsOfServiceAgreed: true,
            externalAccount: externalAccount, deadline: deadline)
        var registered = found
        registered.url = account.url
        registered.nextKey = nil
        // Somebody else may write the same at the same time.
        _ = try await storage.write(registered, as: name, replacing: tag, deadline: deadline)
        return account
    }

    /// The account to continue with, after the CA was asked about this one. One that the CA does not know is registered
    /// again; one that was deactivated or revoked is replaced by an account with a new key, and its own key is kept in
    /// the document.
    ///
    /// - Throws: ``IssuanceError/Code/termsNotAgreed`` when an account has to be made and the terms are not agreed to.
    package func renewed(
        _ account: Account, _ standing: Account.Standing, of authority: CertificateAuthority,
        externalAccount: ExternalAccount? = nil, deadline: UnixInstant
    ) async throws -> Account {
        switch standing {
        case .valid: account
        case .unknown:
            try await register(authority, at: account.server, externalAccount: externalAccount, deadline: deadline)
        case .ended:
            try await replace(account, of: authority, externalAccount: externalAccount, deadline: deadline)
        }
    }

    /// Of two processes that do so at the same time both use the new key that was stored first.
    private func replace(
        _ account: Account, of authority: CertificateAuthority, externalAccount: ExternalAccount?,
        deadline: UnixInstant
    ) async throws -> Account {
        try checkTerms(authority, at: account.server, hasEnded: true)
        if let (found, tag) = try await stored(authority, deadline: deadline), found.key == account.key.jwk.exposed {
            _ = try await storage.write(
                found.replaced(by: .generate()), as: name(of: authority), replacing: tag, deadline: deadline)
        }
        return try await register(
            authority, at: account.server, externalAccount: externalAccount, deadline: deadline)
    }

    private func checkTerms(
        _ authority: CertificateAuthority, at server: ACMEServer, hasEnded: Bool = false
    ) throws {
        guard !authority.termsOfServiceAgreed else { return }
        let host = authority.directory.host
        let terms = server.directory.meta.termsOfService.map { " (\(ForeignText.sanitized($0, hiding: [])))" } ?? ""
        let reason = hasEnded ? "The account at \(host) was deactivated or revoked, and a new one is needed. " : ""
        throw IssuanceError(
            .termsNotAgreed,
            "\(reason)The terms of service of \(host)\(terms) must be agreed to: \(settings.agreeToTerms).")
    }

    /// Gives the account another key. The new one is stored beside the old one before the authority hears of it, so that
    /// no interruption loses the account.
    package func changeKey(
        of authority: CertificateAuthority, externalAccount: ExternalAccount? = nil, deadline: UnixInstant
    ) async throws -> Account {
        let account = try await open(authority, externalAccount: externalAccount, deadline: deadline)
        let name = name(of: authority)
        guard let (found, tag) = try await stored(authority, deadline: deadline) else {
            throw IssuanceError(.contention, "The account acme/\(name) keeps changing: try again.")
        }
        let next = try found.nextKey.map { try AccountKey(jwk: Redacted($0)) } ?? AccountKey.generate()
        var pending = found
        pending.nextKey = next.jwk.exposed
        guard let second = try await storage.write(pending, as: name, replacing: tag, deadline: deadline) else {
            throw IssuanceError(.contention, "The account acme/\(name) keeps changing: try again.")
        }
        let changed: Account
        do {
            changed = try await account.changingKey(to: next, deadline: deadline)
        } catch let error as ACMEError {
            // An earlier try may have got through without our seeing it.
            guard let known = try? await account.server.account(of: next, deadline: deadline), known.url == account.url
            else {
                guard let standing = try? await account.standing(deadline: deadline), standing != .valid else {
                    throw error
                }
                return try await replace(
                    account, of: authority, externalAccount: externalAccount, deadline: deadline)
            }
            changed = known
        }
        pending.key = next.jwk.exposed
        pending.nextKey = nil
        _ = try await storage.write(pending, as: name, replacing: second, deadline: deadline)
        return changed
    }

    /// What is public of a stored account.
    package static func summary(
        of name: String, in storage: any ACMEStorage, deadline: UnixInstant
    ) async throws -> (directory: ResourceURL, contact: String?, url: ResourceURL?) {
        guard let stored = try await storage.document(StoredAccount.self, at: name, deadline: deadline)?.document else {
            throw IssuanceError(.unreadable, "There is no account acme/\(name).")
        }
        return (stored.directory, stored.contact, stored.url)
    }

    private func name(of authority: CertificateAuthority) -> String {
        "accounts/\(authority.accountDigest).json"
    }

    private func stored(
        _ authority: CertificateAuthority, deadline: UnixInstant
    ) async throws -> (document: StoredAccount, tag: String)? {
        try await storage.document(StoredAccount.self, at: name(of: authority), deadline: deadline)
    }
}
