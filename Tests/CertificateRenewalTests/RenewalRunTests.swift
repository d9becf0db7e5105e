import CertificateRenewal
import TestSupport
import Testing
import Timekeeping

/// A scheduled run finds what is due, starts updates and looks how they went.
@Suite struct RenewalRunTests {
    private let scene = RenewalScene()
    private let shop = RenewalScene.Stack(name: "shop")

    private func onlyLine(_ report: RenewalReport) throws -> RenewalReport.Line {
        #expect(report.lines.count == 1)
        return try #require(report.lines.first)
    }

    @Test("What is due is renewed: started in one run, verified in the next, forgotten then")
    func renewal() async throws {
        scene.add(shop)
        try await scene.certify("shop")
        #expect(try onlyLine(await scene.run()).outcome.code == .started)
        #expect(scene.executions.count == 1)
        let rotation = try #require(scene.stack("shop")?.parameters["CertificateRotation"])
        #expect(rotation != "1")

        // Still at it an hour later.
        scene.clock.advance(by: .seconds(3600))
        #expect(try onlyLine(await scene.run()).outcome.code == .underWay)

        try await scene.complete("shop")
        scene.clock.advance(by: .seconds(3600))
        let last = try await scene.run()
        #expect(try onlyLine(last).outcome.code == .renewed)
        // The certificate that is about to expire is nobody's any more.
        #expect(last.nearestExpiry == nil)
        #expect(scene.memories.isEmpty)
        #expect(scene.executions.count == 1)

        // And nothing more is due.
        scene.clock.advance(by: .seconds(3600))
        let quiet = try await scene.run()
        #expect(quiet.due == 0)
        #expect(quiet.lines.isEmpty)
    }

    @Test("What is not due is left alone, and costs four listings")
    func notDue() async throws {
        scene.add(shop)
        try await scene.certify("shop", age: .days(20))
        let before = scene.s3.operations.count
        let report = try await scene.run()
        #expect(report.due == 0)
        #expect(scene.calls.isEmpty)
        // What is due, what is under way, what was taken back, and what was renewed lately.
        let lists = Array(repeating: "ListObjectsV2", count: 4)
        #expect(scene.s3.operations.dropFirst(before).map(\.name) == lists)
    }

    @Test("A marker that points at nothing is removed")
    func orphanedMarker() async throws {
        try await scene.certify("shop")
        let marker = try #require(scene.markers.first)
        for key in scene.s3.objects(bucket: "state").keys where key.hasPrefix("records/") {
            try await scene.delete(key)
        }
        let report = try await scene.run()
        #expect(report.lines.isEmpty)
        #expect(!scene.markers.contains(marker))
        #expect(scene.calls.isEmpty)
    }

    @Test(
        "A stack that cannot be updated is left alone, with its own outcome and what to do",
        arguments: [
            ("ROLLBACK_COMPLETE", RenewalOutcome.Code.unfitStatus, "can only be deleted"),
            ("CREATE_FAILED", .unfitStatus, "can only be deleted"),
            ("UPDATE_ROLLBACK_FAILED", .unfitStatus, "continue-update-rollback --stack-name shop"),
            ("UPDATE_FAILED", .unfitStatus, "rollback-stack --stack-name shop"),
            ("IMPORT_IN_PROGRESS", .importing, "end the import"),
            ("IMPORT_ROLLBACK_FAILED", .importing, "end the import"),
            ("REVIEW_IN_PROGRESS", .inReview, "execute or delete the change set"),
        ])
    func status(_ status: String, _ code: RenewalOutcome.Code, _ words: String) async throws {
        var stack = shop
        stack.status = status
        scene.add(stack)
        try await scene.certify("shop")
        let line = try onlyLine(await scene.run())
        #expect(line.outcome.code == code)
        #expect(line.outcome.line.contains(words))
        #expect(line.isNews)
        #expect(!scene.calls.contains("CreateChangeSet"))
        #expect(scene.markers.count == 1)
    }

