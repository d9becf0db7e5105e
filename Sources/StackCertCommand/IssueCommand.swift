import ACME
import AWSClient
import ArgumentParser
import CertificateAgent
import CertificateIssuance
import CertificateRenewal
import Diagnostics
import PKI
import Timekeeping

/// `stackcert issue`: a certificate of a certificate authority without CloudFormation.
struct IssueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue",
        abstract: "Get a certificate from Let's Encrypt or another authority, and keep it fresh.",
        discussion: """
            Writes PEM files as `stackcert pull` does, all at once, or puts a bundle into S3 for other machines to pull. \
            Run it daily: it does nothing until the authority's renewal information (RFC 9773) says that it is time, or, \
            where there is none, two thirds of the certificate's lifetime are over (half, when that is shorter than ten \
            days). It runs the reload command only when the files changed. An interrupted order is resumed.

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
              For many servers, each of which runs `stackcert pull --bucket B --parameter /tls/www --watch …`:
                stackcert issue --domain www.example.com --agree-to-terms --bucket B --parameter /tls/www

            EXIT STATUS
            \(AgentExitStatus.allCases.map { "  \($0.rawValue)  \($0.meaning)" }.joined(separator: "\n"))
            """)

    @OptionGroup var aws: AWSOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var authority: AuthorityOptions
    @OptionGroup var challenge: ChallengeOptions
    @OptionGroup var files: CertificateFileOptions
    @OptionGroup var bundle: BundleOptions

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
                // Nothing is fetched here that could be a bundle of somebody else's.
                case let error as AWSError where error.isMissing: .notConfigured
                case let error as AWSError: AgentExitStatus(AgentError(error))
                // What the authority sent is no certificate.
                case is ACMEError, is IssuanceError, is PKIError: .notIssued
                case let error as CommandError where error.code == .unusable: .usage
                case is CommandError: .writeFailed
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
        let names = try domains.map { name in
            do {
                return try SubjectAlternativeName(name)
            } catch let error as PKIError {
                throw AgentError(.usage, "--domain: \(error.message)", cause: error)
            }
        }
        try challenge.check(names)
        return OrderRequest(
            names: names, authority: try authority.authority(),
            keyAlgorithm: algorithm, profile: acmeProfile, preferredChain: preferredChain)
    }

    private func issue() async throws {
        let request = try request()
        let set = try bundle.bucket == nil ? files.set() : nil
        if set == nil {
            guard files.isEmpty, reload == nil else {
                throw AgentError(.usage, "--bucket puts a bundle into S3: leave files, their owner and --reload out.")
            }
        }
        let storage = try authority.storage()
        let externalAccount = try authority.externalAccount()
        try await aws.withAWS { connection in
            let order = Order(
                request: request,
                issuer: ACMEIssuer(
                    accounts: authority.accounts(storage, over: connection.executor),
                    storage: storage, clock: connection.clock
                ) { step in StandardStreams.remark("stackcert: \(step)") },
                solver: try challenge.solver(connection), externalAccount: externalAccount,
                timing: IssueTiming(
                    request: request,
                    adviser: ACMERenewalAdviser(transport: authority.transport(over: connection.executor)),
                    storage: storage, clock: connection.clock))
            if let set {
                try await write(order, to: set, clock: connection.clock)
            } else if let shelf = bundle.shelf(connection) {
                try await put(order, on: shelf, clock: connection.clock)
            }
        }
    }

    /// How what is asked for is got.
    private struct Order {
        let request: OrderRequest
        let issuer: ACMEIssuer
        let solver: any ChallengeSolver
        let externalAccount: ExternalAccount?
        let timing: IssueTiming
    }

    private func write(_ order: Order, to set: CertificateFileSet, clock: any WallClock) async throws {
        let source = IssuedBundleSource(
            issuer: order.issuer, request: order.request, solver: order.solver,
            externalAccount: order.externalAccount, served: try set.served(), force: force,
            timing: order.timing)
        let pull = CertificatePull(
            source: source, files: set, reload: reload.map { ReloadCommand($0, timeout: reloadTimeout.duration) },
            clock: clock, timeout: timeout.duration)
        let outcome = try await pull.run()
        for warning in outcome.warnings { StandardStreams.complain("warning: \(Reason(warning).description)") }
        let certificate = outcome.certificate
        try show(
            Shown(
                change: outcome.change.rawValue, fingerprint: certificate.fingerprint,
                notAfter: certificate.notAfter.iso8601, serialNumber: certificate.serialNumber, bundle: nil))
    }

    private func put(_ order: Order, on shelf: BundleShelf, clock: any WallClock) async throws {
        let (request, force) = (order.request, force)
        let deadline = clock.now.advanced(by: timeout.duration)
        let before = try await shelf.newest(deadline: deadline)
        if let before, !force, before.label.isFor(request),
            try await !order.timing.isDue(IssueTiming.Current(before.label), deadline: deadline)
        {
            return try show(before, change: "unchanged")
        }
        let entry = try await order.issuer.obtain(
            request, for: shelf.destination(after: before), solver: order.solver,
            replaces: before.flatMap { $0.label.isFor(request) ? $0.label.certificateID : nil },
            externalAccount: order.externalAccount, deadline: deadline,
            find: {
                // Another process may have been faster.
                let newest = try await shelf.newest(deadline: deadline)
                return newest != before && newest?.label.isFor(request) == true ? newest : nil
            },
            save: { try await shelf.put($0, for: request, after: before, deadline: deadline) })
        if entry != before { try await shelf.removeWhatWasBefore(before, deadline: deadline) }
        try show(entry, change: "written")
    }

    private func show(_ entry: BundleShelf.Entry, change: String) throws {
        try show(
            Shown(
                change: change, fingerprint: entry.label.fingerprint, notAfter: entry.label.notAfter.iso8601,
                serialNumber: entry.label.serialNumber, bundle: entry.key))
    }

    private func show(_ shown: Shown) throws {
        try output.show(
            shown,
            text: "\(shown.change): valid until \(shown.notAfter), SHA-256 \(shown.fingerprint.prefix(16))"
                + (shown.bundle.map { ", in \($0)" } ?? ""))
    }

    private struct Shown: Encodable {
        let change: String
        let fingerprint: String
        let notAfter: String
        let serialNumber: String
        /// The bundle's S3 key; nil for files.
        let bundle: String?
    }
}
