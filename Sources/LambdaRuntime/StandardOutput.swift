internal import Synchronization

#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Glibc
#endif

/// Standard output, a whole line at a time.
enum StandardOutput {
    /// Lines of two tasks must not mix: a pipe takes only 4 KiB in one piece.
    private static let turn = Mutex(())

    /// Writes everything with one `write(2)` where the system takes it in one.
    ///
    /// Not through `stdout`'s buffer: Lambda freezes the process between events, and what is buffered then belongs to
    /// the wrong event or is lost. A line that cannot be written is dropped: nobody is left to be told.
    @Sendable static func write(_ line: [UInt8]) {
        turn.withLock { _ in
            unsafe line.withUnsafeBytes { buffer in
                var rest = unsafe buffer[...]
                while unsafe !rest.isEmpty {
                    let written = unsafe Self.write(UnsafeRawBufferPointer(rebasing: rest))
                    guard written > 0 else { return }
                    unsafe rest = rest.dropFirst(written)
                }
            }
        }
    }

    /// The bytes that were taken; 0 when none can be.
    private static func write(_ buffer: UnsafeRawBufferPointer) -> Int {
        while true {
            let written = unsafe posixWrite(STDOUT_FILENO, buffer.baseAddress, buffer.count)
            if written >= 0 { return written }
            switch errno {
            case EINTR:
                continue
            case EAGAIN:
                var ready = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                guard unsafe poll(&ready, 1, 1000) > 0 else { return 0 }
            default:
                return 0
            }
        }
    }
}

/// Outside the type, whose own `write` would hide the system's.
private func posixWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(descriptor, bytes, count)
}
