import CustomResource
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

/// One fault at every step of every request: whatever happens there is one answer, and what CloudFormation does next
/// leads back to order.
@Suite struct FaultTests {
    private static let faults: [InMemoryS3.Fault] = [
        .answer(403), .answer(409), .answer(412), .answer(500), .answer(503), .reset, .loseAnswer, .hang,
        .hangAfterwards,
    ]

    private let first = TestProvider.properties(["StableS3Key": "true"])
    private let second = TestProvider.properties(["StableS3Key": "true", "Rotation": "2"])

    /// Delivers an event with a fault at one step of it. False when the event has not so many steps.
    private func deliver(
        _ event: StackEvent, to stack: ScriptedStack, fault: InMemoryS3.Fault, step: Int, again: Bool
    ) async throws -> ReplyInbox.Reply? {
        let provider = stack.provider
        provider.s3.forgetOperations()
        provider.s3.onOperation { operation in
            operation.ordinal == step || (again && operation.ordinal > step) ? fault : nil
        }
        let reply = try await stack.deliver(event, timeout: .seconds(100))
        provider.s3.onOperation(nil)
        return provider.s3.operations.count >= step ? reply : nil
    }

    private func forEachStep(
        of fault: InMemoryS3.Fault, _ body: (_ step: Int, _ again: Bool) async throws -> Bool
    ) async throws -> Int {
        var steps = 0
        // Some faults stay: a permission that is missing, a peer that is gone.
        for again in fault == .answer(403) || fault == .hang ? [false, true] : [false] {
            var step = 1
            while try await body(step, again), step < 60 { step += 1 }
            steps = step - 1
        }
        return steps
    }

    @Test("A Create with a fault at any step leaves what its answer says", .contract(1, 2, 3), arguments: faults)
    func create(fault: InMemoryS3.Fault) async throws {
        let steps = try await forEachStep(of: fault) { step, again in
            let provider = try TestProvider()
            var stack = ScriptedStack(provider, properties: first)
            let event = stack.event(.create)
            guard let reply = try await deliver(event, to: stack, fault: fault, step: step, again: again) else {
                return false
            }
            if reply.status == "SUCCESS" {
                #expect(try provider.publicKey(in: TestProvider.certificateBucket) == reply.data?["PublicKey"])
            } else if reply.physicalResourceID.hasPrefix("stackcert-nothing-stored-") {
                #expect(provider.bundleKeys == [], "step \(step)")
            }
            #expect(try await stack.delete(reply.physicalResourceID).status == "SUCCESS")
            #expect(provider.leftovers == [], "step \(step)")
            #expect(try await stack.create().status == "SUCCESS")
            return true
        }
        #expect(steps > 5)
    }

    @Test("An Update with a fault at any step can be rolled back or gone on with", .contract(7, 8), arguments: faults)
    func update(fault: InMemoryS3.Fault) async throws {
        let steps = try await forEachStep(of: fault) { step, again in
            let provider = try TestProvider()
            var stack = ScriptedStack(provider, properties: first)
            let created = try await stack.create()
            let event = stack.event(.update, second)
            guard let reply = try await deliver(event, to: stack, fault: fault, step: step, again: again) else {
                return false
            }
            if reply.status == "SUCCESS" {
                #expect(try await stack.delete(created.physicalResourceID).status == "SUCCESS")
                #expect(try provider.publicKey(in: TestProvider.certificateBucket) == reply.data?["PublicKey"])
                #expect(provider.bundleKeys.contains(reply.data?["CertificateS3Key"] ?? ""), "step \(step)")
            } else {
                #expect(reply.physicalResourceID == created.physicalResourceID)
                let back = try await stack.deliver(stack.event(.update, first, old: second))
                #expect(back.status == "SUCCESS")
                #expect(back.physicalResourceID == created.physicalResourceID)
                #expect(back.data == created.data, "step \(step)")
                #expect(try provider.publicKey(in: TestProvider.certificateBucket) == created.data?["PublicKey"])
            }
            #expect(provider.bundleKeys.count == 2, "step \(step)")
            // A copy that was written, and written again because nobody said so, has two versions of one key.
            #expect(
                (2...3).contains(provider.s3.versions(bucket: TestProvider.certificateBucket).count), "step \(step)")
            return true
        }
        #expect(steps > 8)
    }

    @Test("A Delete with a fault at any step can be repeated until nothing is left", .contract(10), arguments: faults)
    func delete(fault: InMemoryS3.Fault) async throws {
        let steps = try await forEachStep(of: fault) { step, again in
            let provider = try TestProvider()
            var stack = ScriptedStack(provider, properties: first)
            try await stack.create()
            let event = stack.event(.delete)
            guard let reply = try await deliver(event, to: stack, fault: fault, step: step, again: again) else {
                return false
            }
            if reply.status == "SUCCESS" { #expect(provider.leftovers == [], "step \(step)") }
            #expect(try await stack.delete().status == "SUCCESS")
            #expect(provider.leftovers == [], "step \(step)")
            return true
        }
        #expect(steps > 8)
    }
}
