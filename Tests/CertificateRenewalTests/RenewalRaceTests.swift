import CertificateRenewal
import TestSupport
import Testing
import Timekeeping

/// Somebody else works on a stack while a run does.
@Suite struct RenewalRaceTests {
    private let scene = RenewalScene()

    private func shop() async throws {
        scene.add(RenewalScene.Stack(name: "shop"))
        try await scene.certify("shop")
    }

    private func onlyOutcome() async throws -> RenewalOutcome {
        let report = try await scene.run()
        #expect(report.lines.count == 1)
        return try #require(report.lines.first).outcome
    }

    @Test(
        "A person's rotation that ends after the markers were listed is kept, and the stack is not rotated again",
        .contract(33))
    func rotatedBeforeTheStart() async throws {
        try await shop()
        let scene = scene
        scene.before("DescribeStacks") { try await scene.rotate("shop", to: "by-hand") }
        #expect(try await onlyOutcome().code == .renewed)
        #expect(!scene.calls.contains("CreateChangeSet"))
        #expect(scene.executions.isEmpty)
        #expect(scene.stack("shop")?.parameters["CertificateRotation"] == "by-hand")
        #expect(scene.memories.isEmpty)
        scene.clock.advance(by: .seconds(3600))
        #expect(try await scene.run().lines.isEmpty)
    }

    @Test(
        "A person's rotation that ends while the change set is being made is kept as well",
        .contract(33), arguments: ["CreateChangeSet", "DescribeChangeSet"])
    func rotatedDuringTheStart(_ call: String) async throws {
        try await shop()
        let scene = scene
        scene.before(call) { try await scene.rotate("shop", to: "by-hand") }
        _ = try await scene.run()
        scene.clock.advance(by: .seconds(3600))
        _ = try await scene.run()
        #expect(scene.executions.isEmpty)
        #expect(scene.stack("shop")?.parameters["CertificateRotation"] == "by-hand")
    }

    @Test("A generation that the stack names is renewed although another one was claimed later")
    func deadClaim() async throws {
        try await shop()
        let (address, _) = try scene.address("shop", rotation: "1")
        try await scene.certify("shop", rotation: "failed", age: .days(1))
        #expect(try await onlyOutcome().code == .renewed)
        scene.change("shop") { $0.resources["Certificate"] = RenewalScene.physicalID(address) }
        scene.clock.advance(by: .seconds(3600))
        #expect(try await onlyOutcome().code == .started)
    }

    @Test(
        "A change set that was never executed and is obsolete or deleted by now is made anew",
        arguments: [true, false])
    func change(_ isDeleted: Bool) async throws {
        try await shop()
        scene.fail("ExecuteChangeSet", .kill)
        _ = try? await scene.run()
        if isDeleted { scene.removeChangeSets() } else { scene.markChangeSets("OBSOLETE") }
        scene.clock.advance(by: .seconds(3600))
        #expect(try await onlyOutcome().code == .started)
        #expect(scene.executions.count == 1)
    }

    @Test("A change set that is gone after an update of the stack was not left unexecuted")
    func executedAndGone() async throws {
        try await shop()
        _ = try await scene.run()
        scene.removeChangeSets()
        let timestamp = scene.clock.now.iso8601
        scene.change("shop") {
            $0.status = "UPDATE_ROLLBACK_COMPLETE"
            $0.events =
                "<member><LogicalResourceId>shop</LogicalResourceId><ResourceType>AWS::CloudFormation::Stack"
                + "</ResourceType><ResourceStatus>UPDATE_IN_PROGRESS</ResourceStatus><Timestamp>\(timestamp)"
                + "</Timestamp></member>"
        }
        scene.clock.advance(by: .seconds(3600))
        #expect(try await onlyOutcome().code == .rolledBack)
    }

    @Test("A busy stack is tried again every hour, and is a failure that is told after six hours")
    func busy() async throws {
        try await shop()
        scene.change("shop") { $0.status = "UPDATE_IN_PROGRESS" }
        for _ in 0..<6 {
            let line = try #require(try await scene.run().lines.first)
            #expect(line.outcome.code == .stackBusy)
            #expect(!line.outcome.isFailure && !line.isNews)
            scene.clock.advance(by: .seconds(3600))
        }
        let report = try await scene.run()
        #expect(report.failed == 1)
        #expect(report.lines.first?.isNews == true)
    }
}
