internal import Synchronization

/// Keeps the first value that it is given and hands it to the one who waits: whoever ends first decides, once (case 18).
final class Latch<Value: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Value, Never>)
        case closed(Value)
    }

    private let state = Mutex(State.open)

    /// - Returns: false when another value was first: this one is dropped.
    @discardableResult
    func close(with value: Value) -> Bool {
        let waiting: CheckedContinuation<Value, Never>?
        let isFirst: Bool
        (waiting, isFirst) = state.withLock { state in
            switch state {
            case .closed:
                return (nil, false)
            case .open:
                state = .closed(value)
                return (nil, true)
            case .awaited(let continuation):
                state = .closed(value)
                return (continuation, true)
            }
        }
        waiting?.resume(returning: value)
        return isFirst
    }

    /// Waits for the first value. For one task only.
    var value: Value {
        get async {
            await withCheckedContinuation { continuation in
                let known: Value? = state.withLock { state in
                    if case .closed(let value) = state { return value }
                    state = .awaited(continuation)
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        }
    }
}
