package import Timekeeping

/// When to try again: exponential backoff with full jitter, until the attempts or the deadline run out.
///
/// The only retry in the program: the HTTP library's own is switched off, so that no request is sent more often than
/// this says.
package struct RetryPolicy: Sendable {
    /// Tries in all, the first one included, unless `patience` allows more.
    package let maximumAttempts: Int
    /// The upper bound of the first wait; it doubles with each try.
    package let baseDelay: Duration
    /// The upper bound of any wait that the peer did not ask for.
    package let maximumDelay: Duration
    /// For how long it is tried again however many tries that takes.
    package let patience: Duration

    package init(
        maximumAttempts: Int = 5, baseDelay: Duration = .milliseconds(100), maximumDelay: Duration = .seconds(10),
        patience: Duration = .zero
    ) {
        self.maximumAttempts = maximumAttempts
        self.baseDelay = baseDelay
        self.maximumDelay = maximumDelay
        self.patience = patience
    }

    /// What to do after a failed try.
    package enum Verdict: Sendable {
        /// Try again, at the earliest after `retryAfter` when the peer named a time.
        case retry(after: Duration? = nil)
        /// Give up with the error as it is.
        case giveUp
    }

    /// Runs `operation` until it succeeds, `classify` says to give up, attempts and patience are spent, or the next wait
    /// would pass the deadline. Throws the last error then.
    package func run<Success>(
        until deadline: UnixInstant,
        clock: any WallClock,
        jitter: @Sendable (ClosedRange<Int64>) -> Int64 = { Int64.random(in: $0) },
        classify: (any Error) -> Verdict,
        _ operation: (_ attempt: Int) async throws -> Success
    ) async throws -> Success {
        let start = clock.now
        var attempt = 1
        while true {
            do {
                return try await operation(attempt)
            } catch {
                guard attempt < maximumAttempts || start.duration(to: clock.now) < patience,
                    case .retry(let asked) = classify(error)
                else { throw error }
                let ceiling = ceiling(afterAttempt: attempt).wholeMilliseconds
                let wait = max(asked ?? .zero, .milliseconds(jitter(0...max(0, ceiling))))
                guard clock.now.advanced(by: wait) < deadline else { throw error }
                try await clock.sleep(for: wait)
                attempt += 1
            }
        }
    }

    /// The largest wait after the given try (1 is the first): base × 2^(attempt − 1), bounded.
    package func ceiling(afterAttempt attempt: Int) -> Duration {
        var delay = baseDelay
        for _ in 1..<max(2, attempt) where attempt > 1 && delay < maximumDelay { delay *= 2 }
        return min(delay, maximumDelay)
    }
}
