import ACME
import ArgumentParser
import CertificateIssuance
import Diagnostics
import FoundationEssentials
import PKI
import Timekeeping

/// `stackcert register`
struct RegisterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register",
        abstract: "Make an account at a certificate authority, or find the one that there is.",
        discussion: """
            `stackcert issue` does so by itself. Authorities that give accounts to customers only want \
            --external-account-id and --external-account-key-file.

            EXAMPLES
              stackcert register --contact ops@example.com --agree-to-terms
              stackcert register --directory https://acme.example.com/directory --agree-to-terms \\
                --external-account-id 4711 --external-account-key-file eab.key
              stackcert register --contact ops@example.com --new-key
            """)

    /// Earlier versions wanted a region. No AWS call is made.
    @OptionGroup(visibility: .hidden) var aws: AWSOptions
    @OptionGroup var authority: AuthorityOptions

    @Flag(name: .customLong("new-key"), help: "Give the account another key; the old one is worth nothing then.")
    var newKey = false

    func run() async throws {
        try await reportingErrors {
            let authority = authority
            let known = try authority.authority()
            let storage = try authority.storage()
            try await AWSOptions.withNetwork { executor in
                let store = authority.accounts(storage, over: executor)
                let deadline = SystemWallClock().now.advanced(by: .seconds(120))
                let external = try authority.externalAccount()
                let account =
                    newKey
                    ? try await store.changeKey(of: known, externalAccount: external, deadline: deadline)
                    : try await store.checked(known, externalAccount: external, deadline: deadline)
                StandardStreams.write("\(known.directory.host)  \(known.contact ?? "-")  \(account.url)")
            }
        }
    }
}

/// `stackcert accounts`
struct AccountsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts",
        abstract: "List the accounts at certificate authorities that this folder has the keys of.",
        discussion: """
            EXAMPLES
              stackcert accounts
              stackcert accounts --acme-folder /var/lib/stackcert
            """)

    @Option(name: .customLong("acme-folder"), help: "Where accounts' keys are kept.")
    var folder = "~/.stackcert"

    func run() async throws {
        try await reportingErrors {
            let storage = try FolderACMEStorage(folder)
            for name in try storage.names(in: "accounts") {
                let account = try await AccountStore.summary(
                    of: name, in: storage, deadline: SystemWallClock().now.advanced(by: .seconds(10)))
                StandardStreams.write(
                    "\(account.directory.host)  \(account.contact ?? "-")  "
                        + (account.url?.description ?? "not registered yet"))
            }
        }
    }
}

/// `stackcert revoke`
struct RevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke a certificate that this folder's account ordered.",
        discussion: """
            Browsers refuse it from then on. Revoking cannot be undone; a certificate that was only replaced runs out by \
            itself. Give the --directory, --contact and --acme-folder with which it was ordered: another account may not \
            revoke it. With --private-key, the certificate's own key revokes it, and no account is needed.

            EXAMPLES
              stackcert revoke --contact ops@example.com --certificate tls.crt --reason key-compromise
              stackcert revoke --certificate tls.crt --private-key tls.key
            """)

    enum Why: String, ExpressibleByArgument, CaseIterable {
        case unspecified
        case keyCompromise = "key-compromise"
        case affiliationChanged = "affiliation-changed"
        case superseded
        case cessationOfOperation = "cessation-of-operation"

        /// RFC 5280, section 5.3.1.
        var code: Int {
            switch self {
            case .unspecified: 0
            case .keyCompromise: 1
            case .affiliationChanged: 3
            case .superseded: 4
            case .cessationOfOperation: 5
            }
        }
    }

    /// Earlier versions wanted a region. No AWS call is made.
    @OptionGroup(visibility: .hidden) var aws: AWSOptions
    @OptionGroup var authority: AuthorityOptions

    @Option(help: "The file with the certificate, in PEM; a chain behind it is left alone.")
    var certificate: String

    @Option(name: .customLong("private-key"), help: "The file with the certificate's own private key (PKCS#8, PEM).")
    var privateKey: String?

    @Option(help: "Why.")
    var reason = Why.unspecified

    func run() async throws {
        try await reportingErrors {
            guard let data = try? Data(contentsOf: URL(filePath: certificate)) else {
                throw CommandError(.unusable, "\(certificate) cannot be read: name the file with the certificate.")
            }
            guard let leaf = try IssuedCertificate.chain(pem: String(decoding: data, as: UTF8.self)).first else {
                throw CommandError(.unusable, "\(certificate) holds no certificate.")
            }
            let key = try ownKey(of: leaf)
            let authority = authority
            let known = try authority.authority()
            let storage = try authority.storage()
            try await AWSOptions.withNetwork { executor in
                let deadline = SystemWallClock().now.advanced(by: .seconds(120))
                if let key {
                    try await ACMEServer.discover(
                        known.directory, over: authority.transport(over: executor), deadline: deadline
                    ).revoke(leaf.der, reason: reason.code, with: key, deadline: deadline)
                } else {
                    try await revoke(
                        leaf, by: authority.accounts(storage, over: executor).known(known, deadline: deadline),
                        deadline: deadline)
                }
                StandardStreams.write("revoked: serial number \(leaf.serialNumber)")
            }
        }
    }

    private func revoke(_ leaf: IssuedCertificate, by account: Account, deadline: UnixInstant) async throws {
        do {
            try await account.revoke(leaf.der, reason: reason.code, deadline: deadline)
        } catch let error as ACMEError where error.code == .problem(.unauthorized) {
            throw CommandError(
                .unusable,
                "\(error.message) If the account that ordered the certificate is gone, let the certificate's own key revoke "
                    + "it: add --private-key.", cause: error)
        }
    }

    /// Nil when the account is to revoke it.
    private func ownKey(of leaf: IssuedCertificate) throws -> KeyPair? {
        guard let privateKey else { return nil }
        guard let data = try? Data(contentsOf: URL(filePath: privateKey)) else {
            throw CommandError(.unusable, "\(privateKey) cannot be read: name the file with the private key.")
        }
        let key = try KeyPair(pkcs8PEM: String(decoding: data, as: UTF8.self))
        guard key.publicKey == leaf.publicKey else {
            throw CommandError(.unusable, "\(privateKey) does not hold the private key of \(certificate).")
        }
        return key
    }
}

/// One line on standard error, and exit status 2.
private func reportingErrors(_ work: () async throws -> Void) async throws {
    do {
        try await work()
    } catch {
        StandardStreams.complain(Reason(error).description)
        throw ExitCode(2)
    }
}
