import CustomResource
import HTTPTypes
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

/// CloudFormation may delete what is still being made, under an id that it made up (case 3).
@Suite struct CancelledCreateTests {
    @Test("A Create that is deleted while it runs removes what it wrote, and an honest retry succeeds", .contract(3))
    func cancelled() async throws {
        let gate = AnswerGate { $0.method == .put && $0.path?.hasPrefix("/backend-certificate/") == true }
        let provider = try TestProvider(interposed: gate.before)
        var stack = ScriptedStack(provider)
        let create = stack.event(.create)
        async let creating = provider.deliver(create)
        await gate.isHolding()
        #expect(provider.bundleKeys.count == 1)

        var delete = create
        delete.requestType = "Delete"
        delete.requestID = "cancel"
        delete.physicalResourceID = "shop-ElbBackendCertificate-1A2B3C4D"
        delete.issuedAt = create.issuedAt.advanced(by: .seconds(2))
        provider.clock.advance(by: .seconds(2))
        let deleted = try await stack.deliver(delete)
        #expect(deleted.status == "SUCCESS")
        #expect(deleted.physicalResourceID == "shop-ElbBackendCertificate-1A2B3C4D")
        #expect(provider.leftovers == [])

        // The Create goes on with nothing in its way but the tombstone.
        gate.open()
        #expect(try await creating == .failed)
        #expect(provider.leftovers == [])

        #expect(try await stack.create().status == "SUCCESS")
        #expect(provider.bundleKeys.count == 1)
    }

    @Test("A Create that is delivered again after its Delete brings nothing back", .contract(3))
    func redelivered() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let create = stack.event(.create)
        _ = try await stack.deliver(create)
        #expect(try await stack.delete("invented-id").status == "SUCCESS")
        #expect(provider.leftovers == [])
        let late = try await stack.deliver(create)
        #expect(late.status == "FAILED")
        #expect(late.reason?.contains("deleted this certificate while it was being made") == true)
        #expect(provider.leftovers == [])
    }

    @Test("A retry with the same properties makes a key that the old Delete does not take away", .contract(3))
    func lateDelete() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        try await stack.create()
        let delete = stack.event(.delete, id: "invented-id")
        _ = try await stack.deliver(delete)
        let retry = try await stack.create()
        #expect(retry.status == "SUCCESS")
        let late = try await stack.deliver(delete)
        #expect(late.status == "SUCCESS")
        #expect(provider.bundleKeys == [retry.data?["CertificateS3Key"]])
        #expect(provider.logText.contains("late delete ignored"))
    }

    @Test("An old Delete leaves a newer bundle alone although its record is not written yet", .contract(3))
    func lateDeleteWithoutRecord() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let delete = stack.event(.delete, id: "invented-id")
        provider.s3.onOperation { $0.name == "PutObject" && $0.key.hasPrefix("records/") ? .answer(403) : nil }
        _ = try await stack.deliver(stack.event(.create))
        provider.s3.onOperation(nil)
        #expect(provider.bundleKeys.count == 1)
        _ = try await stack.deliver(delete)
        #expect(provider.bundleKeys.count == 1)
    }

    @Test("A Delete with an invented id and properties that cannot be read has nothing to remove", .contract(3, 12))
    func unreadable() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let reply = try await stack.delete("invented-id", ["AppName": "*", "Nonsense": "x"])
        #expect(reply.status == "SUCCESS")
        #expect(provider.s3.operations.isEmpty)
    }

    @Test("A tombstone is forgotten after half an hour", .contract(3))
    func forgotten() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let create = stack.event(.create)
        #expect(try await stack.delete("invented-id").status == "SUCCESS")
        #expect(try await stack.deliver(create).status == "FAILED")
        provider.clock.advance(by: .seconds(31 * 60))
        #expect(try await stack.deliver(create).status == "SUCCESS")
    }
}
