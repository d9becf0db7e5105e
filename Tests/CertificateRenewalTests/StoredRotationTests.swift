import AWSClient
import CertificateRenewal
import TestSupport
import Testing
import Timekeeping

/// A rotation parameter whose value is in Parameter Store.
@Suite struct StoredRotationTests {
    private static let name = "/stackcert/rotation/shop"
    private let scene = RenewalScene()

    private func shop(_ name: String = Self.name) async throws {
        var stack = RenewalScene.Stack(name: "shop")
        stack.storedParameters = ["CertificateRotation": name]
        scene.add(stack)
        scene.store(name, "1")
        try await scene.certify("shop")
    }

    private func outcome() async throws -> RenewalOutcome {
        let report = try await scene.run()
        #expect(report.lines.count == 1)
        return try #require(report.lines.first).outcome
    }

    @Test("The new value is put into the store, and the change set keeps all parameters")
    func renewal() async throws {
        try await shop()
        #expect(try await outcome().code == .started)
        let value = try #require(scene.stored(Self.name))
        #expect(value.hasPrefix("2026-") || value.hasPrefix("2027-"))
        #expect(scene.executions == [value])
        try await scene.complete("shop")
        scene.clock.advance(by: .seconds(3600))
        #expect(try await outcome().code == .renewed)
        #expect(scene.stored(Self.name) == value)
    }

    @Test("A parameter that has its value in the stack needs nothing of the store")
    func plain() async throws {
        scene.add(RenewalScene.Stack(name: "shop"))
        try await scene.certify("shop")
        #expect(try await outcome().code == .started)
        #expect(!scene.calls.contains("GetParameter"))
        #expect(!scene.calls.contains("PutParameter"))
    }

    @Test("When the change set is refused, the former value comes back")
    func foreignChanges() async throws {
        try await shop()
        scene.setChanges(
            "<member><ResourceChange><Action>Remove</Action><LogicalResourceId>Servers</LogicalResourceId>"
                + "<ResourceType>AWS::EC2::Instance</ResourceType></ResourceChange></member>")
        #expect(try await outcome().code == .foreignChanges)
        #expect(scene.calls.contains("PutParameter"))
        #expect(scene.stored(Self.name) == "1")
    }

    @Test("When the change set cannot be made, the former value comes back")
    func noChangeSet() async throws {
        try await shop()
        for _ in 0..<20 { scene.fail("CreateChangeSet", .refuse(400, "ValidationError", "No.")) }
        #expect(try await outcome().code == .failed)
        #expect(scene.stored(Self.name) == "1")
    }

    @Test("When the update was rolled back, the former value comes back, and the next try asks for the same one")
    func rolledBack() async throws {
        try await shop()
        #expect(try await outcome().code == .started)
        let value = scene.stored(Self.name)
        scene.change("shop") {
            $0.status = "UPDATE_ROLLBACK_COMPLETE"
            $0.parameters["CertificateRotation"] = "1"
        }
        scene.clock.advance(by: .seconds(3600))
        #expect(try await outcome().code == .rolledBack)
        #expect(scene.stored(Self.name) == "1")
        scene.clock.advance(by: .days(2))
        #expect(try await outcome().code == .started)
        #expect(scene.stored(Self.name) == value)
    }

    @Test("What somebody else has put there and not deployed yet stays, and rotates as well")
    func foreignValue() async throws {
        try await shop()
        scene.store(Self.name, "by-hand")
        #expect(try await outcome().code == .started)
        #expect(scene.stored(Self.name) == "by-hand")
        #expect(scene.executions == ["by-hand"])
    }

    @Test(
        "A name that renewal may not change is told, and nothing is begun",
        arguments: ["/shop/rotation", "\(name):3"])
    func elsewhere(_ name: String) async throws {
        try await shop(name)
        let outcome = try await outcome()
        #expect(outcome.code == .noParameter)
        #expect(outcome.line.contains("name one below /stackcert/rotation/"))
        #expect(!scene.calls.contains("CreateChangeSet"))
        #expect(scene.stored(name) == "1")
    }

    @Test("A store that refuses is told, and nothing is begun", arguments: ["GetParameter", "PutParameter"])
    func refused(_ call: String) async throws {
        try await shop()
        for _ in 0..<20 { scene.fail(call, .refuse(400, "AccessDeniedException", "No.")) }
        let outcome = try await outcome()
        #expect(outcome.code == .accessDenied)
        #expect(outcome.line.contains(call))
        #expect(!scene.calls.contains("CreateChangeSet"))
    }

    @Test(
        "A run that is killed between the store and the update is taken up again, and rotates once",
        arguments: ["GetParameter", "PutParameter", "CreateChangeSet", "ExecuteChangeSet"], [false, true])
    func killed(_ call: String, _ afterwards: Bool) async throws {
        try await shop()
        scene.fail(call, afterwards ? .killAfterwards : .kill)
        _ = try? await scene.run()
        for _ in 0..<3 {
            scene.clock.advance(by: .seconds(7200))
            if scene.stack("shop")?.status == "UPDATE_IN_PROGRESS" { try await scene.complete("shop") }
            _ = try await scene.run()
        }
        #expect(scene.executions.count == 1)
        #expect(scene.stored(Self.name) == scene.executions.first)
        #expect(scene.memories.isEmpty)
    }

    @Test("A value that a killed run left is taken back by a run that refuses the change set")
    func killedThenRefused() async throws {
        try await shop()
        scene.fail("CreateChangeSet", .kill)
        _ = try? await scene.run()
        #expect(scene.stored(Self.name) != "1")
        scene.setChanges(
            "<member><ResourceChange><Action>Remove</Action><LogicalResourceId>Servers</LogicalResourceId>"
                + "<ResourceType>AWS::EC2::Instance</ResourceType></ResourceChange></member>")
        scene.clock.advance(by: .seconds(7200))
        #expect(try await outcome().code == .foreignChanges)
        #expect(scene.stored(Self.name) == "1")
    }
}
