import FoundationEssentials
import Testing

/// CloudFormation's side of the contract, played against the whole provider with a fault at every step.
@Suite struct HistoryTests {
    @Test("A fault at any step of any event breaks no rule, nor do random histories")
    func histories() async {
        let coverage = CoverageTable()
        let player = HistoryPlayer(coverage: coverage)
        await player.play(SystematicHistories.probes)
        let systematic = SystematicHistories(reached: coverage.rows)
        let lives = systematic.lives + systematic.adoptedLives
        await player.play(lives)
        let missing = systematic.missing(in: coverage)
        await player.play(missing)
        let played = SystematicHistories.probes.count + lives.count + missing.count
        let random = max(0, HistorySettings.count - played)
        await player.play((0..<random).map { HistoryGenerator.random(HistorySettings.seed &+ UInt64($0)) })
        print(coverage.text)
        print("\(played) histories with a fault at each step, \(random) random ones from seed \(HistorySettings.seed)")
        let never = systematic.missing(in: coverage)
        #expect(never.isEmpty, "\(never.map(\.json).joined(separator: "\n"))")
        #expect(Set(coverage.rows.map(\.kind)) == Set(EventKind.allCases))
    }

    @Test("A fault at any step of a Let's Encrypt certificate's life breaks no rule")
    func letsEncrypt() async {
        let coverage = CoverageTable()
        let player = HistoryPlayer(coverage: coverage)
        await player.play(SystematicHistories.letsEncryptProbes)
        let systematic = SystematicHistories(.letsEncrypt, reached: coverage.rows)
        let lives = systematic.lives.enumerated().filter { HistorySettings.isExhaustive || $0.offset % 5 == 0 }
        await player.play(lives.map(\.element))
        let untouched = systematic.untouched(in: coverage)
        await player.play(untouched)
        let random = (0..<HistorySettings.count / 25).map {
            HistoryGenerator.random(HistorySettings.seed &+ UInt64($0), .letsEncrypt)
        }
        await player.play(random)
        print(
            "\(lives.count + untouched.count) histories of Let's Encrypt certificates with a fault at each step, "
                + "\(random.count) random ones from seed \(HistorySettings.seed)")
        print(coverage.summary)
        let never = systematic.untouched(in: coverage)
        #expect(never.isEmpty, "\(never.map(\.json).joined(separator: "\n"))")
    }

    @Test(
        "Two processes at work on one resource, the one stopped at any request of its own, break no rule",
        arguments: [History.ResourceType.elbBackend, .letsEncrypt])
    func interruptions(_ type: History.ResourceType) async {
        let coverage = CoverageTable()
        let player = HistoryPlayer(coverage: coverage)
        await player.play(
            type == .letsEncrypt ? SystematicHistories.letsEncryptProbes : SystematicHistories.probes)
        let played = SystematicHistories(type, reached: coverage.rows).interruptions
        await player.play(played)
        print("\(played.count) histories in which two processes work on one \(type.rawValue)")
        #expect(coverage.interruptions * 100 >= played.count * 95)
    }

    @Test(
        "A rollback brings back the bytes, whether or not the bucket keeps versions, also of what system A made",
        arguments: History.Versioning.allCases, [false, true])
    func rollbacks(_ versioning: History.Versioning, adopted: Bool) async {
        let endings: [Ending] = [.rollbackUpdate, .rollbackDelete, .complete, .rollbackUpdate]
        let changes: [Change] = [.rotation, .distrust, .domain, .appName]
        let histories = [true, false].flatMap { stable in
            changes.flatMap { change in
                [nil, PlannedFault(step: 9, fault: .killAfter), PlannedFault(step: 11, fault: .status403)].map {
                    fault in
                    History(
                        schedule: 4, adopted: adopted, stableS3Key: stable, versioning: versioning,
                        steps: endings.map { ending in
                            var step = Step(action: .update, change: change, ending: ending)
                            step.troubles = fault.map { [Trouble(event: 0, faults: [$0])] } ?? []
                            return step
                        })
                }
            }
        }
        await HistoryPlayer(coverage: CoverageTable()).play(histories)
    }

