internal import Timekeeping

/// When to ask a server again that has nothing to say yet.
struct Polling {
    private let clock: any WallClock
    private let deadline: UnixInstant
    private var pause = Duration.milliseconds(250)

    init(clock: any WallClock, deadline: UnixInstant) {
        self.clock = clock
        self.deadline = deadline
    }

    /// Waits as long as the server asked for, within a minute, or a little longer each time.
    ///
    /// - Returns: false, at once, when the wait would pass the deadline.
    mutating func pause(until asked: UnixInstant?) async throws -> Bool {
        let wait = asked.map { min(max(clock.now.duration(to: $0), .milliseconds(250)), .seconds(60)) } ?? pause
        pause = min(pause * 3 / 2, .seconds(5))
        guard clock.now.advanced(by: wait) < deadline else { return false }
        try await clock.sleep(for: wait)
        return true
    }
}
