import AWSClient
import ArgumentParser
import CertificateIssuance
import CertificateRenewal
import Diagnostics
import Timekeeping

/// `stackcert show`
struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show everything that is known of a stack's certificates, but for their keys.",
        discussion: """
            The bundle is never read: the command needs no right to it, and cannot show a private key.

            Exit code 0: shown. 2: there is nothing to show, or it could not be read.

            EXAMPLES
              stackcert show shop
              stackcert show shop ElbBackendCertificate --output json | jq -r '.[].certificateFingerprint'
            """)

    @Argument(help: "The name of the stack; or its ARN, which finds it after its deletion as well.")
    var stack: String

    @Argument(help: "The logical id of the resource. Default: all of the stack.")
    var resource: String?

    @OptionGroup var aws: AWSOptions
    @OptionGroup var provider: ProviderOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let sheets: [CertificateSheet]
        do {
            sheets = try await aws.withAWS { try await read($0) }
        } catch {
            StandardStreams.complain(Reason(error).description)
            throw ExitCode(2)
        }
        switch output.output {
        case .text: StandardStreams.write(sheets.map(\.text).joined(separator: "\n\n"))
        case .json: StandardStreams.write(try OutputOptions.document(sheets))
        }
    }

    private func read(_ connection: AWSConnection) async throws -> [CertificateSheet] {
        let now = connection.clock.now
        let deadline = now.advanced(by: .seconds(120))
        let state = try await provider.state(connection, deadline: deadline)
        let id = try await stackID(connection, deadline: deadline)
        let found = try await CertificateDetails.all(of: id, in: state, now: now, deadline: deadline)
        let chosen = found.filter { resource == nil || $0.record.logicalResourceID == resource }
        guard chosen.isEmpty else { return chosen.map { CertificateSheet($0, now: now) } }
        guard let resource, !found.isEmpty else {
            throw CommandError(.unusable, "Stack \(stack) has no certificate that this provider has made.")
        }
        let names = Set(found.map(\.record.logicalResourceID)).sorted().joined(separator: ", ")
        throw CommandError(.unusable, "Stack \(stack) has no certificate \(resource): it has \(names).")
    }

    private func stackID(_ connection: AWSConnection, deadline: UnixInstant) async throws -> String {
        guard !stack.hasPrefix("arn:") else { return stack }
        do {
            return try await CloudFormation(connection.client).describeStack(stack, deadline: deadline).id
        } catch let error as AWSError where error.isMissingStack {
            throw CommandError(.unusable, "There is no stack \(stack) in this region.")
        }
    }
}
