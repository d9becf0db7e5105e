#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Glibc
#endif

/// The environment variable in which the Runtime API asks a runtime to keep the current X-Ray trace header.
enum TraceEnvironment {
    static let name = "_X_AMZN_TRACE_ID"

    /// Sets the variable, or removes it when the invocation has no trace: the last event's must not stay.
    ///
    /// The C library's environment is not safe to change while other threads read it; the loop calls this between two
    /// invocations, when nothing of ours runs.
    @Sendable static func set(_ traceID: String?) {
        if let traceID {
            unsafe setenv(name, traceID, 1)
        } else {
            unsafe unsetenv(name)
        }
    }
}
