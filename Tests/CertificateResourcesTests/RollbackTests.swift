import CustomResource
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

/// What comes after an Update that succeeded, in a stack that failed later (case 7).
@Suite struct RollbackTests {
    private let changed = TestProvider.properties(["Rotation": "2", "KeyAlgorithm": "EC_P384"])

    @Test("An Update with the properties swapped back returns the first certificate byte for byte", .contract(7))
    func swapped() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let original = stack.properties
        let first = try await stack.create()
        let bundle = provider.s3.objects(bucket: TestProvider.certificateBucket)
        let second = try await stack.update(changed)
        let back = try await stack.update(original)
        #expect(back.status == "SUCCESS")
        #expect(back.physicalResourceID == first.physicalResourceID)
        #expect(back.lastingAttributes == first.lastingAttributes)
        #expect(back.data?.keys == first.data?.keys)
        // Servers that have changed over already stay trusted.
        #expect(back.data?["PreviousPublicKey"] == second.data?["PublicKey"])
        #expect(try await stack.delete(second.physicalResourceID, changed).status == "SUCCESS")
        #expect(provider.s3.objects(bucket: TestProvider.certificateBucket) == bundle)
        // And the next Update of something else still says so.
        let later = try await stack.update(original.merging(["RotationParameter": "Other"]) { $1 })
        #expect(later.data == back.data)
    }

    @Test("The Delete of the new id alone leaves the first certificate as it was", .contract(7))
    func deleteOnly() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.create()
        let before = provider.s3.objects(bucket: TestProvider.certificateBucket)
        let update = stack.event(.update, changed)
        let second = try await stack.deliver(update)
        #expect(try await stack.delete(second.physicalResourceID, changed).status == "SUCCESS")
        #expect(provider.s3.objects(bucket: TestProvider.certificateBucket) == before)
        // CloudFormation goes on with the first id.
        let later = try await stack.update(TestProvider.properties(["RotationParameter": "Other"]))
        #expect(later.physicalResourceID == first.physicalResourceID)
        #expect(later.data == first.data)
    }

    @Test("A repeated rollback, and a late delivery of what was rolled back, change nothing", .contract(7))
    func repeated() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let original = stack.properties
        try await stack.create()
        let update = stack.event(.update, changed)
        let second = try await stack.deliver(update)
        let rollback = stack.event(.update, original, old: changed, id: second.physicalResourceID)
        let back = try await stack.deliver(rollback)
        #expect(try await stack.deliver(rollback) == back)
        #expect(try await stack.delete(second.physicalResourceID, changed).status == "SUCCESS")
        let kept = provider.bundleKeys
        #expect(try await stack.deliver(update).status == "FAILED")
        #expect(provider.bundleKeys == kept)
        let repeated = try await stack.deliver(rollback)
        #expect(repeated == back)
    }

    @Test("After a compromise a rollback does not trust the key that it leaves", .contract(7))
    func distrust() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider, properties: TestProvider.properties(["TrustPrevious": "false"]))
        let original = stack.properties
        let first = try await stack.create()
        let second = try await stack.update(TestProvider.properties(["TrustPrevious": "false", "Rotation": "2"]))
        let back = try await stack.update(original)
        #expect(back.data == first.data)
        #expect(back.data?["PreviousPublicKey"] != second.data?["PublicKey"])
    }

    @Test("A rotation to what was there before, after it was deleted, makes a key of its own", .contract(6))
    func thereAndBack() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let original = stack.properties
        let first = try await stack.create()
        let second = try await stack.update(changed)
        try await stack.delete(first.physicalResourceID)
        let third = try await stack.update(original)
        #expect(third.status == "SUCCESS")
        #expect(third.physicalResourceID == first.physicalResourceID)
        #expect(third.data?["PublicKey"] != first.data?["PublicKey"])
        #expect(third.data?["PreviousPublicKey"] == second.data?["PublicKey"])
    }
}
