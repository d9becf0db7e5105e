import Testing

/// Plays many histories, two at a time, and reports the smallest form of those that break a rule.
struct HistoryPlayer: Sendable {
    let coverage: CoverageTable

    func play(_ histories: [History]) async {
        let broken = await withTaskGroup(of: [(History, Violation)].self) { group in
            for worker in 0..<2 {
                group.addTask {
                    var broken: [(History, Violation)] = []
                    for index in stride(from: worker, to: histories.count, by: 2) {
                        let violations = await HistoryRunner.violations(of: histories[index], coverage: coverage)
                        if let first = violations.first { broken.append((histories[index], first)) }
                    }
                    return broken
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        var shown: Set<String> = []
        for (history, violation) in broken where shown.count < 6 {
            let words = "\(violation.rule)\(violation.detail.split(separator: " ").suffix(3))"
            guard shown.insert(words).inserted else { continue }
            await report(history, breaking: violation.rule)
        }
        if broken.count > 0 { Issue.record("\(broken.count) of \(histories.count) histories broke a rule") }
    }

    /// Records the smallest history that breaks the same rule.
    private func report(_ history: History, breaking rule: Violation.Rule) async {
        let shrunk = await Shrinker { candidate in
            await HistoryRunner.violations(of: candidate).contains { $0.rule == rule }
        }.shrink(history)
        let violations = await HistoryRunner.violations(of: shrunk)
        Issue.record("\(violations.map(\.description).joined(separator: "\n"))\n\(shrunk.json)\nof \(history.json)")
    }
}
