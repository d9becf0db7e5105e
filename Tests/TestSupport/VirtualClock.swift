internal import Synchronization
package import Timekeeping

/// A clock that stands still until somebody sleeps; a sleep moves it on at once.
///
/// Whole histories with hours of waiting run in no time, and each is the same every time.
package final class VirtualClock: WallClock {
    private let time: Mutex<UnixInstant>

    package init(_ start: UnixInstant = UnixInstant(seconds: 1_800_000_000)) {
        self.time = Mutex(start)
    }

    package var now: UnixInstant { time.withLock { $0 } }
    package var minimumResolution: Duration { .milliseconds(1) }

    package func sleep(until deadline: UnixInstant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        time.withLock { $0 = max($0, deadline) }
        await Task.yield()
    }

    package func advance(by duration: Duration) {
        time.withLock { $0 = $0.advanced(by: duration) }
    }
}
