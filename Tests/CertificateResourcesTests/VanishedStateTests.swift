import CustomResource
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

/// Another delivery removes a document between its reading and its conditional writing: S3 answers 404, not 412 (measured:
/// ceph/s3-tests#663, localstack/localstack#13894). That is a race which was lost, and no error.
@Suite struct VanishedStateTests {
    /// Has objects whose keys begin so vanish before each of these operations.
    private func vanish(_ prefix: String, before operation: String, in provider: TestProvider) {
        let s3 = provider.s3
        s3.onOperation {
            if $0.name == operation, $0.key.hasPrefix(prefix) { s3.vanish(bucket: $0.bucket, key: $0.key) }
            return nil
        }
    }

    private func count(_ operation: String, _ prefix: String, in provider: TestProvider) -> Int {
        provider.s3.operations.filter { $0.name == operation && $0.key.hasPrefix(prefix) }.count
    }

    @Test("A record that vanishes before it is claimed is written anew")
    func claim() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.create()
        provider.s3.forgetOperations()
        vanish("records/", before: "PutObject", in: provider)
        let second = try await stack.update(TestProvider.properties(["RotationParameter": "Other"]))
        #expect(second.status == "SUCCESS")
        #expect(second.data == first.data)
        #expect(count("PutObject", "records/", in: provider) == 2)
        #expect(provider.s3.objects(bucket: TestProvider.stateBucket).keys.contains { $0.hasPrefix("records/") })
    }

    @Test("A record that vanishes before it is taken away is gone, and the Delete goes on")
    func take() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        try await stack.create()
        provider.s3.forgetOperations()
        vanish("records/", before: "DeleteObject", in: provider)
        #expect(try await stack.delete().status == "SUCCESS")
        #expect(count("DeleteObject", "records/", in: provider) == 1)
        #expect(provider.leftovers == [])
    }

    @Test("A tombstone that vanishes before it is written again is written anew")
    func bury() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.create()
        #expect(try await stack.delete(first.physicalResourceID).status == "SUCCESS")
        provider.s3.forgetOperations()
        vanish("tombstones/", before: "PutObject", in: provider)
        #expect(try await stack.delete(first.physicalResourceID).status == "SUCCESS")
        #expect(count("PutObject", "tombstones/", in: provider) == 2)
        #expect(provider.s3.objects(bucket: TestProvider.stateBucket).keys.contains { $0.hasPrefix("tombstones/") })
    }
}
