import Glibc

/// Whole lines, at once: a watcher's output is read while it runs.
enum StandardStreams {
    static func write(_ line: String) { writePart(line + "\n", to: STDOUT_FILENO) }

    static func complain(_ line: String) { remark("stackcert: " + line) }

    /// What is no result, where results are for scripts.
    static func remark(_ line: String) { writePart(line + "\n", to: STDERR_FILENO) }

    static func writePart(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            // Nobody reads it any more.
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }
}
