import CertificateIssuance
import CertificateRenewal
import TestSupport
import Testing
import Timekeeping

/// A pipeline that deploys with its own value of the rotation parameter takes a renewal back.
@Suite struct ReversionTests {
    private let scene = RenewalScene()

    /// A stack whose renewal was verified.
    private func renewed() async throws -> String {
        scene.add(RenewalScene.Stack(name: "shop"))
        try await scene.certify("shop")
        try await scene.run()
        try await scene.complete("shop")
        scene.clock.advance(by: .seconds(3600))
        let report = try await scene.run()
        #expect(report.count(.renewed) == 1)
        return try #require(scene.stack("shop")?.parameters["CertificateRotation"])
    }

    /// The pipeline's deployment: the provider made the former generation anew, and removed the renewed one.
    private func revert(from rotation: String) async throws {
        scene.change("shop") { $0.parameters["CertificateRotation"] = "1" }
        try await scene.complete("shop", replacing: rotation)
        scene.clock.advance(by: .seconds(3600))
    }

    @Test("A rotation that was taken back is told once, with what to do, and shown until it is mended")
    func reverted() async throws {
        let rotation = try await renewed()
        scene.clock.advance(by: .days(3))
        #expect(try await scene.run().lines.isEmpty)
        try await revert(from: rotation)

        let report = try await scene.run()
        let line = try #require(report.lines.first)
        #expect(report.lines.count == 1)
        #expect(line.outcome.code == .reverted)
        #expect(line.isNews)
        #expect(line.stack.id == RenewalScene.stackID("shop"))
        #expect(line.outcome.line.contains("must not name CertificateRotation at all"))
        #expect(line.outcome.line.contains("AWS::SSM::Parameter::Value<String>"))
        let status = try #require(try await scene.statuses().first)
        #expect((status.state, status.needsAttention, status.note) == (.reverted, true, line.outcome.line))

        // Not again, an hour later.
        scene.clock.advance(by: .seconds(3600))
        #expect(try await scene.run().lines.isEmpty)
        #expect(try await scene.statuses().map(\.state) == [.reverted])

        // The pipeline leaves the parameter alone, and somebody rotates.
        scene.change("shop") { $0.parameters["CertificateRotation"] = rotation }
        try await scene.complete("shop", replacing: "1")
        scene.clock.advance(by: .seconds(3600))
        #expect(try await scene.run().lines.isEmpty)
        #expect(try await scene.statuses().map(\.state) == [.valid])
    }

    @Test("Another rotation, to a value of its own, is nobody's mistake")
    func rotatedByHand() async throws {
        let rotation = try await renewed()
        scene.change("shop") { $0.parameters["CertificateRotation"] = "by-hand" }
        try await scene.complete("shop", replacing: rotation)
        scene.clock.advance(by: .seconds(3600))
        #expect(try await scene.run().lines.isEmpty)
        #expect(try await scene.statuses().map(\.state) == [.valid])
    }

    @Test("A record of the replaced generation that was left behind is no reversion: nobody was given it since")
    func leftBehind() async throws {
        scene.add(RenewalScene.Stack(name: "shop"))
        try await scene.certify("shop")
        try await scene.run()
        let rotation = try #require(scene.stack("shop")?.parameters["CertificateRotation"])
        scene.change("shop") { $0.status = "UPDATE_COMPLETE" }
        try await scene.certify("shop", rotation: rotation, age: .zero)
        #expect(try await scene.run().count(.renewed) == 1)
        scene.clock.advance(by: .seconds(3600))
        #expect(try await scene.run().count(.reverted) == 0)
        #expect(try await scene.record("shop", rotation: "1") != nil)
    }

    @Test("After thirty days nobody looks any more")
    func oldRenewal() async throws {
        let rotation = try await renewed()
        scene.clock.advance(by: .days(31))
        try await revert(from: rotation)
        #expect(try await scene.run().count(.reverted) == 0)
    }

    @Test("A reversion that cannot be written down is told by the next run, and stops no renewal")
    func fault() async throws {
        let rotation = try await renewed()
        try await revert(from: rotation)
        scene.s3.onOperation { $0.key.hasPrefix("reverted/") ? .answer(403) : nil }
        #expect(try await scene.run().lines.isEmpty)
        scene.s3.onOperation(nil)
        #expect(try await scene.run().count(.reverted) == 1)
    }
}
