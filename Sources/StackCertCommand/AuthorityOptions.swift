import ACME
import ArgumentParser
import CertificateIssuance
import Diagnostics
import FoundationEssentials
import HTTPTransport
import Logging
import Timekeeping

/// Which certificate authority is meant, and who we are there.
struct AuthorityOptions: ParsableArguments {
    @Option(help: "Let's Encrypt's production or staging, or the URL of another ACME directory.")
    var directory = "production"

    @Option(help: "An e-mail address to which the authority may write.")
    var contact: String?

    @Flag(name: .customLong("agree-to-terms"), help: "Agree to the authority's terms of service for a new account.")
    var agreeToTerms = false

    @Option(name: .customLong("acme-folder"), help: "Where accounts' keys and orders under way are kept.")
    var folder = "~/.stackcert"

    @Option(name: .customLong("external-account-id"), help: "The key id that an authority with own accounts gave out.")
    var externalAccountID: String?

    @Option(
        name: .customLong("external-account-key-file"),
        help: "A file with the HMAC key that belongs to it, in base64url or base64.")
    var externalAccountKeyFile: String?

    func validate() throws {
        guard (try? CertificateAuthority.directory(named: directory)) != nil else {
            throw ValidationError("--directory must be production, staging, or the https URL of an ACME directory.")
        }
        guard (externalAccountID == nil) == (externalAccountKeyFile == nil) else {
            throw ValidationError("Give --external-account-id and --external-account-key-file together.")
        }
        if let contact, contact.contains(where: { $0.isWhitespace || $0 == "," }) || !contact.contains("@") {
            throw ValidationError("--contact must be one e-mail address.")
        }
    }

    func authority() throws -> CertificateAuthority {
        CertificateAuthority(
            directory: try CertificateAuthority.directory(named: directory), contact: contact,
            termsOfServiceAgreed: agreeToTerms)
    }

    func storage() throws -> FolderACMEStorage { try FolderACMEStorage(folder) }

    func externalAccount() throws -> ExternalAccount? {
        guard let externalAccountID, let externalAccountKeyFile else { return nil }
        guard let data = try? Data(contentsOf: URL(filePath: externalAccountKeyFile)) else {
            throw CommandError(
                .unusable,
                "\(externalAccountKeyFile) cannot be read: --external-account-key-file must name the file with the HMAC "
                    + "key.")
        }
        let text = String(decoding: data, as: UTF8.self).filter { !$0.isWhitespace }
        do {
            return try ExternalAccount(keyID: externalAccountID, hmacKey: Redacted(text))
        } catch {
            throw CommandError(
                .unusable,
                "\(error.message) Give --external-account-id and --external-account-key-file what the authority gave out.",
                cause: error)
        }
    }

    func accounts(_ storage: FolderACMEStorage, over executor: any HTTPExecutor) -> AccountStore {
        AccountStore(storage: storage, transport: transport(over: executor), settings: .options)
    }

    func transport(over executor: any HTTPExecutor) -> ACMETransport {
        ACMETransport(
            executor: executor, userAgent: ProductVersion.userAgent, clock: SystemWallClock(),
            logger: Logger(label: "stackcert", factory: { _ in SwiftLogNoOpLogHandler() }))
    }
}
