package import Timekeeping

/// What a run did.
package struct RenewalReport: Hashable, Sendable {
    /// One stack.
    package struct Line: Hashable, Sendable {
        package let stack: DueStack
        package let outcome: RenewalOutcome
        /// Whether whoever is on call has not heard of this failure yet, or not today.
        package let isNews: Bool

        init(stack: DueStack, outcome: RenewalOutcome, isNews: Bool = false) {
            self.stack = stack
            self.outcome = outcome
            self.isNews = isNews && outcome.isFailure
        }
    }

    /// Certificates that are due.
    package let due: Int
    package internal(set) var lines: [Line] = []

    init(due: Int) {
        self.due = due
    }

    package func count(_ code: RenewalOutcome.Code) -> Int { lines.count { $0.outcome.code == code } }

    /// Of all stacks that are due or under way: what runs out first.
    package var nearestExpiry: UnixInstant? {
        lines.filter { ![.renewed, .stackDeleted].contains($0.outcome.code) }.compactMap(\.stack.earliestExpiry).min()
    }

    package var failed: Int { lines.count { $0.outcome.isFailure } }
}
