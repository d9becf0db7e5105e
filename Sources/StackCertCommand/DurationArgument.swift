import ArgumentParser

/// A time as people write it: `30s`, `5m`, `1h`, `2d`; a number alone is seconds.
struct DurationArgument: ExpressibleByArgument, CustomStringConvertible {
    let duration: Duration
    let description: String

    init(_ duration: Duration, _ description: String) {
        self.duration = duration
        self.description = description
    }

    init?(argument: String) {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let unit = argument.last.flatMap { units[$0] }
        // A year is more than anybody waits, and far from any overflow.
        guard let number = Int64(unit == nil ? argument[...] : argument.dropLast()), (1...31_536_000).contains(number),
            number * (unit ?? 1) <= 31_536_000
        else { return nil }
        self.duration = .seconds(number * (unit ?? 1))
        self.description = argument
    }
}

/// Permissions in octal digits.
struct ModeArgument: ExpressibleByArgument, CustomStringConvertible {
    let mode: UInt32
    let description: String

    init?(argument: String) {
        guard let mode = UInt32(argument, radix: 8), mode <= 0o777 else { return nil }
        self.mode = mode
        self.description = argument
    }
}
