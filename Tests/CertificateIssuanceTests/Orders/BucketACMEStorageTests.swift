import AWSClient
import CertificateIssuance
import Diagnostics
import TestSupport
import Testing
import Timekeeping

@Suite struct BucketACMEStorageTests {
    private let scene = DNSScene()

    @Test("Of two who replace one content one is told that it was too late, also when the other removed it")
    func race() async throws {
        let memory = InMemoryS3(clock: scene.clock)
        memory.createBucket("certificates")
        let storage = BucketACMEStorage(
            s3: S3(try scene.client(memory), expectedBucketOwner: nil), bucket: "certificates",
            keyARN: "arn:aws:kms:eu-west-1:111122223333:key/2f5f4a5c-0000-4000-8000-000000000001")
        let deadline = scene.deadline
        func write(_ byte: UInt8, replacing tag: String?) async throws -> String? {
            try await storage.write(Redacted([byte]), as: "orders/one", replacing: tag, deadline: deadline)
        }
        let first = try #require(try await write(1, replacing: nil))
        let second = try #require(try await write(2, replacing: first))
        #expect(try await write(3, replacing: first) == nil)
        memory.vanish(bucket: "certificates", key: "acme/orders/one")
        #expect(try await write(3, replacing: second) == nil)
        #expect(try await storage.read("orders/one", deadline: deadline) == nil)
        #expect(try await write(3, replacing: nil) != nil)
    }
}
