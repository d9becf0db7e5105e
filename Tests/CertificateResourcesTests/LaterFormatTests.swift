import AWSClient
import CustomResource
import FoundationEssentials
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

/// The provider's stack was updated and went back, or only one of two providers was: what the later version wrote stays.
@Suite struct LaterFormatTests {
    @Test(
        "A record of a later format is refused with what to do, and stays as it is",
        arguments: ["update", "delete"])
    func refused(_ request: String) async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        try await stack.create()
        let key = try #require(
            provider.s3.objects(bucket: TestProvider.stateBucket).keys.first { $0.hasPrefix("records/") })
        let body = try #require(provider.s3.body(bucket: TestProvider.stateBucket, key: key))
        let later = String(decoding: body, as: UTF8.self).replacing("\"version\":1", with: "\"version\":2")
        #expect(Array(later.utf8) != body)
        _ = try await provider.client.putObject(
            bucket: TestProvider.stateBucket, key: key, body: Array(later.utf8),
            deadline: provider.clock.now.advanced(by: .seconds(60)))
        let reply =
            request == "update"
            ? try await stack.update(TestProvider.properties(["RotationParameter": "Other"]))
            : try await stack.delete()
        #expect(reply.status == "FAILED")
        let reason = try #require(reply.reason)
        #expect(reason.contains("has format version 2, and this version of StackCert reads version 1"))
        #expect(reason.contains("update the provider stack and the command to the version that wrote it"))
        #expect(provider.s3.body(bucket: TestProvider.stateBucket, key: key) == Array(later.utf8))
        #expect(provider.bundleKeys.count == 1)
    }
}
