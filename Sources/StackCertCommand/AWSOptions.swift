import AWSClient
import ArgumentParser
import FoundationEssentials
import HTTPTransport
import Logging
import Timekeeping

/// The options that say which AWS is meant, as the AWS CLI names them.
struct AWSOptions: ParsableArguments {
    @Option(help: "The profile in ~/.aws whose credentials and region are used.")
    var profile: String?

    @Option(help: "The region. Default: AWS_REGION, AWS_DEFAULT_REGION, the profile's, or that of the instance.")
    var region: String?

    @Option(name: .customLong("endpoint-url"), help: "Another endpoint than AWS's own, for every service.")
    var endpointURL: String?

    /// Runs `body` with what needs no AWS; connections are closed when it returns.
    static func withNetwork<Result>(_ body: (any HTTPExecutor) async throws -> Result) async throws -> Result {
        let roots = ProcessInfo.processInfo.environment["SSL_CERT_FILE"]
        return try await NetworkExecutor.with(clock: SystemWallClock(), trustedRoots: roots) { try await body($0) }
    }

    /// Runs `body` with a client, whose connections are closed when it returns.
    func withAWS<Result>(_ body: (AWSConnection) async throws -> Result) async throws -> Result {
        let clock = SystemWallClock()
        var environment = ProcessInfo.processInfo.environment
        if let profile {
            environment["AWS_PROFILE"] = profile
            // A profile that was asked for by name wins over what is in the environment.
            for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] { environment[name] = nil }
        }
        if let endpointURL {
            environment = environment.filter { !$0.key.hasPrefix("AWS_ENDPOINT_URL_") }
            environment["AWS_ENDPOINT_URL"] = endpointURL
        }
        return try await NetworkExecutor.with(clock: clock, trustedRoots: environment["SSL_CERT_FILE"]) { executor in
            let instance = InstanceIdentity(environment: environment, executor: executor, clock: clock)
            environment["AWS_REGION"] = try await chosenRegion(environment, instance: instance, clock: clock)
            let client = AWSServiceClient(
                configuration: try AWSConfiguration.fromEnvironment(environment), executor: executor,
                credentials: CredentialsChain.standard(
                    environment: environment, readFile: readFile, executor: executor, clock: clock),
                clock: clock,
                // A person waits. A unit's next run, or a server's next look, comes anyway.
                retry: RetryPolicy(patience: .seconds(30)),
                // People and units read one line that says what to do, and not each try before it.
                logger: Logger(label: "stackcert", factory: { _ in SwiftLogNoOpLogHandler() }))
            return try await body(
                AWSConnection(
                    client: client, executor: executor, region: environment["AWS_REGION"] ?? "", instance: instance,
                    clock: clock))
        }
    }

    private func chosenRegion(
        _ environment: [String: String], instance: InstanceIdentity, clock: any WallClock
    ) async throws -> String {
        let named = [region, environment["AWS_REGION"], environment["AWS_DEFAULT_REGION"]].lazy.compactMap { $0 }
        if let name = named.first(where: { !$0.isEmpty }) { return name }
        if let name = try AWSConfiguration.profileRegion(environment, readFile: readFile) { return name }
        do {
            return try await instance.region(deadline: clock.now.advanced(by: .seconds(5)))
        } catch let error as AWSError {
            throw AWSError(
                .invalidConfiguration, "No AWS region is set, and this is no EC2 instance: use --region.", cause: error)
        }
    }
}

/// What a subcommand works with.
struct AWSConnection {
    let client: AWSServiceClient
    let executor: any HTTPExecutor
    let region: String
    let instance: InstanceIdentity
    let clock: SystemWallClock
}

/// Nil when there is no such file.
@Sendable private func readFile(_ path: String) throws -> [UInt8]? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return Array(try Data(contentsOf: URL(filePath: path)))
}