    @Test(
        "States in which a stack can be updated are no obstacle",
        arguments: [
            "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE",
            "IMPORT_ROLLBACK_COMPLETE",
        ])
    func updatable(_ status: String) async throws {
        var stack = shop
        stack.status = status
        scene.add(stack)
        try await scene.certify("shop")
        #expect(try onlyLine(await scene.run()).outcome.code == .started)
    }

    @Test("A stack that is gone is forgotten, and so is what was due in it")
    func deleted() async throws {
        try await scene.certify("shop")
        #expect(try onlyLine(await scene.run()).outcome.code == .stackDeleted)
        #expect(scene.markers.isEmpty)
        #expect(scene.memories.isEmpty)
    }

    @Test("A stack without a service role is refused before anything is started, with the command that attaches one")
    func noRole() async throws {
        var stack = shop
        stack.roleARN = nil
        scene.add(stack)
        try await scene.certify("shop")
        let line = try onlyLine(await scene.run())
        #expect(line.outcome.code == .noRole)
        #expect(
            line.outcome.line.contains(
                "aws cloudformation update-stack --stack-name shop --use-previous-template --role-arn"))
        #expect(!scene.calls.contains("CreateChangeSet"))
    }

    @Test("A stack without the rotation parameter is told which one is missing")
    func noParameter() async throws {
        var stack = shop
        stack.parameters = ["Domain": "shop.example.com"]
        scene.add(stack)
        try await scene.certify("shop")
        let line = try onlyLine(await scene.run())
        #expect(line.outcome.code == .noParameter)
        #expect(line.outcome.line.contains("has no parameter CertificateRotation"))
    }

    @Test("The tag stackcert:renew=off is honoured, and is no failure")
    func switchedOff() async throws {
        var stack = shop
        stack.tags = ["stackcert:renew": "off"]
        scene.add(stack)
        try await scene.certify("shop")
        let line = try onlyLine(await scene.run())
        #expect(line.outcome.code == .switchedOff)
        #expect(!line.outcome.isFailure)
        scene.change("shop") { $0.tags = [:] }
        scene.clock.advance(by: .seconds(3600))
        #expect(try onlyLine(await scene.run()).outcome.code == .started)
    }

    @Test("A stack set's instance is left to its stack set")
    func stackSet() async throws {
        scene.add(RenewalScene.Stack(name: "StackSet-shops-1"))
        try await scene.certify("StackSet-shops-1")
        #expect(try onlyLine(await scene.run()).outcome.code == .ownedByStackSet)
    }

    @Test("Outside the window nothing is begun, unless hardly any lifetime is left")
    func window() async throws {
        scene.add(shop)
        try await scene.certify("shop")
        // The clock starts at 08:00 UTC.
        let window = try RenewalWindow("02:00-03:00")
        #expect(try onlyLine(await scene.run(window: window)).outcome.code == .outsideWindow)
        scene.clock.advance(by: .days(7))
        #expect(try onlyLine(await scene.run(window: window)).outcome.code == .started)
    }

    @Test("A rotation waits for every server that was heard of within a day and serves another generation")
    func serversBehind() async throws {
        scene.add(shop)
        try await scene.certify("shop")
        try await scene.acknowledge("i-1", of: "shop", rotation: "1")
        try await scene.acknowledge("i-2", of: "shop", rotation: "0")
        let line = try onlyLine(await scene.run())
        #expect(line.outcome.code == .serversBehind)
        #expect(line.outcome.isFailure)
        #expect(line.outcome.line.hasPrefix("Server i-2 of stack shop does not serve the current certificate yet"))
        #expect(!scene.calls.contains("CreateChangeSet"))
        try await scene.acknowledge("i-2", of: "shop", rotation: "1")
        scene.clock.advance(by: .seconds(60))
        #expect(try onlyLine(await scene.run()).outcome.code == .started)
    }

    @Test("A server that was not heard of for a day is taken to be gone")
    func serverGone() async throws {
        scene.add(shop)
        try await scene.certify("shop")
        try await scene.acknowledge("i-2", of: "shop", rotation: "0")
        scene.clock.advance(by: .seconds(23 * 3600))
        #expect(try onlyLine(await scene.run()).outcome.code == .serversBehind)
        scene.clock.advance(by: .seconds(3600))
        #expect(try onlyLine(await scene.run()).outcome.code == .started)
    }

    @Test("A stack of another account is renewed with the keys of a role there")
    func otherAccount() async throws {
        scene.add(RenewalScene.Stack(name: "abroad"))
        try await scene.certify("abroad")
        #expect(try onlyLine(await scene.run(roleElsewhere: "stackcert-renewal")).outcome.code == .started)
        #expect(scene.assumedRoles == ["arn:aws:iam::999988887777:role/stackcert-renewal"])
        #expect(scene.signers == ["ASIAABROAD"])
    }

    @Test("No role is assumed for a stack of the own account")
    func ownAccount() async throws {
        scene.add(shop)
        try await scene.certify("shop")
        #expect(try onlyLine(await scene.run(roleElsewhere: "stackcert-renewal")).outcome.code == .started)
        #expect(scene.assumedRoles.isEmpty)
        #expect(scene.signers == ["AKIDEXAMPLE"])
    }

    @Test("An account without the role is named, with the template that makes it")
    func noRoleElsewhere() async throws {
        scene.add(RenewalScene.Stack(name: "abroad"))
        try await scene.certify("abroad")
        scene.distrust()
        let line = try onlyLine(await scene.run(roleElsewhere: "stackcert-renewal"))
        #expect(line.outcome.code == .accessDenied)
        #expect(line.outcome.line.contains("account 999988887777: install templates/renewal-role.yml there"))
    }

    @Test("A change of somebody else's is never deployed: a person is told what it is")
    func foreignChange() async throws {
        scene.add(shop)
        try await scene.certify("shop")
        scene.setChanges(RenewalScene.rotationChange + RenewalScene.foreignChange)
        let line = try onlyLine(await scene.run())
        #expect(line.outcome.code == .foreignChanges)
        #expect(
            line.outcome.line.contains(
                "Servers (AWS::AutoScaling::AutoScalingGroup): Modify Properties.MinSize by DirectModification"))
        #expect(scene.executions.isEmpty)
        // The change set is not left lying about for somebody to execute.
        #expect(scene.calls.contains("DeleteChangeSet"))
    }

    @Test(
        "A change set that waits to be executed keeps renewal from the stack until a twentieth of the lifetime is left")
    func othersChangeSet() async throws {
        scene.add(shop)
        try await scene.certify("shop")
        scene.addChangeSet("pipeline", of: "shop")
        let line = try onlyLine(await scene.run())
        #expect(line.outcome.code == .stackBusy)
        #expect(
            line.outcome.line.contains(
                "aws cloudformation delete-change-set --stack-name shop --change-set-name pipeline"))
        #expect(scene.executions.isEmpty)
        scene.clock.advance(by: .seconds(86_400 * 120))
        #expect(try onlyLine(await scene.run()).outcome.code == .started)
    }

    @Test("A parameter that reaches no certificate is told so")
    func nothingToChange() async throws {
        scene.add(shop)
        try await scene.certify("shop")
        _ = try await scene.run()
        // The stack took the value, and its certificate stayed.
        scene.change("shop") { $0.status = "UPDATE_COMPLETE" }
        scene.clock.advance(by: .seconds(3600))
        #expect(try onlyLine(await scene.run()).outcome.code == .notRotated)
        scene.clock.advance(by: .days(2))
        let line = try onlyLine(await scene.run())
        #expect(line.outcome.code == .nothingToChange)
        #expect(line.outcome.line.contains("Rotation property of Certificate"))
    }

    @Test("An update that was rolled back is told at once with its cause, and repeated a day later at the earliest")
    func rolledBack() async throws {
        scene.add(shop)
        try await scene.certify("shop")
        _ = try await scene.run()
        scene.change("shop") { stack in
            stack.status = "UPDATE_ROLLBACK_COMPLETE"
            stack.parameters["CertificateRotation"] = "1"
            stack.events =
                "<member><LogicalResourceId>shop</LogicalResourceId><ResourceType>AWS::CloudFormation::Stack</ResourceType>"
                + "<ResourceStatus>UPDATE_ROLLBACK_COMPLETE</ResourceStatus></member>"
                + "<member><LogicalResourceId>Servers</LogicalResourceId><ResourceStatus>UPDATE_FAILED</ResourceStatus>"
                + "<ResourceStatusReason>Received 0 SUCCESS signal(s) out of 1.</ResourceStatusReason></member>"
        }
        scene.clock.advance(by: .seconds(3600))
        let line = try onlyLine(await scene.run())
        #expect(line.outcome.code == .rolledBack)
        #expect(line.outcome.line.contains("Servers: Received 0 SUCCESS signal(s) out of 1."))
        #expect(line.isNews)
        scene.clock.advance(by: .seconds(23 * 3600))
        #expect(try onlyLine(await scene.run()).outcome.code == .waiting)
        #expect(scene.executions.count == 1)
        scene.clock.advance(by: .seconds(2 * 3600))
        #expect(try onlyLine(await scene.run()).outcome.code == .started)
        #expect(scene.executions.count == 2)
        #expect(Set(scene.executions).count == 1)
    }

    @Test("A stack policy that refuses is named, and never overridden")
    func stackPolicy() async throws {
        scene.add(shop)
        try await scene.certify("shop")
        _ = try await scene.run()
        scene.change("shop") { stack in
            stack.status = "UPDATE_ROLLBACK_COMPLETE"
            stack.events =
                "<member><LogicalResourceId>LoadBalancer</LogicalResourceId><ResourceStatus>UPDATE_FAILED</ResourceStatus>"
                + "<ResourceStatusReason>Action denied by stack policy</ResourceStatusReason></member>"
        }
        scene.clock.advance(by: .seconds(3600))
        let line = try onlyLine(await scene.run())
        #expect(line.outcome.code == .stackPolicy)
        #expect(line.outcome.line.contains("never overridden"))
    }

    @Test("What never started is tried again after 1, 10 and 100 minutes, then daily")
    func pauses() async throws {
        var stack = shop
        stack.status = "UPDATE_FAILED"
        scene.add(stack)
        try await scene.certify("shop")
        for pause: Int64 in [1, 10, 100, 1440, 1440] {
            #expect(try onlyLine(await scene.run()).outcome.code == .unfitStatus)
            scene.clock.advance(by: .seconds(pause * 60 - 30))
            #expect(try onlyLine(await scene.run()).outcome.code == .waiting)
            scene.clock.advance(by: .seconds(60))
        }
        scene.change("shop") { $0.status = "UPDATE_COMPLETE" }
        #expect(try onlyLine(await scene.run()).outcome.code == .started)
    }

    @Test("One bad stack delays no other")
    func manyStacks() async throws {
        for number in 0..<12 {
            var stack = RenewalScene.Stack(name: "shop-\(number)")
            if number % 3 == 0 { stack.status = "UPDATE_ROLLBACK_FAILED" }
            scene.add(stack)
            try await scene.certify(stack.name)
        }
        let report = try await scene.run()
        #expect(report.due == 12)
        #expect(report.count(.started) == 8)
        #expect(report.count(.unfitStatus) == 4)
    }

    @Test(
        "A refusal of AWS's is told in words that help",
        arguments: [
            ("AccessDenied", RenewalOutcome.Code.accessDenied), ("ValidationError", .failed),
            ("LimitExceededException", .throttled),
        ])
    func refused(_ code: String, _ outcome: RenewalOutcome.Code) async throws {
        scene.add(shop)
        try await scene.certify("shop")
        for _ in 0..<200 { scene.fail("CreateChangeSet", .refuse(400, code, "No.")) }
        let line = try onlyLine(await scene.run())
        #expect(line.outcome.code == outcome)
        #expect(line.outcome.line.contains("CreateChangeSet"))
        #expect(scene.executions.isEmpty)
    }
}
