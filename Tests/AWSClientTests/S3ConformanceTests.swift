import AWSClient
import FoundationEssentials
import HTTPTransport
import TestSupport
import Testing
import Timekeeping

/// The same scenarios for the S3 in memory and for one behind an endpoint, so that what is proven on the first holds
/// on the second.
@Suite struct S3ConformanceTests {
    @Test("The S3 in memory behaves as S3 does", arguments: S3Scenario.all, [1000, 2])
    func inMemory(scenario: S3Scenario, pageLength: Int) async throws {
        let clock = VirtualClock()
        let memory = InMemoryS3(clock: clock, maxKeys: pageLength)
        memory.createBucket("certificates")
        let client = AWSServiceClient(
            configuration: try AWSConfiguration(region: "eu-west-1"), executor: memory,
            credentials: EnvironmentCredentials(
                environment: ["AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"]),
            clock: clock)
        try await scenario.play(
            S3Scenario.Place(
                s3: S3(client, expectedBucketOwner: "111122223333"),
                strangersS3: S3(client, expectedBucketOwner: "999999999999"),
                bucket: "certificates", prefix: "conformance/", deadline: clock.now.advanced(by: .seconds(600))))
    }

    /// Set `STACKCERT_S3_ENDPOINT` to an endpoint's URL, `STACKCERT_S3_BUCKET` to a versioned bucket there and, if the
    /// account is to be checked, `STACKCERT_S3_OWNER`; the keys are read from `AWS_ACCESS_KEY_ID` and so on.
    @Test(
        "The S3 behind an endpoint behaves as S3 does", .enabled(if: endpoint != nil), arguments: S3Scenario.all)
    func behindEndpoint(scenario: S3Scenario) async throws {
        let environment = ProcessInfo.processInfo.environment
        let bucket = try #require(environment["STACKCERT_S3_BUCKET"])
        try await NetworkExecutor.with { executor in
            let clock = SystemWallClock()
            let client = AWSServiceClient(
                configuration: try AWSConfiguration(
                    region: environment["AWS_REGION"] ?? "us-east-1", endpointURL: S3ConformanceTests.endpoint),
                executor: executor, credentials: EnvironmentCredentials(environment: environment), clock: clock)
            let place = S3Scenario.Place(
                s3: S3(client, expectedBucketOwner: environment["STACKCERT_S3_OWNER"]),
                strangersS3: S3(client, expectedBucketOwner: "999999999999"),
                bucket: bucket, prefix: "conformance/\(UInt64.random(in: 0 ... .max))/",
                deadline: clock.now.advanced(by: .seconds(60)))
            try await scenario.play(place)
            for version in try await place.s3.listObjectVersions(
                bucket: bucket, prefix: place.prefix, deadline: place.deadline)
            {
                try await place.s3.deleteObject(
                    bucket: bucket, key: version.key, versionID: version.versionID, deadline: place.deadline)
            }
        }
    }

    fileprivate static let endpoint = ProcessInfo.processInfo.environment["STACKCERT_S3_ENDPOINT"]
}
