package import ACME
package import Timekeeping

/// Decides when a certificate of a CA is to be renewed: at a time within the window that the CA names (RFC 9773), without
/// one by its lifetime.
package struct RenewalPlanner: Sendable {
    /// What the decision is about.
    package struct Subject: Hashable, Sendable {
        package let notBefore: UnixInstant
        package let notAfter: UnixInstant
        /// By its lifetime.
        package let due: UnixInstant
        package let id: CertificateID
        package let directory: ResourceURL

        package init(
            notBefore: UnixInstant, notAfter: UnixInstant, due: UnixInstant, id: CertificateID, directory: ResourceURL
        ) {
            self.notBefore = notBefore
            self.notAfter = notAfter
            self.due = due
            self.id = id
            self.directory = directory
        }
    }

    package enum Plan: Hashable, Sendable {
        case renewNow
        /// Nothing is to be done before.
        case lookAgain(UnixInstant)
    }

    private let adviser: any RenewalAdviser
    private let memory: any RenewalAdviceMemory
    private let clock: any WallClock
    private let wakeUp: Duration
    private let jitter: @Sendable (ClosedRange<Int64>) -> Int64

    /// When a CA cannot be asked.
    private static let retry = Duration.seconds(3600)

    /// - Parameters:
    ///   - wakeUp: how long until somebody looks again: what falls before that is for now.
    ///   - jitter: picks a time within a CA's window, in milliseconds from its beginning.
    package init(
        adviser: any RenewalAdviser, memory: any RenewalAdviceMemory, clock: any WallClock, wakeUp: Duration,
        jitter: @escaping @Sendable (ClosedRange<Int64>) -> Int64 = { Int64.random(in: $0) }
    ) {
        self.adviser = adviser
        self.memory = memory
        self.clock = clock
        self.wakeUp = wakeUp
        self.jitter = jitter
    }

    /// - Returns: the plan, and why the CA could not be asked. What it said before still counts then; without that the
    ///   lifetime does.
    package func plan(_ subject: Subject, deadline: UnixInstant) async throws -> (plan: Plan, failure: ACMEError?) {
        let now = clock.now
        let lifetime = subject.notBefore.duration(to: subject.notAfter)
        // With so little left nobody is asked any more.
        guard now < subject.notAfter.advanced(by: .zero - lifetime / 20) else { return (.renewNow, nil) }
        let stored = try await memory.lastAdvice(deadline: deadline)
        let known = stored.flatMap { $0.certificateID == subject.id.description ? $0 : nil }
        if let known, known.askAgainAt > now { return (plan(by: known, at: now, orAt: known.askAgainAt), nil) }
        do {
            guard
                let info = try await adviser.renewalInfo(of: subject.id, at: subject.directory, deadline: deadline)
            else { return (plan(by: subject.due, at: now), nil) }
            let advice = advice(by: info, subject.id, keeping: known)
            try await memory.remember(advice, deadline: deadline)
            return (plan(by: advice, at: now, orAt: advice.askAgainAt), nil)
        } catch let error as ACMEError {
            let retry = now.advanced(by: Self.retry)
            guard let known else { return (plan(by: subject.due, at: now, orAt: retry), error) }
            return (plan(by: known, at: now, orAt: retry), error)
        }
    }

    private func plan(by due: UnixInstant, at now: UnixInstant, orAt other: UnixInstant? = nil) -> Plan {
        due <= now ? .renewNow : .lookAgain(other.map { min(due, $0) } ?? due)
    }

    /// In the last look before the time that was chosen, or earlier.
    private func plan(by advice: RenewalAdvice, at now: UnixInstant, orAt other: UnixInstant) -> Plan {
        plan(by: advice.chosen.advanced(by: .zero - wakeUp).wholeMinute, at: now, orAt: other)
    }

    /// The time stays as long as the window does.
    private func advice(by info: RenewalInfo, _ id: CertificateID, keeping earlier: RenewalAdvice?) -> RenewalAdvice {
        let isSame = earlier.map { $0.windowStart == info.start && $0.windowEnd == info.end } ?? false
        let width = info.start.duration(to: info.end).wholeMilliseconds
        let chosen = info.start.advanced(by: .milliseconds(jitter(0...max(0, width))))
        return RenewalAdvice(
            certificateID: id.description, windowStart: info.start, windowEnd: info.end,
            chosen: isSame ? earlier?.chosen ?? chosen : chosen, askAgainAt: info.askAgainAt,
            explanationURL: info.explanationURL)
    }
}

/// Where the last advice about one certificate is kept, so that the time in its window is chosen once.
package protocol RenewalAdviceMemory: Sendable {
    func lastAdvice(deadline: UnixInstant) async throws -> RenewalAdvice?
    func remember(_ advice: RenewalAdvice, deadline: UnixInstant) async throws
}

extension UnixInstant {
    /// Markers are to the minute.
    var wholeMinute: UnixInstant { UnixInstant(seconds: seconds / 60 * 60) }
}
