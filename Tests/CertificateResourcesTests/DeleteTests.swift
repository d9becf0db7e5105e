import AWSClient
import CustomResource
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

@Suite struct DeleteTests {
    @Test("A Delete goes by the physical id, whatever the properties say, and echoes it", .contract(9, 12))
    func properties() async throws {
        for properties in [[:], ["AppName": "*", "AppS3Bucket": "elsewhere", "Nonsense": "x"]] {
            let provider = try TestProvider()
            var stack = ScriptedStack(provider)
            let created = try await stack.create()
            let deleted = try await stack.delete(created.physicalResourceID, properties)
            #expect(deleted.status == "SUCCESS")
            #expect(deleted.physicalResourceID == created.physicalResourceID)
            #expect(deleted.data == nil || deleted.data == [:])
            #expect(provider.leftovers == [])
        }
    }

    @Test("Neither another stack nor another resource of the same stack can delete a certificate", .contract(9))
    func foreign() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        try await stack.create()
        var otherStack = stack.event(.delete)
        otherStack.stackID = otherStack.stackID.replacing("6f0c7a10", with: "7f0c7a10")
        var otherResource = stack.event(.delete)
        otherResource.logicalResourceID = "Other"
        var sameGUID = stack.event(.delete)
        sameGUID.stackID = sameGUID.stackID.replacing("eu-west-1", with: "eu-west-2")
        for event in [otherStack, otherResource, sameGUID] {
            let reply = try await stack.deliver(event)
            #expect(reply.status == "FAILED")
            #expect(reply.physicalResourceID == stack.physicalResourceID)
            #expect(reply.reason?.contains("left alone") == true)
            #expect(provider.bundleKeys.count == 1)
        }
        #expect(try await stack.delete().status == "SUCCESS")
    }

    @Test("An id that leads to a bucket which the provider does not serve is refused", .contract(9))
    func foreignBucket() async throws {
        let provider = try TestProvider()
        provider.s3.createBucket("elsewhere")
        var stack = ScriptedStack(provider)
        let created = try await stack.create()
        provider.s3.forgetOperations()
        let id = created.physicalResourceID.replacing(":certificates/", with: ":elsewhere/")
        let reply = try await stack.delete(id)
        #expect(reply.status == "FAILED")
        #expect(reply.reason?.contains("bucket elsewhere") == true)
        #expect(provider.s3.operations.isEmpty)
    }

    @Test("What is gone already is deleted with success", .contract(10))
    func missing() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        try await stack.create()
        #expect(try await stack.delete().status == "SUCCESS")
        #expect(try await stack.delete().status == "SUCCESS")

        let other = try TestProvider()
        var bucketless = ScriptedStack(other)
        try await bucketless.create()
        other.s3.deleteBucket(TestProvider.certificateBucket)
        #expect(try await bucketless.delete().status == "SUCCESS")
    }

    @Test(
        "A Delete that may not do its work fails: a surviving key is never hidden", .contract(10),
        arguments: ["HeadObject", "ListObjectVersions", "DeleteObject"])
    func forbidden(operation: String) async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        try await stack.create()
        provider.s3.onOperation {
            $0.name == operation && $0.bucket == TestProvider.certificateBucket ? .answer(403) : nil
        }
        let reply = try await stack.delete()
        #expect(reply.status == "FAILED")
        #expect(reply.reason?.contains("AccessDenied") == true)
        #expect(provider.bundleKeys.count == 1)
        provider.s3.onOperation(nil)
        #expect(try await stack.delete().status == "SUCCESS")
        #expect(provider.leftovers == [])
    }

    @Test("A bucket of the same name in somebody else's account is not touched", .contract(10))
    func otherAccount() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        try await stack.create()
        provider.s3.createBucket(TestProvider.certificateBucket, owner: "999988887777")
        #expect(try await stack.delete().status == "FAILED")
        #expect(try await stack.deliver(stack.event(.create)).status == "FAILED")
        #expect(provider.s3.versions(bucket: TestProvider.certificateBucket).isEmpty)
    }

    @Test("Every version of a bundle goes, also one that somebody hid behind a delete marker", .contract(10))
    func versions() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let reply = try await stack.create()
        try await provider.client.deleteObject(
            bucket: TestProvider.certificateBucket, key: reply.data?["CertificateS3Key"] ?? "",
            deadline: provider.clock.now.advanced(by: .seconds(60)))
        #expect(provider.s3.versions(bucket: TestProvider.certificateBucket).count == 2)
        #expect(provider.bundleKeys.isEmpty)
        #expect(try await stack.delete().status == "SUCCESS")
        #expect(provider.leftovers == [])
    }

    @Test("A bundle that was removed by hand is made again under the same id, and its old key stays trusted")
    func removedByHand() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.create()
        let key = first.data?["CertificateS3Key"] ?? ""
        for version in provider.s3.versions(bucket: TestProvider.certificateBucket) {
            try await provider.client.deleteObject(
                bucket: TestProvider.certificateBucket, key: key, versionID: version.versionID,
                deadline: provider.clock.now.advanced(by: .seconds(60)))
        }
        let second = try await stack.update(TestProvider.properties(["RotationParameter": "Other"]))
        #expect(second.status == "SUCCESS")
        #expect(second.physicalResourceID == first.physicalResourceID)
        #expect(second.data?["PublicKey"] != first.data?["PublicKey"])
        #expect(second.data?["PreviousPublicKey"] == first.data?["PublicKey"])
    }

    @Test("What is not ours at the bundle's place is neither used nor deleted", .contract(9))
    func notOurs() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let created = try await stack.create()
        let key = created.data?["CertificateS3Key"] ?? ""
        try await stack.delete()
        _ = try await provider.client.putObject(
            bucket: TestProvider.certificateBucket, key: key, body: Array("theirs".utf8),
            deadline: provider.clock.now.advanced(by: .seconds(60)))
        let again = try await stack.deliver(stack.event(.create))
        #expect(again.status == "FAILED")
        #expect(again.reason?.contains("was not written by this provider") == true)
        #expect(try await stack.delete(created.physicalResourceID).status == "FAILED")
        #expect(provider.s3.body(bucket: TestProvider.certificateBucket, key: key) == Array("theirs".utf8))
    }
}
