package import CertificateResources
package import CustomResource
package import HTTPTransport
internal import HTTPTypes
package import InMemoryLogging
internal import Logging
package import TestSupport
internal import Timekeeping

/// The whole provider between an event's bytes and the wire, with S3 and CloudFormation's bucket in memory and a clock
/// of its own. What it leaves out of the Lambda is the Runtime API's loop.
package struct TestProvider: Sendable {
    package let clock: VirtualClock
    package let s3: InMemoryS3
    package let inbox: ReplyInbox
    package let logs: InMemoryLogHandler
    package let deployments = KnownDeployments()
    package let function: CustomResourceFunction<BackendCertificateHandler>

    package static let certificateBucket = "certificates"
    package static let adoptedBucket = "system-a"
    package static let stateBucket = "state"
    package static let keyARN = "arn:aws:kms:eu-west-1:111122223333:key/2f5f4a5c-0000-4000-8000-000000000001"

    /// - Parameter interposed: may put something of a test's own between the provider and the network.
    package init(
        clock: VirtualClock = VirtualClock(), stableS3Key: Bool = false, adoptedBucketIsVersioned: Bool = true,
        interposed: (any HTTPExecutor) -> any HTTPExecutor = { $0 }
    ) throws {
        self.clock = clock
        s3 = InMemoryS3(clock: clock)
        s3.createBucket(Self.certificateBucket)
        s3.createBucket(Self.adoptedBucket, isVersioned: adoptedBucketIsVersioned)
        s3.createBucket(Self.stateBucket, isVersioned: false)
        inbox = ReplyInbox(clock: clock)
        logs = InMemoryLogHandler()
        let assembly = try ProviderAssembly(
            network: interposed(InMemoryPeers(s3: s3, inbox: inbox)), clock: clock, stableS3Key: stableS3Key,
            deployments: deployments)
        function = CustomResourceFunction(
            handler: assembly.handler, sender: assembly.sender, settings: assembly.settings, clock: clock)
    }

    /// Delivers an event once, as Lambda would, with `timeout` until the invocation's deadline.
    @discardableResult
    package func deliver(
        _ event: StackEvent, timeout: Duration = .seconds(300)
    ) async throws -> CustomResourceReply.Status {
        try await deliver(payload: event.payload(), timeout: timeout)
    }

    @discardableResult
    package func deliver(
        payload: [UInt8], timeout: Duration = .seconds(300)
    ) async throws -> CustomResourceReply.Status {
        let logs = logs
        var logger = Logger(label: "test") { _ in logs }
        logger.logLevel = .trace
        // Bound as the Runtime API's loop binds it: calls of AWS are logged through the current logger.
        return try await withLogger(logger) { logger in
            try await function.handle(payload, deadline: clock.now.advanced(by: timeout), logger: logger)
        }
    }

    /// Properties of a small, quickly made certificate.
    package static func properties(_ changes: [String: String] = [:]) -> [String: String] {
        let base = [
            "AppDomain": "shop.example.com", "AppName": "shop", "AppS3Bucket": certificateBucket,
            "KeyAlgorithm": "EC_P256", "Rotation": "1",
        ]
        return base.merging(changes) { _, new in new }
    }

    /// Everything that was logged, as text.
    package var logText: String {
        logs.entries.map { "\($0.level) \($0.message) \($0.metadata)" }.joined(separator: "\n")
    }

    /// The keys of the bundles that are there, in alphabetical order.
    package var bundleKeys: [String] { s3.objects(bucket: Self.certificateBucket).keys.sorted() }
}
