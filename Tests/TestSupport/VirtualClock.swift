internal import Synchronization
package import Timekeeping

/// A clock that stands still until somebody sleeps for a moment; such a sleep moves it on at once.
///
/// Whole histories with hours of waiting run in no time, and each is the same every time. Long sleeps (a deadline being
/// watched) do not move the clock: they end when others have moved it far enough, or when they are cancelled.
package final class VirtualClock: WallClock {
    /// A retry's pause is shorter, a deadline is farther away.
    private let longestPause: Duration

    private struct State {
        var now: UnixInstant
        var sleepers: [Int: (deadline: UnixInstant, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var nextSleeper = 0
        /// Cancelled before they began to sleep.
        var cancelled: Set<Int> = []
    }

    private let state: Mutex<State>

    /// - Parameter longestPause: sleeps up to this long move the clock. With none at all somebody has to call
    ///   ``advanceToNextSleeper()`` whenever nothing else can go on.
    package init(
        _ start: UnixInstant = UnixInstant(seconds: 1_800_000_000), longestPause: Duration = .seconds(15)
    ) {
        self.longestPause = longestPause
        self.state = Mutex(State(now: start))
    }

    package var now: UnixInstant { state.withLock { $0.now } }
    package var minimumResolution: Duration { .milliseconds(1) }

    package func advance(by duration: Duration) {
        advance(to: now.advanced(by: duration))
    }

    package func advance(to instant: UnixInstant) {
        let due = state.withLock { state in
            state.now = max(state.now, instant)
            // In the order in which they went to sleep, so that a run is the same every time.
            let ids = state.sleepers.filter { $0.value.deadline <= state.now }.map(\.key).sorted()
            return ids.compactMap { state.sleepers.removeValue(forKey: $0)?.continuation }
        }
        for continuation in due { continuation.resume() }
    }

    /// Moves the clock to the moment for which somebody waits first. False when nobody waits.
    package func advanceToNextSleeper() -> Bool {
        guard let next = state.withLock({ $0.sleepers.values.map(\.deadline).min() }) else { return false }
        advance(to: next)
        return true
    }

    package func sleep(until deadline: UnixInstant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        if now.duration(to: deadline) <= longestPause {
            advance(to: deadline)
            await Task.yield()
            return
        }
        let id = state.withLock { state in
            state.nextSleeper += 1
            return state.nextSleeper
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let alreadyCancelled = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return true }
                    state.sleepers[id] = (deadline, continuation)
                    return false
                }
                if alreadyCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let continuation = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: id)
                if sleeper == nil { state.cancelled.insert(id) }
                return sleeper?.continuation
            }
            continuation?.resume(throwing: CancellationError())
        }
    }
}
