import Glibc
import Synchronization

/// What a log handler put out.
final class LineCollector: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    @Sendable func append(_ line: [UInt8]) {
        bytes.withLock { $0 += line }
    }

    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
}

/// The variable's value in the C library's environment.
func environmentValue(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
}
