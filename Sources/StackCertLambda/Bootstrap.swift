import ACME
import AWSClient
import CertificateIssuance
import CertificateRenewal
import CertificateResources
import Configuration
import CustomResource
import Diagnostics
import FoundationEssentials
import Glibc
import HTTPTransport
import LambdaRuntime
import Logging
import Timekeeping

/// The Lambda's entry point: puts the parts together and serves events. No AWS call is made before the first event.
@main
enum Bootstrap {
    static func main() async {
        let environment = ProcessInfo.processInfo.environment
        let level = environment["AWS_LAMBDA_LOG_LEVEL"].flatMap { Logger.Level(lambdaName: $0) } ?? .info
        LoggingSystem.bootstrap { _ in JSONLogHandler(logLevel: level) }
        let logger = Logger(label: "stackcert")
        logger.info(
            "The function's process begins",
            metadata: [
                "stackcert.version": "\(ProductVersion.text)", "faas.handler": "\(environment["_HANDLER"] ?? "")",
            ])
        let clock = SystemWallClock()
        let quota = RetryQuota()
        do {
            try await NetworkExecutor.with(clock: clock, trustedRoots: environment["SSL_CERT_FILE"]) { executor in
                let loop = RuntimeLoop(
                    endpoint: environment["AWS_LAMBDA_RUNTIME_API"] ?? "", executor: executor, retryQuota: quota,
                    clock: clock, logger: logger)
                try await serve(loop, environment: environment, executor: executor, quota: quota, clock: clock)
            }
        } catch {
            // Lambda shows that a process ended, but not why, and starts a new one.
            logger.critical("The function's process ends", error: error)
            exit(1)
        }
    }

