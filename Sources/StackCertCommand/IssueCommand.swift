import ACME
import AWSClient
import ArgumentParser
import CertificateAgent
import CertificateIssuance
import Diagnostics
import PKI
import Timekeeping

/// `stackcert issue`: a certificate of a certificate authority without CloudFormation.
struct IssueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue",
        abstract: "Get a certificate from Let's Encrypt or another authority, and keep it fresh.",
        discussion: """
            Writes PEM files as `stackcert pull` does, all at once. Run it daily: it does nothing until two thirds of the \
            certificate's lifetime are over (half, when that is shorter than ten days), and runs the reload command only \
            when the files changed. An order that was interrupted is gone on with.

            EXAMPLES
              Try it out (nobody trusts what staging issues):
                stackcert issue --domain example.com --domain '*.example.com' --directory staging \\
                  --agree-to-terms --certificate tls.crt --private-key tls.key
              For a server, every day:
                stackcert issue --domain www.example.com --contact ops@example.com --agree-to-terms \\
                  --combined /etc/haproxy/tls.pem --reload 'systemctl reload haproxy'
              By a website bucket that the name leads to:
                stackcert issue --domain www.example.com --agree-to-terms --challenge http-01 \\
                  --challenge-bucket www.example.com --certificate tls.crt --private-key tls.key

            EXIT STATUS
            \(AgentExitStatus.allCases.map { "  \($0.rawValue)  \($0.meaning)" }.joined(separator: "\n"))
            """)

    @OptionGroup var aws: AWSOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var challenge: ChallengeOptions
    @OptionGroup var files: CertificateFileOptions

    @Option(name: .customLong("domain"), help: "A name or an IP address for the certificate; may be repeated.")
    var domains: [String]

    @Option(name: .customLong("key-algorithm"), help: "The new key: RSA_2048, RSA_3072, RSA_4096, EC_P256 or EC_P384.")
    var keyAlgorithm = "EC_P256"

    @Option(
        name: .customLong("acme-profile"), help: "One of the authority's profiles, such as shortlived.")
    var acmeProfile: String?

    @Option(name: .customLong("preferred-chain"), help: "The common name of the issuer that the chain should lead to.")
    var preferredChain: String?

    @Flag(help: "Get another certificate although the one that is there is not due.")
    var force = false

    @Option(help: "A command for /bin/sh that has the server load its files. Run only when they changed.")
    var reload: String?

    @Option(name: .customLong("reload-timeout"), help: "How long the reload command may take.")
    var reloadTimeout = DurationArgument.thirtySeconds

    @Option(help: "How long the authority may take.")
    var timeout = DurationArgument(.seconds(600), "10m")

    func run() async throws {
        do {
            try await issue()
        } catch {
            StandardStreams.complain(Reason(error).description)
            let status: AgentExitStatus =
                switch error {
                case let error as AWSError: AgentExitStatus(AgentError(error))
                case is ACMEError, is IssuanceError: .notIssued
                case is PKIError: .usage
                default: AgentExitStatus(error)
                }
            throw ExitCode(status.rawValue)
        }
    }

    private func request() throws -> OrderRequest {
        guard let algorithm = KeyAlgorithm(rawValue: keyAlgorithm) else {
            throw AgentError(
                .usage,
                "--key-algorithm must be one of \(KeyAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        guard (1...100).contains(domains.count) else {
            throw AgentError(.usage, "Give --domain for 1 to 100 names.")
        }
        return OrderRequest(
            names: try domains.map { try SubjectAlternativeName($0) }, authority: try authority.authority(),
            keyAlgorithm: algorithm, profile: acmeProfile, preferredChain: preferredChain)
    }

    private func issue() async throws {
        let request = try request()
        let set = try files.set()
        let storage = try authority.storage()
        let externalAccount = try authority.externalAccount()
        let served = try set.served()
        try await aws.withAWS { connection in
            let issuer = ACMEIssuer(
                accounts: AccountStore(storage: storage, transport: authority.transport(connection)),
                storage: storage, clock: connection.clock
            ) { step in StandardStreams.remark("stackcert: \(step)") }
            let source = IssuedBundleSource(
                issuer: issuer, request: request, solver: try challenge.solver(connection),
                externalAccount: externalAccount, served: served, force: force, clock: connection.clock)
            let pull = CertificatePull(
                source: source, files: set,
                reload: reload.map { ReloadCommand($0, timeout: reloadTimeout.duration) }, clock: connection.clock,
                timeout: timeout.duration)
            let outcome = try await pull.run()
            let certificate = outcome.certificate
            try output.show(
                Shown(
                    change: outcome.change.rawValue, fingerprint: certificate.fingerprint,
                    notAfter: certificate.notAfter.iso8601, serialNumber: certificate.serialNumber),
                text: "\(outcome.change.rawValue): valid until \(certificate.notAfter.iso8601), SHA-256 "
                    + "\(certificate.fingerprint.prefix(16))")
        }
    }

    private struct Shown: Encodable {
        let change: String
        let fingerprint: String
        let notAfter: String
        let serialNumber: String
    }
}
