internal import ACME
internal import AWSClient
internal import CertificateIssuance
package import CertificateResources
package import CustomResource
package import HTTPTransport
internal import SigV4
package import Timekeeping

/// The parts of the function `lets-encrypt-certificate`, put together as the Lambda does it, on a network and a clock of
/// the test's own.
package struct LetsEncryptAssembly: Sendable {
    package let handler: LetsEncryptCertificateHandler
    package let sender: ReplySender
    package let settings = CustomResourceSettings(allowedAccounts: [StackEvent.account])
    package static let defaults = ProviderDefaults(buckets: [TestProvider.certificateBucket], stableS3Key: false)
    private let s3: S3

    /// - Parameter jitter: picks a wait before a retry, in milliseconds.
    package init(
        network: any HTTPExecutor, clock: any WallClock, deployments: any StackDeployments = KnownDeployments(),
        jitter: @escaping @Sendable (ClosedRange<Int64>) -> Int64 = { Int64.random(in: $0) }
    ) throws {
        let client = AWSServiceClient(
            configuration: try AWSConfiguration(region: "eu-west-1"), executor: network,
            credentials: EnvironmentCredentials(environment: [
                "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret-access-key",
                "AWS_SESSION_TOKEN": "secret-session-token",
            ]),
            clock: clock, jitter: jitter)
        s3 = S3(client, expectedBucketOwner: StackEvent.account)
        let storage = BucketACMEStorage(s3: s3, bucket: TestProvider.certificateBucket, keyARN: TestProvider.keyARN)
        let accounts = AccountStore(
            storage: storage,
            transport: ACMETransport(
                executor: network, userAgent: "stackcert-tests/1", clock: clock, jitter: jitter),
            settings: .properties)
        handler = LetsEncryptCertificateHandler(
            store: CertificateStore(
                s3: s3, stateBucket: TestProvider.stateBucket, keyARN: TestProvider.keyARN, clock: clock),
            services: LetsEncryptServices(
                client: client, issuer: ACMEIssuer(accounts: accounts, storage: storage, clock: clock),
                accounts: accounts, clock: clock),
            deployments: deployments, defaults: Self.defaults, clock: clock)
        sender = ReplySender(executor: network, clock: clock, jitter: jitter)
    }

    /// Puts an object as somebody else would, without the provider's metadata.
    package func put(_ body: [UInt8], bucket: String, key: String, deadline: UnixInstant) async throws {
        _ = try await s3.putObject(bucket: bucket, key: key, body: body, deadline: deadline)
    }
}
