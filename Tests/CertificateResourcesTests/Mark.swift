import Synchronization

/// A mark that a fault sets when the operation that it waits for has come.
final class Mark: Sendable {
    private let mark = Mutex(false)

    var isSet: Bool { mark.withLock { $0 } }

    func set() { mark.withLock { $0 = true } }
}
