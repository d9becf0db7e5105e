import AWSClient
import CustomResource
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

/// Whether a bucket keeps versions decides whether the stable key may be overwritten.
@Suite struct BucketVersioningTests {
    private static let small = [
        "AppDomain": "shop.example.com", "AppName": "shop", "AppS3Bucket": TestProvider.adoptedBucket,
        "KeyAlgorithm": "EC_P256",
    ]
    private static let rotated = small.merging(["Rotation": "1"]) { $1 }

    @Test(
        "System A's key is not overwritten in a bucket that keeps no versions, and the stack rolls back to it",
        .contract(28), arguments: [BucketVersioning.suspended, .never])
    func adopted(versioning: BucketVersioning) async throws {
        let provider = try TestProvider(stableS3Key: true, adoptedBucketIsVersioned: versioning != .never)
        if versioning == .suspended {
            provider.s3.setVersioning(.suspended, bucket: TestProvider.adoptedBucket)
        }
        let key = try await provider.putSystemABundle()
        var stack = ScriptedStack(provider, properties: Self.small)
        _ = try await stack.deliver(stack.event(.update, id: TestProvider.logStream))
        let before = provider.s3.body(bucket: TestProvider.adoptedBucket, key: TestProvider.stableKey)
        let update = stack.event(.update, Self.rotated, old: Self.small, id: TestProvider.logStream)
        let refused = try await stack.deliver(update)
        #expect(refused.status == "FAILED")
        #expect(refused.reason?.contains("put-bucket-versioning --bucket \(TestProvider.adoptedBucket)") == true)
        let back = stack.event(.update, Self.small, old: Self.rotated, id: TestProvider.logStream)
        let reply = try await stack.deliver(back)
        #expect(reply.status == "SUCCESS")
        #expect(reply.data?["PublicKey"] == key)
        #expect(provider.s3.body(bucket: TestProvider.adoptedBucket, key: TestProvider.stableKey) == before)
        // What the reason says to do.
        provider.s3.setVersioning(.enabled, bucket: TestProvider.adoptedBucket)
        let next = stack.event(
            .update, Self.small.merging(["Rotation": "2"]) { $1 }, old: Self.small, id: TestProvider.logStream)
        let rotated = try await stack.deliver(next)
        #expect(rotated.status == "SUCCESS", "\(rotated.reason ?? "")")
        let again = stack.event(.update, Self.small, old: next.properties, id: rotated.physicalResourceID)
        #expect(try await stack.deliver(again).data?["PublicKey"] == key)
        #expect(provider.s3.body(bucket: TestProvider.adoptedBucket, key: TestProvider.stableKey) == before)
    }