    /// One binary for all functions of the provider: the function's handler name chooses.
    private static func serve(
        _ loop: RuntimeLoop, environment: [String: String], executor: any HTTPExecutor, quota: RetryQuota,
        clock: any WallClock
    ) async throws {
        let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: environment))
        if environment["_HANDLER"] == "stack-renewal" {
            let handler: RenewalInvocationHandler
            do {
                handler = try renewalHandler(
                    RenewalConfiguration(reader), environment: environment, executor: executor, quota: quota,
                    clock: clock)
            } catch {
                return try await loop.run(UnconfiguredRenewal(error: error))
            }
            return try await loop.run(handler)
        }
        let configuration: FunctionConfiguration
        do {
            configuration = try FunctionConfiguration(reader)
            switch environment["_HANDLER"] {
            case "backend-certificate":
                let handler = try backendCertificateHandler(
                    configuration, environment: environment, executor: executor, quota: quota, clock: clock)
                try await answer(handler, configuration, loop, environment, executor: executor, clock: clock)
            case "lets-encrypt-certificate":
                let handler = try letsEncryptCertificateHandler(
                    configuration, environment: environment, executor: executor, quota: quota, clock: clock)
                try await answer(handler, configuration, loop, environment, executor: executor, clock: clock)
            default:
                throw ConfigurationError(
                    .unknownHandler,
                    "The provider's function has an unknown handler name: update the provider stack from its own "
                        + "template (Handler: backend-certificate).")
            }
        } catch let error as any DiagnosticError where !(error is RuntimeError) {
            try await answer(
                UnconfiguredHandler(error: error), nil, loop, environment, executor: executor, clock: clock)
        }
    }

    /// Serves custom-resource events.
    ///
    /// - Parameter configuration: nil when it could not be read.
    private static func answer(
        _ handler: some ResourceHandler, _ configuration: FunctionConfiguration?, _ loop: RuntimeLoop,
        _ environment: [String: String], executor: any HTTPExecutor, clock: any WallClock
    ) async throws {
        try await loop.run(
            CustomResourceInvocationHandler(
                handler: handler, executor: executor, clock: clock,
                allowedAccounts: configuration?.allowedAccounts ?? [],
                loopbackResponseURLsAllowed: environment["STACKCERT_LOCAL_RESPONSE_URLS"] == "1"))
    }

    private static func client(
        environment: [String: String], executor: any HTTPExecutor, quota: RetryQuota, clock: any WallClock,
        retry: RetryPolicy = .stackEvent
    ) throws -> AWSServiceClient {
        AWSServiceClient(
            configuration: try AWSConfiguration.fromEnvironment(environment), executor: executor,
            credentials: EnvironmentCredentials(environment: environment), clock: clock, retry: retry,
            quota: quota)
    }

    private static func backendCertificateHandler(
        _ configuration: FunctionConfiguration, environment: [String: String], executor: any HTTPExecutor,
        quota: RetryQuota, clock: any WallClock
    ) throws -> BackendCertificateHandler {
        let client = try client(environment: environment, executor: executor, quota: quota, clock: clock)
        let store = CertificateStore(
            s3: S3(client, expectedBucketOwner: configuration.bucketOwner), stateBucket: configuration.stateBucket,
            keyARN: configuration.keyARN, clock: clock)
        return BackendCertificateHandler(
            store: store, issuer: SelfSignedIssuer(clock: clock), deployments: CloudFormation(client),
            defaults: configuration.defaults, clock: clock)
    }

    private static func letsEncryptCertificateHandler(
        _ configuration: FunctionConfiguration, environment: [String: String], executor: any HTTPExecutor,
        quota: RetryQuota, clock: any WallClock
    ) throws -> LetsEncryptCertificateHandler {
        let client = try client(environment: environment, executor: executor, quota: quota, clock: clock)
        let s3 = S3(client, expectedBucketOwner: configuration.bucketOwner)
        let storage = BucketACMEStorage(
            s3: s3, bucket: configuration.certificateBucket, keyARN: configuration.keyARN)
        let accounts = AccountStore(
            storage: storage, transport: transport(executor: executor, clock: clock), settings: .properties)
        let issuer = ACMEIssuer(accounts: accounts, storage: storage, clock: clock) { step in
            Logger.current.info("order", metadata: ["acme.step": "\(step)"])
        }
        return LetsEncryptCertificateHandler(
            store: CertificateStore(
                s3: s3, stateBucket: configuration.stateBucket, keyARN: configuration.keyARN, clock: clock),
            services: LetsEncryptServices(client: client, issuer: issuer, accounts: accounts, clock: clock),
            deployments: CloudFormation(client), defaults: configuration.defaults, clock: clock)
    }

    private static func transport(executor: any HTTPExecutor, clock: any WallClock) -> ACMETransport {
        ACMETransport(executor: executor, userAgent: ProductVersion.userAgent, clock: clock)
    }

    private static func renewalHandler(
        _ configuration: RenewalConfiguration, environment: [String: String], executor: any HTTPExecutor,
        quota: RetryQuota, clock: any WallClock
    ) throws -> RenewalInvocationHandler {
        let client = try client(
            environment: environment, executor: executor, quota: quota, clock: clock,
            // One stack's calls must not use up the time of the stacks after it.
            retry: RetryPolicy(patience: .seconds(60)))
        let s3 = S3(client, expectedBucketOwner: configuration.bucketOwner)
        var otherAccounts: OtherAccounts?
        if let own = configuration.bucketOwner, let role = configuration.roleElsewhere {
            otherAccounts = OtherAccounts(own: own, client: client, roleName: role, clock: clock)
        }
        let environment = RenewalEnvironment(
            cloudFormation: CloudFormation(client), otherAccounts: otherAccounts, ssm: SSM(client),
            state: StateBucket(configuration.stateBucket, s3: s3), clock: clock, window: configuration.window,
            adviser: ACMERenewalAdviser(transport: transport(executor: executor, clock: clock)))
        return RenewalInvocationHandler(
            environment: environment, bundles: configuration.certificateBucket.map { BundleListing($0, s3: s3) },
            configuration: configuration, sns: SNS(client), clock: clock)
    }
}
