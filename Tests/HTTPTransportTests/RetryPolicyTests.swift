import HTTPTransport
import TestSupport
import Testing
import Timekeeping

@Suite struct RetryPolicyTests {
    private struct Passing: Error {}
    private struct Lasting: Error {}

    private let clock = VirtualClock()
    private var farAway: UnixInstant { clock.now.advanced(by: .seconds(3600)) }

    private func verdict(_ error: any Error) -> RetryPolicy.Verdict { error is Passing ? .retry() : .giveUp }

    @Test("A passing error is tried again, and the success counts")
    func retried() async throws {
        let result = try await RetryPolicy(maximumAttempts: 3).run(until: farAway, clock: clock, classify: verdict) {
            attempt in
            if attempt < 3 { throw Passing() }
            return attempt
        }
        #expect(result == 3)
    }

    @Test("A lasting error is not tried again")
    func lasting() async {
        var attempts = 0
        await #expect(throws: Lasting.self) {
            try await RetryPolicy().run(until: farAway, clock: clock, classify: verdict) { _ in
                attempts += 1
                throw Lasting()
            }
        }
        #expect(attempts == 1)
    }

    @Test("The attempts run out")
    func spent() async {
        var attempts = 0
        await #expect(throws: Passing.self) {
            try await RetryPolicy(maximumAttempts: 4).run(until: farAway, clock: clock, classify: verdict) { _ in
                attempts += 1
                throw Passing()
            }
        }
        #expect(attempts == 4)
    }

    @Test(
        "Patience allows more tries than the attempts, and attempts more time than the patience",
        arguments: [(5, 0, 7), (0, 0, 5), (5, 20, 5)] as [(Int64, Int64, Int)])
    func patience(seconds: Int64, secondsOfEachTry: Int64, tries: Int) async {
        var attempts = 0
        await #expect(throws: Passing.self) {
            // Waits end after 100, 300, 700, 1,500, 3,100 and 6,300 milliseconds.
            try await RetryPolicy(patience: .seconds(seconds)).run(
                until: farAway, clock: clock, jitter: { $0.upperBound }, classify: verdict
            ) { _ in
                attempts += 1
                clock.advance(by: .seconds(secondsOfEachTry))
                throw Passing()
            }
        }
        #expect(attempts == tries)
    }

    @Test("No wait goes past the deadline")
    func deadline() async {
        let start = clock.now
        let deadline = start.advanced(by: .seconds(1))
        await #expect(throws: Passing.self) {
            try await RetryPolicy(maximumAttempts: 1000, baseDelay: .milliseconds(300), maximumDelay: .seconds(5)).run(
                until: deadline, clock: clock, jitter: { $0.upperBound }, classify: verdict
            ) { _ in throw Passing() }
        }
        #expect(clock.now < deadline)
        #expect(clock.now > start)
    }

    @Test("The bound of the wait doubles up to the maximum")
    func backoff() {
        let policy = RetryPolicy(baseDelay: .milliseconds(100), maximumDelay: .seconds(1))
        #expect((1...6).map { policy.ceiling(afterAttempt: $0).wholeMilliseconds } == [100, 200, 400, 800, 1000, 1000])
        #expect(policy.ceiling(afterAttempt: 0) == .milliseconds(100))
    }

    @Test("A wait that the peer asks for is kept")
    func retryAfter() async throws {
        let start = clock.now
        _ = try await RetryPolicy().run(
            until: farAway, clock: clock, jitter: { _ in 0 }, classify: { _ in .retry(after: .seconds(7)) }
        ) { attempt in
            if attempt == 1 { throw Passing() }
        }
        #expect(start.duration(to: clock.now) == .seconds(7))
    }
}
