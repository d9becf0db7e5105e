import Synchronization

/// How often each fault happened at each step of each kind of event.
final class CoverageTable: Sendable {
    struct Row: Hashable, Comparable, Sendable {
        var resourceType = History.ResourceType.elbBackend
        let kind: EventKind
        let stable: Bool
        let step: Int

        static func < (lhs: Row, rhs: Row) -> Bool {
            (lhs.resourceType.rawValue, lhs.kind, lhs.stable ? 1 : 0, lhs.step)
                < (rhs.resourceType.rawValue, rhs.kind, rhs.stable ? 1 : 0, rhs.step)
        }
    }

    private struct State {
        var counts: [Row: [Fault: Int]] = [:]
        var orphans = 0
        var orphansRemoved = 0
        var events = 0
        var deliveries = 0
        var interruptions = 0
    }

    private let state = Mutex(State())

    /// A step that was reached, with or without a fault.
    func count(_ row: Row, _ fault: Fault?) {
        state.withLock { state in
            if let fault {
                state.counts[row, default: [:]][fault, default: 0] += 1
            } else if state.counts[row] == nil {
                state.counts[row] = [:]
            }
        }
    }

    func countOrphan() { state.withLock { $0.orphans += 1 } }
    func countOrphanRemoved() { state.withLock { $0.orphansRemoved += 1 } }
    func countEvent() { state.withLock { $0.events += 1 } }
    func countDelivery() { state.withLock { $0.deliveries += 1 } }

    func countInterruption() { state.withLock { $0.interruptions += 1 } }

    /// How often one process stood still while another ran.
    var interruptions: Int { state.withLock { $0.interruptions } }

    /// The steps that were reached.
    var rows: [Row] { state.withLock { $0.counts.keys.sorted() } }

    func count(of fault: Fault, at row: Row) -> Int { state.withLock { $0.counts[row]?[fault] ?? 0 } }

    var orphans: Int { state.withLock { $0.orphans } }
    var orphansRemoved: Int { state.withLock { $0.orphansRemoved } }

    /// One line per kind of event and step, one column per fault.
    var text: String {
        let counts = state.withLock { $0 }
        var lines = ["\(pad("event, step", 46))" + Fault.allCases.map { pad($0.rawValue, 16) }.joined()]
        for row in counts.counts.keys.sorted() {
            let type = row.resourceType == .letsEncrypt ? "Let's Encrypt: " : ""
            let name = "\(type)\(row.kind.rawValue)\(row.stable ? ", StableS3Key" : ""), \(row.step)"
            lines.append(
                pad(name, 46)
                    + Fault.allCases.map { pad(String(counts.counts[row]?[$0] ?? 0), 16) }.joined())
        }
        return (lines + [summary]).joined(separator: "\n")
    }

    var summary: String {
        let counts = state.withLock { $0 }
        return "\(counts.events) events in \(counts.deliveries) deliveries; orphans that only the sweep can report: "
            + "\(counts.orphans), removed by a later update: \(counts.orphansRemoved)"
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
