import ArgumentParser
import CertificateRenewal
import Diagnostics
import Timekeeping

/// `stackcert rotate`
struct RotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Give a stack a new key and certificate now, due or not, and wait for the end.",
        discussion: """
            For a certificate the command may be repeated, or given by two people at once: it is replaced once. What is \
            under way already is waited for. After a compromise set the property TrustPrevious to false as well.

            Exit code 0: the stack has a new certificate. 1: it failed or needs a person; the last line says what. \
            2: the stack or its certificate could not be read.

            EXAMPLES
              stackcert rotate shop
              stackcert rotate shop --dry-run
              stackcert rotate shop --output json --profile production --region eu-west-1
            """)

    @Argument(help: "The name or the ARN of the stack.")
    var stack: String

    @OptionGroup var options: RenewalOptions

    func run() async throws {
        let result: RenewalResult?
        do {
            result = try await options.aws.withAWS { try await rotate($0) }
        } catch {
            StandardStreams.complain(Reason(error).description)
            throw ExitCode(2)
        }
        guard let result else { throw ExitCode(1) }
        switch options.output.output {
        case .json: StandardStreams.write(try OutputOptions.document(result))
        case .text: result.write()
        }
        guard result.isDone else { throw ExitCode(1) }
    }

    private func rotate(_ connection: AWSConnection) async throws -> RenewalResult? {
        let deadline = connection.clock.now.advanced(by: .seconds(120))
        let environment = try await options.environment(connection, trigger: .order, deadline: deadline)
        let certified = try await options.certified(stack, environment: environment, deadline: deadline)
        let now = connection.clock.now
        return await options.run([certified], environment: environment) { certificate in
            certificate.due.map { $0 <= now } ?? false
        }.first
    }
}
