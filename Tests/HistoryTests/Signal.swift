import Synchronization

/// Something that one task waits for and another says once.
final class Signal: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<Void, Never>)
        case given
    }

    private let state = Mutex(State.open)

    func give() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            defer { state = .given }
            guard case .waiting(let continuation) = state else { return nil }
            return continuation
        }
        waiter?.resume()
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isGiven = state.withLock { state in
                if case .given = state { return true }
                state = .waiting(continuation)
                return false
            }
            if isGiven { continuation.resume() }
        }
    }
}
