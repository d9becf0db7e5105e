internal import CertificateIssuance
package import Timekeeping

/// What is remembered of a stack's renewal from its beginning until the new generation is live:
/// `renewals/<stack GUID>.json` in the state bucket. It is also the lock: whoever wrote the lease works on the stack.
package struct RenewalAttempt: Hashable, Sendable, Codable {
    static let root = "renewals/"

    package var version = 1
    package let stackID: String
    package private(set) var certificates: [DueCertificate]
    /// Until then nobody else touches the stack.
    package var leaseEnds: UnixInstant
    /// Set before the change set is executed; nil when nothing was started.
    package var execution: Execution?
    /// Tries that failed since the last success.
    package var failures: Int
    package var nextTry: UnixInstant
    package var outcome: RenewalOutcome.Code?
    package var line: String?
    /// When the stack was first found busy, of tries that found nothing else since. Absent in what earlier versions wrote.
    private(set) var busySince: UnixInstant?

    package struct Execution: Hashable, Sendable, Codable {
        /// The change set's ARN.
        package let changeSetID: String
        package let startedAt: UnixInstant
    }

    init(_ stack: DueStack, now: UnixInstant) {
        stackID = stack.id
        certificates = stack.certificates
        leaseEnds = now
        failures = 0
        nextTry = now
    }

    /// The stack with what is to be replaced in it.
    var stack: DueStack {
        let guid = stackID.split(separator: "/").last.map(String.init) ?? stackID
        return DueStack(id: stackID, guid: guid, certificates: certificates)
    }

    /// No invocation lasts longer, and no clock is that wrong: a lease that ends later was never given.
    static let longestLease: Duration = .seconds(2000)
    /// How long a stack may be busy before somebody is told: an update that waits for servers takes hours at most.
    static let patience: Duration = .seconds(6 * 3600)

    /// Whether somebody works on the stack.
    func isLeased(at now: UnixInstant) -> Bool {
        leaseEnds > now && leaseEnds <= now.advanced(by: Self.longestLease)
    }

    /// Whether a failed try's pause has not ended yet.
    func isPausing(at now: UnixInstant) -> Bool {
        nextTry > now && nextTry <= now.advanced(by: .days(1))
    }

    /// A stack that is busy is no failure until it has been so for hours.
    func judged(_ outcome: RenewalOutcome, now: UnixInstant) -> RenewalOutcome {
        guard outcome.code == .stackBusy, (busySince ?? now).duration(to: now) < Self.patience else { return outcome }
        return outcome.tolerated
    }

    static func key(stackGUID: String) -> String { "\(root)\(stackGUID).json" }

    /// After 1, 10 and 100 minutes, then once a day; once a day from the beginning when servers were replaced in vain.
    static func pause(afterFailures failures: Int, touchedServers: Bool) -> Duration {
        switch (touchedServers, failures) {
        case (false, ...1): .seconds(60)
        case (false, 2): .seconds(600)
        case (false, 3): .seconds(6000)
        default: .days(1)
        }
    }

    /// As it is after a try, with the lease given back.
    func after(_ outcome: RenewalOutcome, now: UnixInstant) -> RenewalAttempt {
        var next = self
        next.leaseEnds = now
        next.outcome = outcome.code
        next.line = outcome.line
        next.busySince = outcome.code == .stackBusy ? busySince ?? now : nil
        guard outcome.isFailure else { return next }
        next.execution = nil
        next.failures = failures < Int.max ? failures + 1 : failures
        next.nextTry = now.advanced(
            by: Self.pause(afterFailures: next.failures, touchedServers: outcome.touchedServers))
        return next
    }

    /// The same, with what is due now: more may have become due while a failed try waited.
    func `for`(_ stack: DueStack) -> RenewalAttempt {
        var next = self
        if execution == nil { next.certificates = stack.certificates }
        return next
    }

    /// Whoever is on call hears of the first failure, of another one, and then once a day.
    func isNews(since earlier: RenewalAttempt) -> Bool {
        outcome != earlier.outcome || failures == 1 || failures > 3
    }
}
