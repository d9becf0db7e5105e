import CertificateRenewal
import TestSupport
import Testing
import Timekeeping

/// Whatever happens to a run, no certificate is rotated twice and none is forgotten.
@Suite struct RenewalFaultTests {
    private let scene = RenewalScene()

    /// The runs of the next day, with CloudFormation at work between them.
    private func finish() async throws {
        for _ in 0..<30 {
            scene.clock.advance(by: .seconds(3600))
            if scene.stack("shop")?.status == "UPDATE_IN_PROGRESS" { try await scene.complete("shop") }
            _ = try? await scene.run()
        }
    }

    private static let calls = [
        "DescribeStacks", "CreateChangeSet", "DescribeChangeSet", "ListChangeSets", "ExecuteChangeSet",
    ]

    @Test(
        "A run that is killed before or after any call of CloudFormation is taken up again", arguments: calls,
        [true, false])
    func killed(_ call: String, _ isCarriedOut: Bool) async throws {
        scene.add(RenewalScene.Stack(name: "shop"))
        try await scene.certify("shop")
        scene.fail(call, isCarriedOut ? .killAfterwards : .kill)
        _ = try? await scene.run()
        try await finish()
        #expect(scene.executions.count == 1)
        #expect(scene.memories.isEmpty)
        #expect(scene.markers.count == 1)
    }

    @Test("An answer that is lost after the call was carried out changes nothing", arguments: calls)
    func lostAnswer(_ call: String) async throws {
        scene.add(RenewalScene.Stack(name: "shop"))
        try await scene.certify("shop")
        scene.fail(call, .loseAnswer)
        _ = try? await scene.run()
        try await finish()
        #expect(scene.executions.count == 1)
        #expect(scene.memories.isEmpty)
        #expect(scene.markers.count == 1)
    }

    @Test("A run whose call of S3 fails, at any one of them, is taken up again", arguments: 1...12)
    func storage(_ ordinal: Int) async throws {
        scene.add(RenewalScene.Stack(name: "shop"))
        try await scene.certify("shop")
        let first = scene.s3.operations.count
        scene.s3.onOperation { $0.ordinal == first + ordinal ? .loseAnswer : nil }
        _ = try? await scene.run()
        try await finish()
        #expect(scene.executions.count == 1)
        #expect(scene.memories.isEmpty)
    }

    @Test("Two runs at once start one update")
    func twoRuns() async throws {
        scene.add(RenewalScene.Stack(name: "shop"))
        try await scene.certify("shop")
        async let one = scene.run()
        async let two = scene.run()
        let codes = try await [one, two].flatMap(\.lines).map(\.outcome.code)
        #expect(codes.count { $0 == .started } == 1)
        #expect(scene.executions.count == 1)
        try await finish()
        #expect(scene.executions.count == 1)
        #expect(scene.memories.isEmpty)
    }
}
