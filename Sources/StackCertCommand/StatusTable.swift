import CertificateRenewal
import Timekeeping

/// What `stackcert status` prints.
struct StatusTable {
    private let statuses: [CertificateStatus]
    private let sweep: SweepReport?
    private let now: UnixInstant

    /// - Parameter sweep: the last one; nil when there was none.
    init(_ statuses: [CertificateStatus], sweep: SweepReport? = nil, now: UnixInstant) {
        self.statuses = statuses
        self.sweep = sweep
        self.now = now
    }

    /// `The last sweep was 3 days ago.`
    var sweepLine: String {
        guard let ended = sweep?.endedAt else { return "There was no sweep yet: orphans are not shown." }
        let age = Int(ended.duration(to: now) / Duration.days(1))
        return age < 1
            ? "The last sweep was less than a day ago."
            : "The last sweep was \(age) \(age == 1 ? "day" : "days") ago."
    }

    /// A line for each certificate, the first to expire at the top; under a line what is wrong.
    var text: String {
        guard !statuses.isEmpty else { return "There are no certificates." }
        let header = ["STACK", "RESOURCE", "ALGORITHM", "NOT AFTER", "DAYS", "DUE", "STATE"]
        let rows = statuses.map { status in
            [
                status.stackName, status.logicalResourceID, status.algorithm,
                status.notAfter.day, String(status.daysLeft(at: now)),
                status.due.day, status.state.rawValue,
            ].map(PlainText.escaped)
        }
        let widths = header.indices.map { column in
            ([header] + rows).map { $0[column].count }.max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            zip(cells, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
                .joined(separator: "  ").trimmingEnd()
        }
        var lines = [line(header)]
        for (status, row) in zip(statuses, rows) {
            lines.append(line(row))
            if let note = status.note { lines.append("  \(PlainText.escaped(note))") }
        }
        lines.append(sweepLine)
        return lines.joined(separator: "\n")
    }

    /// The same as a list of objects.
    func json() throws -> String {
        let entries = statuses.map { status in
            Entry(
                stack: status.stackName, stackId: status.stackID, resource: status.logicalResourceID,
                algorithm: status.algorithm, notBefore: status.notBefore, notAfter: status.notAfter,
                daysLeft: status.daysLeft(at: now), due: status.due, state: status.state.rawValue,
                note: status.note)
        }
        return try OutputOptions.document(entries)
    }

    private struct Entry: Encodable {
        let stack: String
        let stackId: String
        let resource: String
        let algorithm: String
        let notBefore: UnixInstant
        let notAfter: UnixInstant
        let daysLeft: Int
        let due: UnixInstant
        let state: String
        let note: String?
    }
}

extension String {
    fileprivate func trimmingEnd() -> String {
        String(reversed().drop { $0 == " " }.reversed())
    }
}
