import CertificateIssuance
import CertificateRenewal
import TestSupport
import Testing
import Timekeeping

/// What a run remembers vanishes between its reading and its conditional writing, as when another run ends: S3 answers 404,
/// not 412. That is a race which was lost, and no error.
@Suite struct VanishedMemoryTests {
    private let scene = RenewalScene()

    private func shop() async throws {
        scene.add(RenewalScene.Stack(name: "shop"))
        try await scene.certify("shop")
    }

    /// Has objects whose keys begin so vanish before the `nth` of these operations.
    private func vanish(_ prefix: String, before operation: String, nth: Int = 1) {
        let s3 = scene.s3
        s3.forgetOperations()
        s3.onOperation { next in
            let earlier = s3.operations.filter { $0.name == operation && $0.key.hasPrefix(prefix) }
            if next.name == operation, next.key.hasPrefix(prefix), earlier.count == nth {
                s3.vanish(bucket: next.bucket, key: next.key)
            }
            return nil
        }
    }

    private func count(_ operation: String, _ prefix: String) -> Int {
        scene.s3.operations.filter { $0.name == operation && $0.key.hasPrefix(prefix) }.count
    }

    private func onlyOutcome() async throws -> RenewalOutcome {
        let report = try await scene.run()
        #expect(report.lines.count == 1)
        return try #require(report.lines.first).outcome
    }

    @Test("A run that finds a memory, and it vanishes before it takes the lease, leaves the stack to the other run")
    func take() async throws {
        try await shop()
        #expect(try await onlyOutcome().code == .started)
        scene.clock.advance(by: .seconds(3600))
        vanish("renewals/", before: "PutObject")
        let outcome = try await onlyOutcome()
        #expect(outcome.code == .waiting)
        #expect(!outcome.isFailure)
        #expect(count("PutObject", "renewals/") == 1)
    }

    @Test("A run whose memory vanishes before it starts the update does not start it")
    func willExecute() async throws {
        try await shop()
        vanish("renewals/", before: "PutObject", nth: 2)
        let outcome = try await onlyOutcome()
        #expect(outcome.code == .waiting)
        #expect(!outcome.isFailure)
        #expect(outcome.line == "Another run has taken the stack over.")
        #expect(scene.executions.isEmpty)
    }

    @Test("A run whose memory vanishes after it started the update tells of the update")
    func close() async throws {
        try await shop()
        vanish("renewals/", before: "PutObject", nth: 3)
        #expect(try await onlyOutcome().code == .started)
        #expect(scene.executions.count == 1)
        #expect(count("PutObject", "renewals/") == 3)
    }

    @Test("A renewal whose memory vanishes before it is removed has succeeded all the same")
    func remove() async throws {
        try await shop()
        #expect(try await onlyOutcome().code == .started)
        try await scene.complete("shop")
        scene.clock.advance(by: .seconds(3600))
        vanish("renewals/", before: "DeleteObject")
        let lines = try await scene.run().lines
        #expect(lines.allSatisfy { !$0.outcome.isFailure })
        #expect(scene.memories.isEmpty)
    }

    @Test("A sweep whose progress vanishes before it takes the lease leaves the sweeping to the other run")
    func sweepTaken() async throws {
        try await shops(7)
        guard case .interrupted = try await scene.sweep(for: .seconds(1)) else {
            Issue.record("The sweep was to be interrupted.")
            return
        }
        vanish("sweep/progress", before: "PutObject")
        guard case .idle = try await scene.sweep() else {
            Issue.record("The sweep was to leave it.")
            return
        }
        #expect(count("PutObject", "sweep/") == 1)
    }

    @Test("A sweep whose progress vanishes on its way ends without a report", arguments: [2, 3])
    func sweepOnItsWay(_ write: Int) async throws {
        try await shops(7)
        vanish("sweep/progress", before: "PutObject", nth: write)
        guard case .idle = try await scene.sweep() else {
            Issue.record("The sweep was to leave it.")
            return
        }
        #expect(count("PutObject", "sweep/") == write)
    }

    @Test("A sweep whose progress vanishes before it is removed is complete")
    func sweepEnded() async throws {
        try await shops(1)
        vanish("sweep/progress", before: "DeleteObject")
        #expect(try await scene.sweepReport() != nil)
        #expect(count("DeleteObject", "sweep/") == 1)
    }

    @Test("A damaged record that vanishes before the sweep replaces it is left to the next sweep")
    func damagedRecord() async throws {
        try await shops(1)
        let key = try scene.address("shop-0", rotation: "1").0.recordKey
        try await scene.write("{", at: key)
        scene.clock.advance(by: .days(2))
        vanish("records/", before: "PutObject")
        #expect(try #require(try await scene.sweepReport()).tally.recordsWritten == 0)
        #expect(count("PutObject", "records/") == 1)
        scene.s3.onOperation(nil)
        scene.clock.advance(by: .days(8))
        #expect(try #require(try await scene.sweepReport()).tally.recordsWritten == 1)
    }

    @Test("A record that vanishes before the sweep removes it is gone")
    func removedRecord() async throws {
        try await shops(1)
        try await scene.deleteBundle("shop-0")
        scene.remove("shop-0")
        vanish("records/", before: "DeleteObject")
        #expect(try await scene.sweepReport() != nil)
        #expect(count("DeleteObject", "records/") == 1)
        #expect(scene.records.isEmpty)
    }

    private func shops(_ count: Int) async throws {
        for number in 0..<count {
            scene.add(RenewalScene.Stack(name: "shop-\(number)"))
            try await scene.issue("shop-\(number)")
        }
    }
}
