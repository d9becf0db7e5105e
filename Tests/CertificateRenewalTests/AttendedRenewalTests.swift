import AWSClient
import CertificateRenewal
import Synchronization
import TestSupport
import Testing
import Timekeeping

/// What `stackcert renew` and `stackcert rotate` do, beside the scheduled function.
@Suite struct AttendedRenewalTests {
    private let scene = RenewalScene()
    private let shop = RenewalScene.Stack(name: "shop")

    private func live(_ trigger: RenewalTrigger = .order) async throws -> DueStack {
        try #require(
            await DueStack.certified(
                RenewalScene.stackID("shop"), environment: scene.environment(trigger),
                deadline: scene.clock.now.advanced(by: .seconds(60))))
    }

    /// CloudFormation carries an update out as soon as somebody looks at it.
    private func renew(
        _ trigger: RenewalTrigger = .order, isDue: Bool = false, replacing earlier: String? = nil,
        onProgress: (StackProgress) async throws -> Void = { _ in }
    ) async throws -> RenewalOutcome {
        let stack = try await live(trigger)
        let old = try earlier ?? #require(scene.stack("shop")?.parameters["CertificateRotation"])
        return try await AttendedRenewal(scene.environment(trigger)).renew(stack, isDue: isDue) { progress in
            try? await onProgress(progress)
            if scene.stack("shop")?.status == "UPDATE_IN_PROGRESS" {
                try? await scene.complete("shop", replacing: old)
            }
        }
    }

    @Test("A certificate that is not due is rotated to the end, and nothing is left to remember")
    func rotate() async throws {
        scene.add(shop)
        try await scene.certify("shop", age: .days(1))
        #expect(try await renew().code == .renewed)
        #expect(scene.executions.count == 1)
        #expect(scene.memories.isEmpty)
        // The new one is the only one, and not due either.
        #expect(try await scene.run().lines.isEmpty)
        #expect(try await live().certificates.count == 1)
    }

    @Test("For one certificate the value is the same however often it is tried, and another one for the next")
    func rotationValue() async throws {
        scene.add(shop)
        try await scene.certify("shop", age: .days(1))
        let rolledBack = try await renew { progress in
            guard progress.status == "UPDATE_IN_PROGRESS" else { return }
            scene.change("shop") {
                $0.status = "UPDATE_ROLLBACK_COMPLETE"
                $0.parameters["CertificateRotation"] = "1"
            }
        }
        #expect(rolledBack.code == .rolledBack)
        #expect(!rolledBack.line.contains("tomorrow"))
        #expect(try await renew().code == .renewed)
        #expect(try await renew().code == .renewed)
        #expect(scene.executions.count == 3)
        #expect(scene.executions[0] == scene.executions[1])
        #expect(scene.executions[1] != scene.executions[2])
    }

    @Test("What the function has begun is waited for, and not begun again")
    func joined() async throws {
        scene.add(shop)
        try await scene.certify("shop")
        #expect(try await scene.run().count(.started) == 1)
        #expect(try await renew(.person, isDue: true, replacing: "1").code == .renewed)
        #expect(scene.executions.count == 1)
        #expect(scene.memories.isEmpty)
    }

    @Test("A person and the function at the same moment rotate once", arguments: [true, false])
    func together(_ isDue: Bool) async throws {
        scene.add(shop)
        try await scene.certify("shop", age: .days(isDue ? 80 : 1))
        // The function wakes up at every step of the person's.
        let outcome = try await renew(isDue: isDue) { _ in try await scene.run() }
        #expect(outcome.code == .renewed)
        #expect(scene.executions.count == 1)
        #expect(scene.memories.isEmpty)
    }

    @Test("Of two persons one rotates, and the other waits and is told")
    func twoPersons() async throws {
        scene.add(shop)
        try await scene.certify("shop", age: .days(1))
        let inner = Mutex<[RenewalOutcome]>([])
        let stack = try await live()
        let waited = Mutex(0)
        let outer = try await renew { progress in
            guard progress.status == "UPDATE_IN_PROGRESS", inner.withLock({ $0.isEmpty }) else { return }
            // As if its machine slept: its lease ends by itself.
            let outcome = try await AttendedRenewal(scene.environment(.order)).renew(stack, isDue: false) { progress in
                if progress.status == "waiting for another run" { waited.withLock { $0 += 1 } }
                if progress.status == "UPDATE_IN_PROGRESS" { try? await scene.complete("shop") }
            }
            inner.withLock { $0.append(outcome) }
        }
        #expect(inner.withLock { $0.map(\.code) } == [.renewed])
        #expect(waited.withLock { $0 } > 10)
        #expect(outer.code == .renewed)
        #expect(scene.executions.count == 1)
        #expect(scene.memories.isEmpty)
    }

    @Test("Who comes too late for a certificate does not replace its successor")
    func tooLate() async throws {
        scene.add(shop)
        try await scene.certify("shop", age: .days(1))
        let before = try await live()
        #expect(try await renew().code == .renewed)
        let outcome = try await AttendedRenewal(scene.environment(.order)).renew(before, isDue: false) { _ in }
        #expect(outcome.code == .renewed)
        #expect(outcome.line.contains("another run was faster"))
        #expect(scene.executions.count == 1)
    }

    @Test(
        "A command that is killed at any call is taken up by the function", arguments: RenewalScene.attendedCalls,
        [true, false])
    func killed(_ call: String, _ isCarriedOut: Bool) async throws {
        scene.add(shop)
        try await scene.certify("shop")
        scene.fail(call, isCarriedOut ? .killAfterwards : .kill)
        _ = try? await renew(isDue: true)
        for _ in 0..<30 {
            scene.clock.advance(by: .seconds(3600))
            if scene.stack("shop")?.status == "UPDATE_IN_PROGRESS" { try await scene.complete("shop") }
            _ = try? await scene.run()
        }
        #expect(scene.executions.count == 1)
        #expect(scene.memories.isEmpty)
    }

    @Test("A failure is remembered where the function would try again, and nowhere else", arguments: [true, false])
    func failure(_ isDue: Bool) async throws {
        var stack = shop
        stack.roleARN = nil
        scene.add(stack)
        try await scene.certify("shop", age: .days(isDue ? 80 : 1))
        let outcome = try await renew(isDue: isDue)
        #expect(outcome.code == .noRole)
        #expect(outcome.line.contains("--role-arn"))
        #expect(scene.memories.isEmpty != isDue)
        #expect(scene.executions.isEmpty)
        // A person need not wait for the pause to end.
        scene.change("shop") { $0.roleARN = "arn:aws:iam::111122223333:role/deployer" }
        #expect(try await renew(isDue: isDue).code == .renewed)
        #expect(scene.memories.isEmpty)
    }

    @Test("The tag that switches renewal off holds for renew, not for rotate")
    func tag() async throws {
        var stack = shop
        stack.tags = ["stackcert:renew": "off"]
        scene.add(stack)
        try await scene.certify("shop")
        #expect(try await renew(.person, isDue: true).code == .switchedOff)
        #expect(scene.executions.isEmpty)
        #expect(try await renew(.order, isDue: true).code == .renewed)
    }

    @Test("Events of the update are told once each, the earliest first, and none of before")
    func events() async throws {
        @Sendable func event(_ id: String, _ type: String, _ status: String) -> String {
            "<member><LogicalResourceId>\(id)</LogicalResourceId><ResourceType>\(type)</ResourceType>"
                + "<ResourceStatus>\(status)</ResourceStatus></member>"
        }
        let begin = event("shop", "AWS::CloudFormation::Stack", "UPDATE_IN_PROGRESS")
        var stack = shop
        stack.events = event("shop", "AWS::CloudFormation::Stack", "CREATE_COMPLETE") + begin
        scene.add(stack)
        try await scene.certify("shop", age: .days(1))
        var told: [String] = []
        let outcome = try await renew { progress in
            told += progress.events.map { "\($0.logicalResourceID) \($0.status)" }
            guard progress.status == "UPDATE_IN_PROGRESS" else { return }
            scene.change("shop") { stack in
                stack.events =
                    event("Certificate", "Custom::ElbBackendCertificate", "UPDATE_IN_PROGRESS") + begin + stack.events
            }
        }
        #expect(outcome.code == .renewed)
        #expect(told == ["shop UPDATE_IN_PROGRESS", "Certificate UPDATE_IN_PROGRESS"])
    }

    @Test("A network that is away for a while does not end the waiting")
    func transient() async throws {
        scene.add(shop)
        try await scene.certify("shop", age: .days(1))
        var looks = 0
        let stack = try await live()
        let outcome = try await AttendedRenewal(scene.environment(.order)).renew(stack, isDue: false) { progress in
            guard progress.status == "UPDATE_IN_PROGRESS" else { return }
            looks += 1
            if looks == 1 {
                for _ in 0..<12 { scene.fail("DescribeStacks", .loseAnswer) }
            } else {
                try? await scene.complete("shop")
            }
        }
        #expect(outcome.code == .renewed)
        #expect(looks == 2)
    }

    @Test("An update that can be followed no longer is left to the function")
    func unfollowed() async throws {
        scene.add(shop)
        try await scene.certify("shop", age: .days(1))
        let stack = try await live()
        let outcome = try await AttendedRenewal(scene.environment(.order)).renew(stack, isDue: false) { progress in
            guard progress.status == "UPDATE_IN_PROGRESS" else { return }
            scene.fail("DescribeStacks", .refuse(403, "ExpiredToken", "The token has expired."))
        }
        #expect(outcome.code == .underWay)
        #expect(outcome.line.contains("ExpiredToken"))
        // At once: nobody has to wait for the lease's end.
        try await scene.complete("shop")
        #expect(try await scene.run().count(.renewed) == 1)
        #expect(scene.executions.count == 1)
    }

    @Test("A person who looks what is due changes nothing, not even a marker that points at nothing")
    func looks() async throws {
        scene.add(shop)
        try await scene.certify("shop")
        scene.add(RenewalScene.Stack(name: "gone"))
        try await scene.certify("gone")
        for key in scene.s3.objects(bucket: "state").keys where key.hasPrefix("records/guid-gone/") {
            try await scene.delete(key)
        }
        let writes = Set(["PutObject", "DeleteObject"])
        let before = scene.s3.operations.count
        let found = try await scene.stacks(.person)
        #expect(found.map(\.name) == ["shop"])
        #expect(
            found.allSatisfy { $0.isNamed("shop") && $0.isNamed(RenewalScene.stackID("shop")) && !$0.isNamed("sho") })
        #expect(!scene.s3.operations.dropFirst(before).contains { writes.contains($0.name) })
        // Positive control: the function removes it.
        #expect(try await scene.stacks(.schedule).count == 1)
        #expect(scene.markers.count == 1)
    }

    @Test("A preview says of each change why it may be made, and leaves nothing behind")
    func preview() async throws {
        scene.add(shop)
        try await scene.certify("shop")
        let renewal = AttendedRenewal(try scene.environment(.person))
        let allowed = await renewal.preview(try await live())
        #expect(allowed.refusal == nil)
        #expect(allowed.verdicts.map(\.isExpected) == [true])
        #expect(allowed.verdicts.map(\.causes) == ["Properties.Rotation by ParameterReference CertificateRotation"])
        #expect(scene.calls.suffix(4) == ["CreateChangeSet", "DescribeChangeSet", "ListChangeSets", "DeleteChangeSet"])

        scene.setChanges(RenewalScene.rotationChange + RenewalScene.foreignChange)
        let refused = await renewal.preview(try await live())
        #expect(refused.refusal?.code == .foreignChanges)
        #expect(refused.verdicts.map(\.isExpected) == [true, false])
        #expect(refused.verdicts.last?.causes == "Properties.MinSize by DirectModification")
        #expect(scene.calls.last == "DeleteChangeSet")
        #expect(scene.executions.isEmpty)
        #expect(scene.memories.isEmpty)
    }

    @Test("A preview that breaks off still takes its change set away")
    func previewFails() async throws {
        scene.add(shop)
        try await scene.certify("shop")
        scene.fail("DescribeChangeSet", .refuse(403, "AccessDenied", "No."))
        let preview = await AttendedRenewal(try scene.environment(.person)).preview(try await live())
        #expect(preview.refusal?.code == .accessDenied)
        #expect(preview.refusal?.line.hasPrefix("Your credentials do not allow it") == true)
        #expect(scene.calls.last == "DeleteChangeSet")
    }
}
