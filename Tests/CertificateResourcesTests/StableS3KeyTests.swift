import AWSClient
import CustomResource
import ProviderTestSupport
import Synchronization
import TestSupport
import Testing
import Timekeeping

/// The copy of the current bundle at `backend-certificate-<AppName>.json`.
@Suite struct StableS3KeyTests {
    private static let bucket = TestProvider.certificateBucket
    private let first = TestProvider.properties(["StableS3Key": "true"])
    private let second = TestProvider.properties(["StableS3Key": "true", "Rotation": "2"])

    @Test("The copy is the current bundle, through rotation, rollback and deletion", .contract(7))
    func lifecycle() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider, properties: first)
        let created = try await stack.create()
        #expect(try provider.publicKey(in: Self.bucket) == created.data?["PublicKey"])
        let rotated = try await stack.update(second)
        #expect(try provider.publicKey(in: Self.bucket) == rotated.data?["PublicKey"])
        let back = try await stack.update(first)
        #expect(back.lastingAttributes == created.lastingAttributes)
        #expect(try provider.publicKey(in: Self.bucket) == created.data?["PublicKey"])
        #expect(try await stack.delete(rotated.physicalResourceID, second).status == "SUCCESS")
        #expect(try provider.publicKey(in: Self.bucket) == created.data?["PublicKey"])
        #expect(try await stack.delete().status == "SUCCESS")
        #expect(provider.leftovers == [])
    }

    @Test("After a rotation the Delete of the old certificate leaves the new copy, and no old version of it")
    func cleanup() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider, properties: first)
        let created = try await stack.create()
        let rotated = try await stack.update(second)
        #expect(try await stack.delete(created.physicalResourceID, first).status == "SUCCESS")
        #expect(try provider.publicKey(in: Self.bucket) == rotated.data?["PublicKey"])
        #expect(provider.s3.versions(bucket: Self.bucket).count == 2)
    }

    @Test("A late delivery of an earlier Update does not take the current copy away", .contract(4))
    func lateDelivery() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider, properties: first)
        try await stack.create()
        let noChange = stack.event(.update, first.merging(["RotationParameter": "Other"]) { $1 })
        _ = try await stack.deliver(noChange)
        let rotated = try await stack.update(second)
        _ = try await stack.deliver(noChange)
        #expect(try provider.publicKey(in: Self.bucket) == rotated.data?["PublicKey"])
    }

    @Test("A bundle whose write was carried out but not answered still gets its copy", .contract(4))
    func lostAnswer() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider, properties: first)
        let isLost = Mutex(false)
        provider.s3.onOperation { operation in
            guard operation.name == "PutObject", operation.key.hasPrefix("backend-certificate/") else { return nil }
            return isLost.withLock { lost in
                defer { lost = true }
                return lost ? nil : .loseAnswer
            }
        }
        let created = try await stack.create()
        #expect(created.status == "SUCCESS")
        #expect(try provider.publicKey(in: Self.bucket) == created.data?["PublicKey"])
    }

    @Test("A delivery that ended after the bundle was written has its copy all the same", .contract(8))
    func endedAfterBundle() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider, properties: first)
        let created = try await stack.create()
        let update = stack.event(.update, second)
        let isWritten = Mark()
        provider.s3.onOperation { operation in
            if operation.name == "PutObject", operation.key.hasPrefix("backend-certificate/") {
                isWritten.set()
                return nil
            }
            return isWritten.isSet ? .answer(403) : nil
        }
        #expect(try await stack.deliver(update).status == "FAILED")
        provider.s3.onOperation(nil)
        let again = try await stack.deliver(update)
        #expect(again.status == "SUCCESS")
        #expect(try provider.publicKey(in: Self.bucket) == again.data?["PublicKey"])
        // CloudFormation went by the first answer; the rollback removes what was written.
        let back = try await stack.deliver(stack.event(.update, first, old: second))
        #expect(back.data == created.data)
        #expect(try provider.publicKey(in: Self.bucket) == created.data?["PublicKey"])
        #expect(provider.s3.versions(bucket: Self.bucket).count == 2)
    }

    @Test("Switching the copy on for a certificate without one is told in the log, and the next rotation makes one")
    func switchedOn() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let created = try await stack.create()
        let updated = try await stack.update(first)
        #expect(updated.status == "SUCCESS")
        #expect(updated.data == created.data)
        #expect(provider.logText.contains("no stable copy of this certificate"))
        let rotated = try await stack.update(second)
        #expect(try provider.publicKey(in: Self.bucket) == rotated.data?["PublicKey"])
        // Rolled back, the template does not ask for a copy any more; the copy goes with its certificate.
        _ = try await stack.update(TestProvider.properties())
        #expect(try await stack.delete(rotated.physicalResourceID, second).status == "SUCCESS")
        #expect(provider.bundleKeys == [created.data?["CertificateS3Key"]])
    }

    @Test("The stable key of another stack, or of somebody else, is not taken")
    func occupied() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider, properties: first)
        let created = try await stack.create()
        var other = stack.event(.create, first)
        other.stackID = other.stackID.replacing("6f0c7a10", with: "7f0c7a10")
        let refused = try await stack.deliver(other)
        #expect(refused.status == "FAILED")
        #expect(refused.reason?.contains("which another stack uses") == true)
        #expect(refused.physicalResourceID.hasPrefix("stackcert-nothing-stored-"))
        #expect(try provider.publicKey(in: Self.bucket) == created.data?["PublicKey"])

        let unmarked = try TestProvider()
        let key = try await unmarked.putSystemABundle(in: Self.bucket)
        var newcomer = ScriptedStack(unmarked, properties: first)
        #expect(try await newcomer.create().status == "FAILED")
        #expect(try unmarked.publicKey(in: Self.bucket) == key)
    }

    @Test("The provider's default holds for templates that do not say", arguments: [true, false])
    func providerDefault(stable: Bool) async throws {
        let provider = try TestProvider(stableS3Key: stable)
        var stack = ScriptedStack(provider)
        let created = try await stack.create()
        #expect(try provider.publicKey(in: Self.bucket) == (stable ? created.data?["PublicKey"] : nil))
        let other = try TestProvider(stableS3Key: stable)
        var decided = ScriptedStack(
            other, properties: TestProvider.properties(["StableS3Key": stable ? "false" : "true"]))
        let opposite = try await decided.create()
        #expect(try other.publicKey(in: Self.bucket) == (stable ? nil : opposite.data?["PublicKey"]))
    }
}
