import CertificateRenewal
import TestSupport
import Testing
import Timekeeping

/// A certificate in a stack that is nested in another: only the outermost stack can be updated.
@Suite struct NestedStackTests {
    private let scene = RenewalScene()
    private static let nestedChangeSet = "arn:aws:cloudformation:::changeSet/nested/1"
    private static let nestedStackChange =
        "<member><ResourceChange><Action>Modify</Action><LogicalResourceId>Shop</LogicalResourceId>"
        + "<ResourceType>AWS::CloudFormation::Stack</ResourceType><ChangeSetId>\(nestedChangeSet)</ChangeSetId><Details>"
        + "<member><Target><Attribute>Properties</Attribute><Name>Parameters</Name></Target>"
        + "<Evaluation>Static</Evaluation><ChangeSource>ParameterReference</ChangeSource>"
        + "<CausingEntity>CertificateRotation</CausingEntity></member></Details></ResourceChange></member>"

    private func nest() async throws {
        scene.add(RenewalScene.Stack(name: "root"))
        scene.add(RenewalScene.Stack(name: "child", roleARN: nil, rootName: "root"))
        try await scene.certify("child")
        scene.setChanges(Self.nestedStackChange)
        scene.setNestedChanges(Self.nestedChangeSet, RenewalScene.rotationChange)
    }

    private func run() async throws -> RenewalOutcome {
        let report = try await scene.run()
        try #require(report.lines.count == 1)
        return report.lines[0].outcome
    }

    @Test("The outermost stack is updated, with its own service role, and the nested one verified")
    func rootIsUpdated() async throws {
        try await nest()
        let started = try await run()
        #expect(started.code == .started)
        #expect(started.line.hasPrefix("Update of stack root started"))
        let rotation = try #require(scene.stack("root")?.parameters["CertificateRotation"])
        #expect(rotation != "1")
        scene.change("child") { $0.parameters["CertificateRotation"] = rotation }
        try await scene.complete("child")
        scene.change("root") { $0.status = "UPDATE_COMPLETE" }
        scene.clock.advance(by: .seconds(3600))
        #expect(try await run().code == .renewed)
        #expect(scene.executions.count == 1)
    }

    @Test("A change of somebody else's within the nested stack is never deployed")
    func foreignChangeInside() async throws {
        try await nest()
        scene.setNestedChanges(
            Self.nestedChangeSet,
            RenewalScene.rotationChange
                + "<member><ResourceChange><Action>Modify</Action><LogicalResourceId>Servers</LogicalResourceId>"
                + "<ResourceType>AWS::AutoScaling::AutoScalingGroup</ResourceType><Details><member><Target>"
                + "<Attribute>Properties</Attribute><Name>MaxSize</Name></Target><Evaluation>Static</Evaluation>"
                + "<ChangeSource>DirectModification</ChangeSource></member></Details></ResourceChange></member>")
        let outcome = try await run()
        #expect(outcome.code == .foreignChanges)
        #expect(outcome.line.contains("Servers (AWS::AutoScaling::AutoScalingGroup)"))
        #expect(scene.executions.isEmpty)
    }

    @Test("An outermost stack that does not pass the parameter on is told to")
    func parameterIsNotPassedOn() async throws {
        try await nest()
        scene.change("root") { $0.parameters = [:] }
        let outcome = try await run()
        #expect(outcome.code == .noParameter)
        #expect(
            outcome.line == "Stack root has no parameter CertificateRotation: its nested stack child has it, so the "
                + "outermost stack must declare it and pass it on.")
        #expect(!scene.calls.contains("CreateChangeSet"))
    }

    @Test(
        "What keeps the outermost stack from being updated keeps the nested one",
        arguments: [
            ("UPDATE_IN_PROGRESS", RenewalOutcome.Code.stackBusy), ("UPDATE_ROLLBACK_FAILED", .unfitStatus),
        ])
    func rootCannotBeUpdated(_ status: String, _ code: RenewalOutcome.Code) async throws {
        try await nest()
        scene.change("root") { $0.status = status }
        let outcome = try await run()
        #expect(outcome.code == code)
        #expect(outcome.line.contains("Stack root"))
    }
}
