import AWSClient
import ArgumentParser
import CertificateIssuance
import CertificateRenewal
import Diagnostics
import Timekeeping

/// `stackcert status`
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show every certificate of this region: what, where, until when, and what is wrong.",
        discussion: """
            Exit code 0: all is well. 1: a certificate has expired, could not be renewed, belongs to no stack any more \
            (ORPHAN), or its renewal was taken back (REVERTED). 2: the status could not be read, or the page not be \
            written.

            EXAMPLES
              stackcert status
              stackcert status --output json | jq -r '.[] | select(.state != "ok") | .stack'
              stackcert status --html /var/www/certificates.html
            """)

    @OptionGroup var aws: AWSOptions
    @OptionGroup var provider: ProviderOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "Also write a page with the table and a timeline; it replaces the file in one step.")
    var html: String?

    func run() async throws {
        let statuses: [CertificateStatus]
        let sweep: SweepReport?
        do {
            (statuses, sweep) = try await aws.withAWS { try await read($0) }
        } catch {
            StandardStreams.complain(Reason(error).description)
            throw ExitCode(2)
        }
        let table = StatusTable(statuses, sweep: sweep, now: SystemWallClock().now)
        switch output.output {
        case .text: StandardStreams.write(table.text)
        case .json: StandardStreams.write(try table.json())
        }
        if statuses.contains(where: \.needsAttention) { throw ExitCode(1) }
    }

    private func read(_ connection: AWSConnection) async throws -> ([CertificateStatus], SweepReport?) {
        let deadline = connection.clock.now.advanced(by: .seconds(120))
        let state = try await provider.state(connection, deadline: deadline)
        let now = connection.clock.now
        let statuses = try await CertificateStatus.all(in: state, now: now, deadline: deadline)
        if let html {
            try WholeFile(path: html).write(StatusPage(statuses, region: connection.region, now: now).html)
        }
        return (statuses, try await SweepReport.latest(in: state, deadline: deadline))
    }
}
