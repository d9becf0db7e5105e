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
            Exit code 0: all is well. 1: a certificate has expired, or could not be renewed. 2: the status could not be read.

            EXAMPLES
              stackcert status
              stackcert status --output json | jq -r '.[] | select(.state != "ok") | .stack'
            """)

    @OptionGroup var aws: AWSOptions

    @Option(help: "The provider's stack, whose outputs say where the records are.")
    var provider = "stackcert"

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let statuses: [CertificateStatus]
        do {
            statuses = try await aws.withAWS { try await read($0) }
        } catch {
            StandardStreams.complain(Reason(error).description)
            throw ExitCode(2)
        }
        let table = StatusTable(statuses, now: SystemWallClock().now)
        switch output.output {
        case .text: StandardStreams.write(table.text)
        case .json: StandardStreams.write(try table.json())
        }
        if statuses.contains(where: \.needsAttention) { throw ExitCode(1) }
    }

    private func read(_ connection: AWSConnection) async throws -> [CertificateStatus] {
        let deadline = connection.clock.now.advanced(by: .seconds(120))
        let stack: CloudFormation.Stack
        do {
            stack = try await CloudFormation(connection.client).describeStack(provider, deadline: deadline)
        } catch let error as AWSError where error.isMissingStack {
            throw CommandError(
                "There is no stack \(provider) in this region: name the provider's stack with --provider.")
        }
        guard let bucket = stack.outputs["StateBucketName"] else {
            throw CommandError("Stack \(provider) has no output StateBucketName: it is not a StackCert provider.")
        }
        let state = StateBucket(bucket, s3: S3(connection.client, expectedBucketOwner: nil))
        return try await CertificateStatus.all(in: state, now: connection.clock.now, deadline: deadline)
    }
}

/// Why a command cannot do what it is asked for.
struct CommandError: DiagnosticError {
    enum Code: Hashable, Sendable {
        case unusable
    }

    let code = Code.unusable
    let message: String

    init(_ message: String) {
        self.message = message
    }
}
