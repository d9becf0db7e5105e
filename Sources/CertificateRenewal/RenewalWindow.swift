internal import Diagnostics
package import Timekeeping

/// When updates may be started: `02:00-06:00` or `Sat,Sun 02:00-06:00`, in UTC. A window over midnight belongs to the
/// day on which it begins.
package struct RenewalWindow: Hashable, Sendable {
    private static let names = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]

    /// In minutes since midnight; `end` is not part of it.
    let start: Int
    let end: Int
    /// Days since 1970-01-01, a Thursday, modulo 7.
    let days: Set<Int>

    /// - Throws: ``RenewalError`` that names what is allowed.
    package init(_ text: String) throws(RenewalError) {
        let parts = text.split(separator: " ")
        guard let span = parts.last, parts.count <= 2 else { throw .invalidWindow(text) }
        let ends = span.split(separator: "-", omittingEmptySubsequences: false).map(Self.minutes)
        guard ends.count == 2, let start = ends[0], let end = ends[1], start != end else {
            throw .invalidWindow(text)
        }
        var days = Set(0..<7)
        if parts.count == 2 {
            let named = parts[0].split(separator: ",", omittingEmptySubsequences: false)
                .map { name in Self.names.firstIndex(of: String(name)) }
            guard !named.contains(nil) else { throw .invalidWindow(text) }
            days = Set(named.compactMap { $0 })
        }
        self.start = start
        self.end = end
        self.days = days
    }

    private static func minutes(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { $0.utf8.count == 2 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        guard parts.count == 2, isPlain, let hour = Int(parts[0]),
            let minute = Int(parts[1]), (0..<24).contains(hour), (0..<60).contains(minute)
        else { return nil }
        return hour * 60 + minute
    }

    package func contains(_ instant: UnixInstant) -> Bool {
        let minutes = instant.seconds / 60
        let (day, minute) = (Int(minutes / 1440), Int(minutes % 1440))
        if start < end { return days.contains(day % 7) && (start..<end).contains(minute) }
        return minute >= start ? days.contains(day % 7) : minute < end && days.contains((day + 6) % 7)
    }
}

/// Why renewal as a whole cannot work.
package struct RenewalError: DiagnosticError {
    package enum Code: Hashable, Sendable {
        case invalidWindow
        case incomplete
        /// A person may not take the right to work on a stack.
        case noLease
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    static func invalidWindow(_ text: String) -> RenewalError {
        RenewalError(
            .invalidWindow,
            "RenewalWindow is \"\(text.prefix(40))\": allowed are times in UTC such as 02:00-06:00, after days such as "
                + "Sat,Sun if wanted.")
    }
}