    @Test(
        "A copy of ours is not overwritten either", .contract(28), arguments: [BucketVersioning.suspended, .never])
    func ours(versioning: BucketVersioning) async throws {
        let provider = try TestProvider(adoptedBucketIsVersioned: versioning != .never)
        if versioning == .suspended {
            provider.s3.setVersioning(.suspended, bucket: TestProvider.adoptedBucket)
        }
        let first = Self.rotated.merging(["StableS3Key": "true"]) { $1 }
        let second = first.merging(["Rotation": "2"]) { $1 }
        var stack = ScriptedStack(provider, properties: first)
        let created = try await stack.create()
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == created.data?["PublicKey"])
        #expect(try await stack.update(second).status == "FAILED")
        #expect(try await stack.update(first).data == created.data)
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == created.data?["PublicKey"])
        #expect(try await stack.delete().status == "SUCCESS")
        #expect(provider.s3.versions(bucket: TestProvider.adoptedBucket).allSatisfy { $0.isDeleteMarker })
    }

    @Test("A rollback fails when the copy that it returns to is gone", .contract(7, 28))
    func lostCopy() async throws {
        let provider = try TestProvider(stableS3Key: true)
        var stack = ScriptedStack(provider)
        let created = try await stack.create()
        let rotated = try await stack.update(TestProvider.properties(["Rotation": "2"]))
        for version in provider.s3.versions(bucket: TestProvider.certificateBucket)
        where version.key == TestProvider.stableKey && !version.isLatest {
            try await provider.client.deleteObject(
                bucket: TestProvider.certificateBucket, key: version.key, versionID: version.versionID,
                deadline: provider.clock.now.advanced(by: .seconds(60)))
        }
        let back = try await stack.update(TestProvider.properties())
        #expect(back.status == "FAILED")
        #expect(back.reason?.contains("--resources-to-skip ElbBackendCertificate") == true)
        #expect(created.data?["PublicKey"] != rotated.data?["PublicKey"])
        #expect(try provider.publicKey(in: TestProvider.certificateBucket) == rotated.data?["PublicKey"])
    }

    @Test("A rollback to system A's key fails when that is gone", .contract(26, 28))
    func lostAdoptedKey() async throws {
        let provider = try TestProvider()
        try await provider.putSystemABundle()
        var stack = ScriptedStack(provider, properties: Self.small)
        _ = try await stack.deliver(stack.event(.update, id: TestProvider.logStream))
        let update = stack.event(.update, Self.rotated, old: Self.small, id: TestProvider.logStream)
        let rotated = try await stack.deliver(update)
        for version in provider.s3.versions(bucket: TestProvider.adoptedBucket)
        where version.key == TestProvider.stableKey {
            try await provider.client.deleteObject(
                bucket: TestProvider.adoptedBucket, key: version.key, versionID: version.versionID,
                deadline: provider.clock.now.advanced(by: .seconds(60)))
        }
        let back = stack.event(.update, Self.small, old: Self.rotated, id: rotated.physicalResourceID)
        let reply = try await stack.deliver(back)
        #expect(reply.status == "FAILED")
        #expect(reply.reason?.contains("The key that the stack rolls back to is not at") == true)
    }

    @Test("A rollback to system A's key fails when somebody put another object over it", .contract(26, 28))
    func coveredAdoptedKey() async throws {
        let provider = try TestProvider(stableS3Key: true)
        let adopted = try await provider.putSystemABundle()
        var stack = ScriptedStack(provider, properties: Self.small)
        _ = try await stack.deliver(stack.event(.update, id: TestProvider.logStream))
        let other = try await provider.putSystemABundle()
        let update = stack.event(.update, Self.rotated, old: Self.small, id: TestProvider.logStream)
        let rotated = try await stack.deliver(update)
        #expect(rotated.status == "SUCCESS")
        let back = stack.event(.update, Self.small, old: Self.rotated, id: rotated.physicalResourceID)
        let reply = try await stack.deliver(back)
        #expect(reply.status == "FAILED")
        #expect(reply.reason?.contains("The key that the stack rolls back to is not at") == true)
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == rotated.data?["PublicKey"])
        // What the reason says to do: the adopted version is the newest one again, but for ours.
        for version in provider.s3.versions(bucket: TestProvider.adoptedBucket).dropFirst().prefix(1) {
            try await provider.client.deleteObject(
                bucket: TestProvider.adoptedBucket, key: version.key, versionID: version.versionID,
                deadline: provider.clock.now.advanced(by: .seconds(60)))
        }
        #expect(try await stack.deliver(back).data?["PublicKey"] == adopted)
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == adopted)
        #expect(adopted != other)
    }

    @Test("Without the permission to ask nothing is overwritten, and the reason says what to update", .contract(28))
    func forbidden() async throws {
        let provider = try TestProvider(stableS3Key: true)
        var stack = ScriptedStack(provider)
        let created = try await stack.create()
        provider.s3.onOperation { $0.name == "GetBucketVersioning" ? .answer(403) : nil }
        let refused = try await stack.update(TestProvider.properties(["Rotation": "2"]))
        #expect(refused.status == "FAILED")
        #expect(refused.reason?.contains("s3:GetBucketVersioning") == true)
        #expect(try provider.publicKey(in: TestProvider.certificateBucket) == created.data?["PublicKey"])
    }
}
