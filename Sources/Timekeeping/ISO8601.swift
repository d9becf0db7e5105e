extension UnixInstant {
    /// `2026-11-20T23:08:00Z`, to the second: the form of every date that users see.
    package var iso8601: String {
        let date = CivilDate(self)
        return "\(padded(date.year, 4))-\(padded(date.month))-\(padded(date.day))"
            + "T\(padded(date.hour)):\(padded(date.minute)):\(padded(date.second))Z"
    }

    /// `20261120T230800Z`: the form of `X-Amz-Date` in Signature Version 4.
    package var basicISO8601: String {
        let date = CivilDate(self)
        return "\(padded(date.year, 4))\(padded(date.month))\(padded(date.day))"
            + "T\(padded(date.hour))\(padded(date.minute))\(padded(date.second))Z"
    }

    /// Reads either of the two forms above, the first also with a fraction of a second, of which milliseconds are kept.
    package init?(iso8601 text: some StringProtocol) {
        let bytes = Array(text.utf8)
        let digits: [Int]
        var fraction: Int64 = 0
        if let found = CivilDate.digits(of: bytes, laidOutAs: "0000-00-00T00:00:00Z")
            ?? CivilDate.digits(of: bytes, laidOutAs: "00000000T000000Z")
        {
            digits = found
        } else if bytes.count > 21, bytes.last == UInt8(ascii: "Z"), bytes[19] == UInt8(ascii: "."),
            bytes[20..<(bytes.count - 1)].allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let found = CivilDate.digits(of: Array(bytes[..<19]), laidOutAs: "0000-00-00T00:00:00")
        {
            digits = found
            let places = (bytes[20..<(bytes.count - 1)] + [UInt8](repeating: UInt8(ascii: "0"), count: 3)).prefix(3)
            fraction = places.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        } else {
            return nil
        }
        func number(_ range: Range<Int>) -> Int { digits[range].reduce(0) { $0 * 10 + $1 } }
        guard
            let date = CivilDate(
                year: number(0..<4), month: number(4..<6), day: number(6..<8),
                hour: number(8..<10), minute: number(10..<12), second: number(12..<14))
        else { return nil }
        self = date.instant.advanced(by: .milliseconds(fraction))
    }
}

extension UnixInstant: Codable {
    /// Stored as ISO 8601 text, with milliseconds when there are any.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        let remainder = milliseconds % 1000
        let fraction = remainder < 0 ? remainder + 1000 : remainder
        try container.encode(fraction == 0 ? iso8601 : "\(iso8601.dropLast()).\(padded(Int(fraction), 3))Z")
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let instant = UnixInstant(iso8601: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an ISO 8601 date")
        }
        self = instant
    }
}

extension CivilDate {
    /// The digits at the zeros of `layout`; nil when any other byte differs from the layout's.
    fileprivate static func digits(of bytes: [UInt8], laidOutAs layout: StaticString) -> [Int]? {
        let expected = Array(layout.description.utf8)
        guard bytes.count == expected.count else { return nil }
        var digits: [Int] = []
        for (byte, mark) in zip(bytes, expected) {
            if mark != UInt8(ascii: "0") {
                guard byte == mark else { return nil }
            } else {
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
                digits.append(Int(byte - UInt8(ascii: "0")))
            }
        }
        return digits
    }
}

private func padded(_ number: Int, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
}