    @Test("Of two certificates with one key of system A's each keeps it through what becomes of the other")
    func sharedAdoptions() async {
        let coverage = CoverageTable()
        await HistoryPlayer(coverage: coverage).play(SystematicHistories.sharedAdoptions)
        #expect(Set(coverage.rows.map(\.kind)).isSuperset(of: [.adoptedUpdate, .adoptedRotation, .adoptedDelete]))
    }

    @Test("An object of system A's that cannot be read stops neither a rotation nor a deletion")
    func unreadableAdoptions() async {
        let coverage = CoverageTable()
        await HistoryPlayer(coverage: coverage).play(SystematicHistories.unreadableAdoptions)
        #expect(Set(coverage.rows.map(\.kind)).isSuperset(of: [.adoptedRotation, .adoptedDelete]))
    }

    @Test("What an update that was killed left is removed by a later one, and else only the sweep reports it")
    func orphans() async {
        let coverage = CoverageTable()
        var histories: [History] = []
        for step in 1...14 {
            let kills = (0...2).map {
                PlannedFault(delivery: $0, step: $0 == 0 ? step : 1, fault: .killAfter)
            }
            let killed = Step(
                action: .update, change: .rotation, ending: .noRollback,
                troubles: [Trouble(event: 0, faults: kills)])
            histories.append(History(schedule: 1, steps: [killed]))
            histories.append(History(schedule: 1, steps: [killed, Step(action: .update, change: .nothing)]))
        }
        await HistoryPlayer(coverage: coverage).play(histories)
        #expect(coverage.orphans > 0)
        #expect(coverage.orphansRemoved == coverage.orphans)
    }

    @Test("A provider that is broken on purpose is caught", arguments: Sabotage.allCases)
    func sabotage(_ sabotage: Sabotage) async {
        await expectCaught(sabotage, in: .elbBackend, randomly: 200)
    }

    @Test(
        "A Let's Encrypt provider that is broken on purpose is caught",
        arguments: Sabotage.allCases.filter { $0 != .ignoresIfNoneMatch })
    func letsEncryptSabotage(_ sabotage: Sabotage) async {
        await expectCaught(sabotage, in: .letsEncrypt, randomly: 0)
    }

    private func expectCaught(
        _ sabotage: Sabotage, in type: History.ResourceType, randomly count: Int
    ) async {
        let systematic = SystematicHistories(
            type, reached: EventKind.allCases.map { .init(resourceType: type, kind: $0, stable: false, step: 8) })
        var played = 0
        for history in systematic.lives.prefix(60) + (0..<count).map({ HistoryGenerator.random(UInt64($0)) }) {
            played += 1
            let rules = await HistoryRunner.violations(of: history, sabotage: sabotage).map(\.rule)
            if !sabotage.rules.isDisjoint(with: rules) { return }
        }
        Issue.record("\(sabotage) was not caught in \(played) histories")
    }

    @Test("The same history goes the same way again")
    func determinism() async {
        for seed in 0..<5 {
            let history = HistoryGenerator.random(UInt64(seed) + 77)
            let texts = await [true, true].asyncMap { _ in
                let coverage = CoverageTable()
                _ = await HistoryRunner.violations(of: history, coverage: coverage)
                return coverage.text
            }
            #expect(texts[0] == texts[1])
        }
    }

    @Test("A history from a file is played again", .enabled(if: HistorySettings.file != nil))
    func replay() async throws {
        let path = try #require(HistorySettings.file)
        let history = try History(json: Array(try Data(contentsOf: URL(filePath: path))))
        for violation in await HistoryRunner.violations(of: history) { Issue.record("\(violation)") }
    }
}

extension Sequence {
    fileprivate func asyncMap<Result>(_ transform: (Element) async -> Result) async -> [Result] {
        var results: [Result] = []
        for element in self { results.append(await transform(element)) }
        return results
    }
}
