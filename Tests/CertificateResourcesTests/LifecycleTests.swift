import CustomResource
import Diagnostics
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

@Suite struct LifecycleTests {
    @Test("A create, a rotation and the deletes leave one bundle, then none")
    func lifecycle() async throws {
        let provider = try TestProvider()
        let create = StackEvent(
            .create, requestID: "create", issuedAt: provider.clock.now, properties: TestProvider.properties())
        #expect(try await provider.deliver(create) == .success)
        let first = try #require(try provider.inbox.replies(to: create).first)
        #expect(provider.bundleKeys == [first.data?["CertificateS3Key"]])

        provider.clock.advance(by: .seconds(60))
        let update = StackEvent(
            .update, requestID: "update", issuedAt: provider.clock.now,
            properties: TestProvider.properties(["Rotation": "2"]), oldProperties: TestProvider.properties(),
            physicalResourceID: first.physicalResourceID)
        #expect(try await provider.deliver(update) == .success)
        let second = try #require(try provider.inbox.replies(to: update).first)
        #expect(second.physicalResourceID != first.physicalResourceID)
        #expect(second.data?["PreviousPublicKey"] == first.data?["PublicKey"])

        provider.clock.advance(by: .seconds(60))
        let cleanup = StackEvent(
            .delete, requestID: "cleanup", issuedAt: provider.clock.now, properties: TestProvider.properties(),
            physicalResourceID: first.physicalResourceID)
        #expect(try await provider.deliver(cleanup) == .success)
        #expect(provider.bundleKeys == [second.data?["CertificateS3Key"]])

        provider.clock.advance(by: .seconds(60))
        let delete = StackEvent(
            .delete, requestID: "delete", issuedAt: provider.clock.now,
            properties: TestProvider.properties(["Rotation": "2"]), physicalResourceID: second.physicalResourceID)
        #expect(try await provider.deliver(delete) == .success)
        #expect(provider.bundleKeys == [])
        #expect(provider.s3.versions(bucket: TestProvider.certificateBucket) == [])
        #expect(provider.s3.objects(bucket: TestProvider.stateBucket).keys.allSatisfy { $0.hasPrefix("tombstones/") })
    }
}
