import AWSClient
import CustomResource
import ProviderTestSupport
import TestSupport
import Testing

@Suite struct ExpressModeTests {
    /// A stack that was rotated once: its first certificate, which CloudFormation is about to have deleted.
    private func rotated() async throws -> (stack: ScriptedStack, old: String) {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let created = try await stack.create()
        try await stack.update(TestProvider.properties(["Rotation": "2"]))
        return (stack, created.physicalResourceID)
    }

    @Test("In express mode an update's clean-up keeps the old key, and says so", .contract(35))
    func express() async throws {
        for status in ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE", "UPDATE_FAILED"]
        {
            var (stack, old) = try await rotated()
            stack.provider.deployments.say(status: status, mode: "EXPRESS")
            let reply = try await stack.delete(old)
            #expect(reply.status == "SUCCESS" && reply.physicalResourceID == old)
            #expect(stack.provider.bundleKeys.count == 2)
            #expect(stack.provider.logText.contains("private key kept"))
        }
    }

    @Test("A failed express update is taken back to the key that servers have", .contract(35, 7))
    func back() async throws {
        var (stack, old) = try await rotated()
        let before = stack.provider.s3.objects(bucket: TestProvider.certificateBucket)
        stack.provider.deployments.say(status: "UPDATE_COMPLETE", mode: "EXPRESS")
        try await stack.delete(old)
        let returned = try await stack.update(TestProvider.properties())
        #expect(returned.status == "SUCCESS" && returned.physicalResourceID == old)
        #expect(stack.provider.s3.objects(bucket: TestProvider.certificateBucket) == before)
    }

    @Test("In standard mode, and where CloudFormation names none, the old key goes", .contract(35))
    func standard() async throws {
        for mode in ["STANDARD", nil] {
            var (stack, old) = try await rotated()
            stack.provider.deployments.say(status: "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", mode: mode)
            #expect(try await stack.delete(old).status == "SUCCESS")
            #expect(stack.provider.bundleKeys.count == 1)
        }
    }

    @Test("With its stack a key goes in express mode too", .contract(35))
    func wholeStack() async throws {
        for status in ["DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"] {
            var (stack, old) = try await rotated()
            stack.provider.deployments.say(status: status, mode: "EXPRESS")
            #expect(try await stack.delete(old).status == "SUCCESS")
            #expect(try await stack.delete().status == "SUCCESS")
            #expect(stack.provider.leftovers == [])
        }
    }

    @Test("Where CloudFormation does not answer, a key that was replaced stays and the last one goes", .contract(35))
    func unanswered() async throws {
        for code in [AWSError.Code.accessDenied, .timedOut] {
            var (stack, old) = try await rotated()
            stack.provider.deployments.refuse(AWSError(code, "No."))
            #expect(try await stack.delete(old).status == "SUCCESS")
            #expect(stack.provider.bundleKeys.count == 2)
            // The stack is deleted.
            #expect(try await stack.delete().status == "SUCCESS")
            #expect(stack.provider.bundleKeys.count == 1)
        }
    }

    @Test("A resource that moved to another stack takes nothing of the certificate, and deletes nothing", .contract(36))
    func refactored() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        try await stack.create()
        let before = provider.s3.objects(bucket: TestProvider.certificateBucket)
        for type in [CustomResourceRequest.RequestType.update, .delete] {
            var moved = stack.event(type)
            moved.stackID = moved.stackID.replacing("shop/6f0c7a10", with: "new/7f0c7a10")
            let reply = try await stack.deliver(moved)
            #expect(reply.status == "FAILED" && reply.physicalResourceID == stack.physicalResourceID)
            #expect(reply.reason?.contains("left alone") == true)
            #expect(reply.reason?.contains("refactoring") == true)
            #expect(provider.s3.objects(bucket: TestProvider.certificateBucket) == before)
        }
    }
}
