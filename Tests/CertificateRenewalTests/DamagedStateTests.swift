import AWSClient
import CertificateIssuance
import CertificateRenewal
import TestSupport
import Testing
import Timekeeping

/// One document that cannot be read stops nothing, and nobody is left to find out by an expired certificate.
@Suite struct DamagedStateTests {
    private let scene = RenewalScene()

    /// What somebody may find in the place of a document.
    private static let damage = [
        "", "{", "{}", "[]", #"{"version":"1"}"#, RenewalScene.oversized,
    ]

    private func shopAndBlog() async throws -> String {
        for name in ["shop", "blog"] {
            scene.add(RenewalScene.Stack(name: name))
            try await scene.issue(name)
        }
        scene.clock.advance(by: .days(80))
        return try scene.address("shop", rotation: "1").0.recordKey
    }

    @Test(
        "A record that cannot be read is a failure that is told once a day, and the others are renewed",
        .contract(34), arguments: damage)
    func told(_ text: String) async throws {
        let key = try await shopAndBlog()
        try await scene.write(text, at: key)
        let report = try await scene.run()
        let line = try #require(report.lines.first { $0.outcome.code == .recordUnreadable })
        #expect(line.stack.guid == "guid-shop")
        #expect(line.isNews)
        #expect(line.outcome.line.contains("s3://state/\(key)"))
        #expect(line.outcome.line.contains(#"{"sweep": true}"#))
        #expect((report.due, report.failed, report.count(.started)) == (2, 1, 1))
        scene.clock.advance(by: .seconds(3600))
        let second = try await scene.run()
        #expect(second.failed == 1)
        #expect(second.lines.allSatisfy { !$0.isNews })
        scene.clock.advance(by: .days(1))
        #expect(try await scene.run().lines.contains { $0.isNews })
    }

    @Test(
        "The sweep writes a record that cannot be read again, and then the certificate is renewed",
        .contract(34), arguments: damage)
    func mended(_ text: String) async throws {
        let key = try await shopAndBlog()
        let before = try #require(try await scene.record("shop"))
        try await scene.write(text, at: key)
        _ = try await scene.run()
        let report = try #require(try await scene.sweepReport())
        #expect((report.tally.unreadable, report.tally.recordsWritten) == (1, 1))
        #expect(try await scene.record("shop")?.facts.publicKey == before.facts.publicKey)
        scene.clock.advance(by: .seconds(3600))
        let run = try await scene.run()
        #expect(run.failed == 0)
        #expect(scene.stack("shop")?.status == "UPDATE_IN_PROGRESS")
    }

    @Test("A record that another stack's facts were written into updates neither stack, and is mended")
    func anotherStacksRecord() async throws {
        let key = try await shopAndBlog()
        let other = try #require(try await scene.record("blog"))
        try await scene.environment.state.write(
            other, at: key, deadline: scene.clock.now.advanced(by: .seconds(60)))
        let markers = scene.markers.filter { $0.contains("guid-blog") }
        for marker in markers { try await scene.delete(marker) }
        let report = try await scene.run()
        #expect(report.lines.map(\.outcome.code) == [.recordUnreadable])
        #expect(scene.executions.isEmpty)
        _ = try await scene.sweep()
        #expect(try await scene.record("shop")?.stackID == RenewalScene.stackID("shop"))
    }

    @Test("A record of a later version is told as such, and stays as it is")
    func laterVersion() async throws {
        let key = try await shopAndBlog()
        try await scene.write(#"{"version":2}"#, at: key)
        let line = try #require(try await scene.run().lines.first { $0.outcome.code == .recordUnreadable })
        #expect(line.outcome.line.contains("Update the provider stack"))
        let body = scene.s3.objects(bucket: "state")[key]
        _ = try await scene.sweep()
        #expect(scene.s3.objects(bucket: "state")[key] == body)
    }

    @Test("How far a sweep came cannot be read: the next run begins it anew", arguments: damage)
    func progress(_ text: String) async throws {
        _ = try await shopAndBlog()
        try await scene.write(text, at: "sweep/progress.json")
        guard case .complete(let report) = try await scene.sweep(begins: false) else {
            Issue.record("The sweep did not come to its end.")
            return
        }
        #expect(report.tally.records == 2)
    }

    @Test("A memory, a reversion or a piece of advice that cannot be read stops no run", arguments: damage)
    func otherDocuments(_ text: String) async throws {
        let key = try await shopAndBlog()
        let name = key.dropFirst("records/".count)
        for other in ["renewals/guid-shop.json", "reverted/guid-shop.json", "renewal-info/\(name)"] {
            try await scene.write(text, at: other)
        }
        let report = try await scene.run()
        #expect(report.count(.started) == 2)
    }

    @Test("A lease or a pause that ends years from now was never given: it is ignored", arguments: ["lease", "pause"])
    func farFuture(_ what: String) async throws {
        _ = try await shopAndBlog()
        scene.change("shop") { $0.roleARN = nil }
        _ = try await scene.run()
        let key = "renewals/guid-shop.json"
        let state = try scene.environment.state
        let deadline = scene.clock.now.advanced(by: .seconds(60))
        let memory = try #require(
            try await state.document([String: MemoryMember].self, at: key, deadline: deadline)?.document)
        var changed = memory
        changed[what == "lease" ? "leaseEnds" : "nextTry"] = .text("2066-01-01T00:00:00Z")
        try await state.write(changed, at: key, deadline: deadline)
        scene.change("shop") { $0.roleARN = "arn:aws:iam::111122223333:role/deployer" }
        scene.clock.advance(by: .days(1))
        _ = try await scene.run()
        #expect(scene.stack("shop")?.status == "UPDATE_IN_PROGRESS")
    }

    @Test("A lease whose answer is lost is found to be the run's own")
    func lostLease() async throws {
        scene.add(RenewalScene.Stack(name: "shop"))
        try await scene.certify("shop")
        let first = scene.s3.operations.count
        scene.s3.onOperation { operation in
            let isLease: @Sendable (InMemoryS3.Operation) -> Bool = {
                $0.name == "PutObject" && $0.key.hasPrefix("renewals/")
            }
            let earlier = scene.s3.operations[first...].filter { $0.ordinal < operation.ordinal }
            return isLease(operation) && !earlier.contains(where: isLease) ? .loseAnswer : nil
        }
        #expect(try await scene.run().lines.map(\.outcome.code) == [.started])
    }
}

/// Any member of the memory's JSON.
private enum MemoryMember: Codable {
    case text(String)
    case number(Int)
    case list([[String: String]])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let number = try? value.decode(Int.self) {
            self = .number(number)
        } else {
            self = .list(try value.decode([[String: String]].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .text(let text): try value.encode(text)
        case .number(let number): try value.encode(number)
        case .list(let list): try value.encode(list)
        }
    }
}
