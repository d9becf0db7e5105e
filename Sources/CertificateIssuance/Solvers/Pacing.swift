internal import AWSClient
internal import HTTPTransport
internal import Timekeeping

/// Waits between requests to a service that takes only a few each second from a whole account.
struct Pacing: Sendable {
    let clock: any WallClock
    /// Picks a wait, in milliseconds.
    let jitter: @Sendable (ClosedRange<Int64>) -> Int64

    /// Sends a request again, after longer and longer waits, for as long as the service asks for fewer of them: many
    /// may be at work in one account.
    func call<Value>(until deadline: UnixInstant, _ request: () async throws -> Value) async throws -> Value {
        let policy = RetryPolicy(maximumAttempts: .max, baseDelay: .seconds(2), maximumDelay: .seconds(15))
        return try await policy.run(
            until: deadline, clock: clock, jitter: jitter,
            classify: { ($0 as? AWSError)?.isThrottling == true ? .retry() : .giveUp }
        ) { _ in try await request() }
    }

    /// Waits for some time between the two.
    ///
    /// - Returns: how long it was; nil, at once, when the deadline would come first.
    func wait(_ least: Duration, _ most: Duration, until deadline: UnixInstant) async throws -> Duration? {
        let wait = Duration.milliseconds(jitter(least.wholeMilliseconds...most.wholeMilliseconds))
        guard clock.now.advanced(by: wait) < deadline else { return nil }
        try await clock.sleep(for: wait)
        return wait
    }
}
