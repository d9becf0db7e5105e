/// A point in time: whole milliseconds since 1970-01-01T00:00:00Z, the resolution of Lambda's deadline header.
///
/// Arithmetic saturates at the ends of the range, so that a hostile date in an event cannot trap the process.
package struct UnixInstant: InstantProtocol, CustomStringConvertible {
    package let milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package init(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        self.milliseconds = overflow ? (seconds < 0 ? .min : .max) : product
    }

    /// Whole seconds since the epoch, rounded towards the past.
    package var seconds: Int64 {
        let (quotient, remainder) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    package func advanced(by duration: Duration) -> UnixInstant {
        let (sum, overflow) = milliseconds.addingReportingOverflow(duration.wholeMilliseconds)
        return UnixInstant(milliseconds: overflow ? (duration < .zero ? .min : .max) : sum)
    }

    package func duration(to other: UnixInstant) -> Duration {
        let (difference, overflow) = other.milliseconds.subtractingReportingOverflow(milliseconds)
        return .milliseconds(overflow ? (other < self ? Int64.min : Int64.max) : difference)
    }

    package static func < (lhs: UnixInstant, rhs: UnixInstant) -> Bool {
        lhs.milliseconds < rhs.milliseconds
    }

    package var description: String { iso8601 }
}

extension Duration {
    /// The duration in milliseconds, cut to the range of `Int64`.
    package var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, sumOverflow) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        return sumOverflow ? (seconds < 0 ? .min : .max) : sum
    }

    /// A number of days of 86,400 seconds.
    package static func days(_ days: Int) -> Duration { .seconds(Int64(days) * 86_400) }
}
