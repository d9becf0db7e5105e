#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What cannot be written is lost: nobody is left to be told.
func writeToStandardError(_ text: String) {
    unsafe Array(text.utf8).withUnsafeBytes { bytes in
        _ = unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }
}
