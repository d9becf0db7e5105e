import AWSClient
import ArgumentParser
import CertificateAgent
import Diagnostics
import Glibc
import PKI
import Timekeeping

/// `stackcert pull`: keeps a server's key and certificate up to date.
struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Fetch this server's key and certificate, and keep them up to date.",
        discussion: """
            Follows the SSM parameter that CloudFormation sets once the load balancer trusts the new key, fetches the \
            bundle with this server's role, checks it, and changes the files all at once: the names become links into \
            a folder of versions beside the private key.

            EXAMPLES
              Once, for nginx:
                stackcert pull --parameter /stackcert/app/certificate --bucket B \\
                  --certificate /etc/nginx/tls.crt --private-key /etc/nginx/tls.key \\
                  --reload 'systemctl reload nginx'
              For ever, for haproxy:
                stackcert pull --parameter /stackcert/app/certificate --bucket B \\
                  --combined /etc/haproxy/tls.pem --owner haproxy --watch \\
                  --reload 'systemctl reload haproxy'
              At the first start of a server in an auto scaling group:
                stackcert pull --parameter /stackcert/app/certificate --bucket B \\
                  --combined /etc/haproxy/tls.pem --wait 10m \\
                  --signal-stack app --signal-resource Servers

            EXIT STATUS
            \(AgentExitStatus.allCases.map { "  \($0.rawValue)  \($0.meaning)" }.joined(separator: "\n"))
            """)

    @OptionGroup var aws: AWSOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var files: CertificateFileOptions
    @OptionGroup var signal: SignalOptions

    @Option(help: "The SSM parameter whose value is the bundle's S3 key (CertificateS3Key).")
    var parameter: String

    @Option(help: "The certificate bucket.")
    var bucket: String

    @Option(
        help: """
            A command for /bin/sh that has the server load its files. Run only when they changed, without the AWS \
            credentials of the environment.
            """)
    var reload: String?

    @Option(name: .customLong("reload-timeout"), help: "How long the reload command may take.")
    var reloadTimeout = DurationArgument.thirtySeconds

    @Option(
        help: "The provider's StateBucketName: say there what this server serves; the next rotation waits for it.")
    var acknowledge: String?

    @Option(
        help: "Take another certificate only when this stack's update is complete: one that fails takes it back.")
    var stack: String?

    @Option(help: "Wait this long for the first bundle, for example 10m.")
    var wait: DurationArgument?

    @Flag(help: "Go on for ever, through errors. SIGTERM ends it at once.")
    var watch = false

    @Option(help: "How often to look with --watch, a tenth more or less.")
    var interval = DurationArgument.fiveMinutes

    func run() async throws {
        endAtOnceOnSignals()
        do {
            try await pull()
        } catch let error as AgentError {
            throw exit(error)
        } catch let error as AWSError {
            throw exit(AgentError(error))
        }
    }

    private func exit(_ error: AgentError) -> ExitCode {
        StandardStreams.complain(Reason(error).description)
        return ExitCode(AgentExitStatus(error).rawValue)
    }

    private func pull() async throws {
        let set = try files.set()
        try await aws.withAWS { connection in
            let pull = CertificatePull(
                source: AWSBundleSource(connection.client, parameter: parameter, bucket: bucket), files: set,
                reload: reload.map { ReloadCommand($0, timeout: reloadTimeout.duration) },
                acknowledgement: acknowledge.map {
                    StateBucketAcknowledgement(connection.client, bucket: $0, instance: connection.instance)
                }, gate: stack.map { StackUpdateGate(connection.client, stack: $0) }, clock: connection.clock)
            let watcher = CertificateWatch(clock: connection.clock) { try await pull.run() }
            try await signal.report(through: connection) {
                guard wait != nil || signal.isWanted || !watch else { return }
                if let wait {
                    try show(try await watcher.first(within: wait.duration))
                } else {
                    try show(try await pull.run())
                }
            }
            guard watch else { return }
            try await watcher.watch(every: interval.duration) { result in
                switch result {
                case .success(let outcome):
                    if [.unchanged, .waiting].contains(outcome.change) {
                        warn(outcome)
                    } else {
                        try? show(outcome)
                    }
                case .failure(let error): StandardStreams.complain(Reason(error).description)
                }
            }
        }
    }

    private func warn(_ outcome: CertificatePull.Outcome) {
        for warning in outcome.warnings { StandardStreams.complain("warning: \(Reason(warning).description)") }
    }

    private func show(_ outcome: CertificatePull.Outcome) throws {
        warn(outcome)
        let certificate = outcome.certificate
        try output.show(
            Shown(
                change: outcome.change.rawValue, bundle: outcome.pointer, fingerprint: certificate.fingerprint,
                notAfter: certificate.notAfter.iso8601),
            text: "\(outcome.change.rawValue): valid until \(certificate.notAfter.iso8601), SHA-256 "
                + "\(certificate.fingerprint.prefix(16)), from \(outcome.pointer)")
    }

    private struct Shown: Encodable {
        let change: String
        let bundle: String
        let fingerprint: String
        let notAfter: String
    }

    /// Nothing has to be cleaned up: killed at any point, the files match. The process dies by the signal, which systemd
    /// takes for a clean end of a service. Set explicitly, since the first process of a container would not even get a
    /// signal that it leaves to the system, and does not die by it either.
    private func endAtOnceOnSignals() {
        for number in [SIGTERM, SIGINT] {
            _ = Glibc.signal(number) { number in
                _ = Glibc.signal(number, SIG_DFL)
                var signals = sigset_t()
                unsafe sigemptyset(&signals)
                unsafe sigaddset(&signals, number)
                unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
                raise(number)
                _exit(128 + number)
            }
        }
    }
}

extension DurationArgument {
    static let thirtySeconds = DurationArgument(.seconds(30), "30s")
    static let fiveMinutes = DurationArgument(.seconds(300), "5m")
}
