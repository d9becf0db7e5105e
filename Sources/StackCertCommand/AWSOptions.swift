import AWSClient
import ArgumentParser
import FoundationEssentials
import HTTPTransport
import Logging
import Timekeeping

/// What every command takes, with the AWS CLI's names.
struct AWSOptions: ParsableArguments {
    @Option(help: "A profile of ~/.aws/config; its keys are then used, whatever the environment has.")
    var profile: String?

    @Option(help: "The region. Else AWS_REGION, AWS_DEFAULT_REGION or the profile's.")
    var region: String?

    @Option(name: .customLong("endpoint-url"), help: "Where AWS is, for a cloud on your machine.")
    var endpointURL: String?

    /// The process's environment as the options change it.
    func environment(_ inherited: [String: String]) -> [String: String] {
        var environment = inherited
        if let profile {
            environment["AWS_PROFILE"] = profile
            for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] { environment[name] = nil }
        }
        if let region { environment["AWS_REGION"] = region }
        if let endpointURL { environment["AWS_ENDPOINT_URL"] = endpointURL }
        return environment
    }

    /// Runs `body` with a client; what it throws is told in one line, and ends the process with 2.
    func withClient(_ body: (AWSServiceClient, any WallClock) async throws -> Void) async throws {
        let environment = environment(ProcessInfo.processInfo.environment)
        let clock = SystemWallClock()
        do {
            try await NetworkExecutor.with(clock: clock) { executor in
                let client = AWSServiceClient(
                    configuration: try .fromEnvironment(environment, readFile: Self.read), executor: executor,
                    credentials: CredentialsChain.standard(
                        environment: environment, readFile: Self.read, executor: executor, clock: clock),
                    clock: clock, logger: Self.quiet)
                try await body(client, clock)
            }
        } catch let exit as ExitCode {
            throw exit
        } catch {
            writeToStandardError("stackcert: \(error)\n")
            throw ExitCode(2)
        }
    }

    /// What goes wrong is told at the end; a retry is nobody's concern.
    private static var quiet: Logger { Logger(label: "stackcert") { _ in SwiftLogNoOpLogHandler() } }

    private static let read: FileReader = { path in
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return Array(try Data(contentsOf: URL(filePath: path)))
    }
}
