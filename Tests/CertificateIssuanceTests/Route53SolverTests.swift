import AWSClient
import CertificateIssuance
import TestSupport
import Testing
import Timekeeping

@Suite("Answers to dns-01 in Route 53") struct Route53SolverTests {
    private let name = "_acme-challenge.a.example"

    private func others(_ count: Int, prefix: String = "other") -> [InMemoryRoute53.ForeignSet] {
        (0..<count).map {
            .init(
                name, identifier: "\(prefix)-\($0)", routing: InMemoryRoute53.ForeignSet.multivalue, values: ["o\($0)"])
        }
    }

    /// What the others put there and nobody but they may touch.
    private func others(in scene: DNSScene) -> [String: [String]] {
        scene.dns.texts(name).filter { !$0.key.hasPrefix("stackcert-") }
    }

    @Test("Every validator sees the answers when they are said to stand, and none afterwards")
    func presented() async throws {
        let scene = DNSScene(zones: [("ZA", "a.example"), ("ZB", "b.example")])
        let solver = try scene.solver()
        #expect(solver.challengeType == "dns-01")
        let placements = try await solver.placements(
            for: scene.answers(["a.example", "a.example", "w.a.example", "b.example"]), deadline: scene.deadline)
        let began = scene.clock.now
        #expect(try await solver.present(placements, deadline: scene.deadline) == placements)
        #expect(began.duration(to: scene.clock.now) >= .seconds(12))
        for placement in placements { #expect(scene.dns.visibleTexts(placement.name).contains(placement.value)) }
        #expect(scene.dns.texts(name).count == 2)
        let changes = scene.dns.operations.filter { $0.name == "ChangeResourceRecordSets" }
        #expect(changes.count == 2, "one batch for each zone")
        try await solver.cleanUp(placements, deadline: scene.deadline)
        for placement in placements { #expect(scene.dns.texts(placement.name).isEmpty) }
        try await solver.cleanUp(placements, deadline: scene.deadline)
    }

    @Test("Somebody's simple record set keeps its values and its time to live, even when it changes meanwhile")
    func simple() async throws {
        let scene = DNSScene()
        scene.dns.put(.init(name, values: ["theirs"]), in: "ZA")
        let solver = try scene.solver()
        let placements = try await solver.placements(
            for: scene.answers(["a.example", "a.example"]), deadline: scene.deadline)
        // Between our look and our change.
        scene.dns.plan { [dns = scene.dns, name] operation in
            if operation.ordinal == 2 { dns.put(.init(name, values: ["theirs", "more"]), in: "ZA") }
            return nil
        }
        #expect(try await solver.present(placements, deadline: scene.deadline) == placements)
        #expect(Set(scene.dns.texts(name)[""] ?? []) == Set(["theirs", "more"] + placements.map(\.value)))
        #expect(scene.dns.visibleTexts(name).isSuperset(of: placements.map(\.value)))
        try await solver.cleanUp(Array(placements.prefix(1)), deadline: scene.deadline)
        #expect(Set(scene.dns.texts(name)[""] ?? []) == ["theirs", "more", placements[1].value])
        try await solver.cleanUp(placements, deadline: scene.deadline)
        #expect(scene.dns.texts(name) == ["": ["theirs", "more"]])
    }

    @Test("A simple record set in which nothing else is left is deleted")
    func emptied() async throws {
        let scene = DNSScene()
        let solver = try scene.solver()
        let placements = try await solver.placements(for: scene.answers(["a.example"]), deadline: scene.deadline)
        scene.dns.put(.init(name, values: [placements[0].value]), in: "ZA")
        try await solver.cleanUp(placements, deadline: scene.deadline)
        #expect(scene.dns.texts(name).isEmpty)
    }

    @Test("Answers never stand beside so many others that a query would not show them all")
    func room() async throws {
        let scene = DNSScene()
        for set in others(6) { scene.dns.put(set, in: "ZA") }
        let solver = try scene.solver()
        var rest = try await solver.placements(
            for: scene.answers(["a.example", "a.example", "a.example"]), deadline: scene.deadline)
        var waves: [Int] = []
        while !rest.isEmpty {
            let standing = try await solver.present(rest, deadline: scene.deadline)
            waves.append(standing.count)
            try await solver.cleanUp(standing, deadline: scene.deadline)
            rest.removeAll(where: standing.contains)
        }
        #expect(waves == [2, 1] && scene.dns.mostMultivalues == 8 && others(in: scene).count == 6)
    }

    @Test("Without room until the deadline the error says where and what to do")
    func noRoom() async throws {
        let scene = DNSScene()
        for set in others(8) { scene.dns.put(set, in: "ZA") }
        let solver = try scene.solver()
        let placements = try await solver.placements(for: scene.answers(["a.example"]), deadline: scene.deadline)
        let deadline = scene.deadline
        let error = try await scene.failure { _ = try await solver.present(placements, deadline: deadline) }
        #expect(error?.code == .answerNotVisible && scene.clock.now <= deadline)
        #expect(error?.message.contains(name) == true && error?.message.contains("ZA") == true)
        #expect(others(in: scene).count == 8)
    }

    @Test("Weighted records, beside which none can stand, are left alone and told of")
    func weighted() async throws {
        let scene = DNSScene()
        scene.dns.put(.init(name, identifier: "w", routing: "<Weight>1</Weight>", values: ["x"]), in: "ZA")
        let solver = try scene.solver()
        let placements = try await solver.placements(for: scene.answers(["a.example"]), deadline: scene.deadline)
        let error = try await scene.failure { _ = try await solver.present(placements, deadline: scene.deadline) }
        #expect(error?.code == .noPlaceForAnswer && error?.message.contains(name) == true)
        try await solver.cleanUp(placements, deadline: scene.deadline)
        #expect(scene.dns.texts(name) == ["w": ["x"]])
    }

    @Test(
        "Twenty at a time at one name, more often than Route 53 answers: never more than eight values, and all succeed")
    func crowd() async throws {
        // One for all, which goes on only when everybody waits: else each would have Route 53 for itself.
        let scene = DNSScene(requestsPerSecond: 20, clock: VirtualClock(longestPause: .zero))
        let ticking = Task {
            while !Task.isCancelled {
                for _ in 0..<50 { await Task.yield() }
                _ = scene.clock.advanceToNextSleeper()
            }
        }
        defer { ticking.cancel() }
        for set in others(2) { scene.dns.put(set, in: "ZA") }
        let deadline = scene.clock.now.advanced(by: .days(1))
        let validated = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let solver = try scene.solver()
                    // Some for the wildcard as well.
                    let domains = Array(repeating: "a.example", count: number < 4 ? 2 : 1)
                    var rest = try await solver.placements(
                        for: scene.answers(domains, account: "\(number)"), deadline: deadline)
                    var seen = 0
                    while !rest.isEmpty {
                        let standing = try await solver.present(rest, deadline: deadline)
                        seen += standing.filter { scene.dns.visibleTexts($0.name).contains($0.value) }.count
                        try await solver.cleanUp(standing, deadline: deadline)
                        rest.removeAll(where: standing.contains)
                    }
                    return seen
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(validated == 24)
        #expect(scene.dns.mostMultivalues == 8)
        #expect(scene.dns.texts(name) == ["other-0": ["o0"], "other-1": ["o1"]])
    }

    @Test("Eight answers that a dead process left behind are replaced after some patience, and not before")
    func leftBehind() async throws {
        let scene = DNSScene()
        for set in others(8, prefix: "stackcert").map({ set in
            var set = set
            set.identifier = "stackcert-\((Int(set.identifier?.suffix(1) ?? "") ?? 0) + 1)"
            return set
        }) { scene.dns.put(set, in: "ZA") }
        let solver = try scene.solver(patience: .seconds(60))
        let placements = try await solver.placements(
            for: scene.answers(["a.example", "a.example"]), deadline: scene.deadline)
        let began = scene.clock.now
        #expect(try await solver.present(placements, deadline: scene.deadline) == placements)
        #expect(began.duration(to: scene.clock.now) >= .seconds(60))
        #expect(scene.dns.visibleTexts(name).isSuperset(of: placements.map(\.value)))
        #expect(scene.dns.texts(name).count == 8)
        try await solver.cleanUp(placements, deadline: scene.deadline)
        #expect(scene.dns.texts(name).count == 6)
    }

    @Test("Killed at any step, what was written down before is enough to leave nothing behind")
    func killed() async throws {
        var steps = 0
        for isCarriedOut in [false, true] {
            for isSimple in [false, true] {
                for step in 1...40 {
                    let scene = DNSScene(zones: [("ZA", "a.example"), ("ZB", "b.example")])
                    if isSimple { scene.dns.put(.init(name, values: ["theirs"]), in: "ZA") }
                    let written = try await scene.solver().placements(
                        for: scene.answers(["a.example", "a.example", "b.example"]), deadline: scene.deadline)
                    scene.dns.plan { $0.ordinal == step ? isCarriedOut ? .killAfterwards : .kill : nil }
                    let solver = try scene.solver()
                    let survived: Void? = try? await {
                        _ = try await solver.present(written, deadline: scene.deadline)
                        try await solver.cleanUp(written, deadline: scene.deadline)
                    }()
                    if survived != nil { break }
                    steps += 1
                    scene.dns.plan(nil)
                    try await scene.solver().cleanUp(written, deadline: scene.deadline)
                    #expect(scene.dns.texts(name) == (isSimple ? ["": ["theirs"]] : [:]), "step \(step)")
                    #expect(scene.dns.texts("_acme-challenge.b.example").isEmpty, "step \(step)")
                }
            }
        }
        #expect(steps > 30)
    }

    @Test("A process that takes over finds its answers standing, and waits until they are seen")
    func takenOver() async throws {
        let scene = DNSScene()
        let written = try await scene.solver().placements(
            for: scene.answers(["a.example"]), deadline: scene.deadline)
        scene.dns.plan { $0.name == "ChangeResourceRecordSets" ? .killAfterwards : nil }
        #expect((try? await scene.solver().present(written, deadline: scene.deadline)) == nil)
        scene.dns.plan(nil)
        #expect(try await scene.solver().present(written, deadline: scene.deadline) == written)
        #expect(scene.dns.visibleTexts(name) == [written[0].value] && scene.dns.texts(name).count == 1)
    }

    @Test(
        "Refusals that pass, and lost answers, do no harm",
        arguments: [
            InMemoryRoute53.Fault.refuse("Throttling"), .refuse("PriorRequestNotComplete"), .loseAnswer,
        ])
    func faults(fault: InMemoryRoute53.Fault) async throws {
        let scene = DNSScene()
        // More in a row than the client tries.
        scene.dns.plan { $0.ordinal % 10 == 0 ? nil : fault == .loseAnswer && $0.ordinal % 2 == 0 ? nil : fault }
        let solver = try scene.solver()
        let deadline = scene.clock.now.advanced(by: .days(1))
        let placements = try await solver.placements(for: scene.answers(["a.example"]), deadline: deadline)
        #expect(try await solver.present(placements, deadline: deadline) == placements)
        #expect(scene.dns.visibleTexts(name) == [placements[0].value])
        try await solver.cleanUp(placements, deadline: deadline)
        #expect(scene.dns.texts(name).isEmpty)
    }

    @Test("A batch that is refused although nobody changes anything is given up with Route 53's words")
    func refused() async throws {
        let scene = DNSScene()
        let solver = try scene.solver()
        let placements = try await solver.placements(for: scene.answers(["a.example"]), deadline: scene.deadline)
        scene.dns.plan { $0.name == "ChangeResourceRecordSets" ? .refuse("InvalidChangeBatch") : nil }
        await #expect {
            _ = try await solver.present(placements, deadline: scene.deadline)
        } throws: { ($0 as? AWSError)?.code == .invalidChangeBatch }
        #expect(scene.dns.operations.count < 20)
    }

    @Test("A hundred names of one zone take a few requests")
    func hundred() async throws {
        let scene = DNSScene(pageSize: 300)
        let solver = try scene.solver()
        let domains = (1...100).map { "n\($0).a.example" }
        scene.dns.put(.init("_acme-challenge.n7.a.example", "CNAME", values: ["n7.b.a.example"]), in: "ZA")
        let placements = try await solver.placements(for: scene.answers(domains), deadline: scene.deadline)
        #expect(placements.map(\.domain) == domains && placements[6].name == "n7.b.a.example")
        #expect(try await solver.present(placements, deadline: scene.deadline) == placements)
        #expect(placements.allSatisfy { scene.dns.visibleTexts($0.name) == [$0.value] })
        try await solver.cleanUp(placements, deadline: scene.deadline)
        #expect(placements.allSatisfy { scene.dns.texts($0.name).isEmpty })
        #expect(scene.dns.operations.count < 30)
    }

    @Test("Not seen by everybody before the deadline is an error, and the deadline is kept")
    func pending() async throws {
        let scene = DNSScene()
        let solver = try scene.solver()
        let placements = try await solver.placements(for: scene.answers(["a.example"]), deadline: scene.deadline)
        let deadline = scene.clock.now.advanced(by: .seconds(9))
        let error = try await scene.failure { _ = try await solver.present(placements, deadline: deadline) }
        #expect(error?.code == .answerNotVisible && scene.clock.now <= deadline)
        try await solver.cleanUp(placements, deadline: scene.deadline)
        #expect(scene.dns.texts(name).isEmpty)
    }

    @Test("A zone that is gone has nothing to be cleaned up, and does not keep another from it")
    func zoneGone() async throws {
        let scene = DNSScene(zones: [("ZA", "a.example"), ("ZB", "b.example")])
        let solver = try scene.solver()
        let placements = try await solver.placements(
            for: scene.answers(["a.example", "b.example"]), deadline: scene.deadline)
        _ = try await solver.present(placements, deadline: scene.deadline)
        scene.dns.removeZone("ZA")
        try await solver.cleanUp(placements, deadline: scene.deadline)
        #expect(scene.dns.texts("_acme-challenge.b.example").isEmpty)
    }
}
