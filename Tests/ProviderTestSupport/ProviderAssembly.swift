internal import AWSClient
internal import CertificateIssuance
package import CertificateResources
package import CustomResource
package import HTTPTransport
internal import SigV4
package import Timekeeping

/// The provider's parts, put together as the Lambda does it, on a network and a clock of the test's own.
package struct ProviderAssembly: Sendable {
    package let handler: BackendCertificateHandler
    package let sender: ReplySender
    package let settings = CustomResourceSettings(allowedAccounts: [StackEvent.account])
    private let s3: S3

    /// - Parameter jitter: picks a wait before a retry, in milliseconds.
    package init(
        network: any HTTPExecutor, clock: any WallClock, stableS3Key: Bool,
        deployments: any StackDeployments = KnownDeployments(),
        jitter: @escaping @Sendable (ClosedRange<Int64>) -> Int64 = { Int64.random(in: $0) }
    ) throws {
        let client = AWSServiceClient(
            configuration: try AWSConfiguration.fromEnvironment(["AWS_REGION": "eu-west-1"]), executor: network,
            credentials: EnvironmentCredentials(environment: [
                "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret-access-key",
                "AWS_SESSION_TOKEN": "secret-session-token",
            ]),
            clock: clock, jitter: jitter)
        s3 = S3(client, expectedBucketOwner: StackEvent.account)
        let store = CertificateStore(
            s3: s3, stateBucket: TestProvider.stateBucket, keyARN: TestProvider.keyARN, clock: clock)
        handler = BackendCertificateHandler(
            store: store, issuer: SelfSignedIssuer(clock: clock), deployments: deployments,
            defaults: ProviderDefaults(
                buckets: [TestProvider.certificateBucket, TestProvider.adoptedBucket], stableS3Key: stableS3Key),
            clock: clock)
        sender = ReplySender(executor: network, clock: clock, jitter: jitter)
    }

    /// Puts an object as somebody else would, without the provider's metadata.
    package func put(_ body: [UInt8], bucket: String, key: String, deadline: UnixInstant) async throws {
        _ = try await s3.putObject(bucket: bucket, key: key, body: body, deadline: deadline)
    }
}
