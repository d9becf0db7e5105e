import Timekeeping

/// Maps points in time to positions on one line that all certificates share.
struct Timeline: Hashable, Sendable {
    let start: UnixInstant
    let end: UnixInstant

    /// Where the line ends: a unit is a tenth of a per mille.
    static let width = 10_000

    /// From the first beginning to the last end; today is always on it.
    ///
    /// No more than `reach` on either side of today: one certificate of ten years would make the others invisible.
    init(_ lifetimes: [ClosedRange<UnixInstant>], today: UnixInstant, reach: Duration = .days(400)) {
        let first = min(lifetimes.map(\.lowerBound).min() ?? today, today)
        let last = max(lifetimes.map(\.upperBound).max() ?? today, today)
        start = max(first, today.advanced(by: .zero - reach))
        end = max(min(last, today.advanced(by: reach)), start.advanced(by: .seconds(1)))
    }

    /// 0 at the start, ``width`` at the end; what lies outside is moved to the nearer end.
    func position(of instant: UnixInstant) -> Int {
        let share = start.duration(to: instant) / start.duration(to: end)
        return Int((min(max(share, 0), 1) * Double(Self.width)).rounded())
    }

    /// Whether a part of it cannot be shown.
    func cuts(_ lifetime: ClosedRange<UnixInstant>) -> Bool { lifetime.lowerBound < start || lifetime.upperBound > end }

    /// First days of months to write at the line: six at most, as many months apart as that takes.
    var months: [UnixInstant] {
        let first = CivilDate(start)
        let all = (1...40).compactMap { offset -> UnixInstant? in
            let month = first.month - 1 + offset
            let begin = CivilDate(year: first.year + month / 12, month: month % 12 + 1, day: 1)?.instant
            return begin.flatMap { $0 <= end ? $0 : nil }
        }
        let step = max(1, (all.count + 5) / 6)
        return all.enumerated().filter { $0.offset % step == 0 }.map(\.element)
    }
}
