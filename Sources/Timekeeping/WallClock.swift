#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Glibc
#endif

/// The time of day, as Lambda's deadlines, Signature Version 4 and certificates use it.
///
/// Everything that waits or asks for the time is given one, so that tests run on a clock of their own.
package protocol WallClock: Clock where Duration == Swift.Duration, Instant == UnixInstant {}

/// The machine's own clock.
package struct SystemWallClock: WallClock {
    package init() {}

    package var now: UnixInstant {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return UnixInstant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    package var minimumResolution: Duration { .milliseconds(1) }

    package func sleep(until deadline: UnixInstant, tolerance: Duration?) async throws {
        try await ContinuousClock().sleep(for: Swift.max(.zero, now.duration(to: deadline)), tolerance: tolerance)
    }
}
