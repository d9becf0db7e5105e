/// An IPv4 or IPv6 address in network byte order.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16 bytes, as RFC 5280, 4.2.1.6, puts them into a certificate.
    package let bytes: [UInt8]

    /// Reads a dotted quad without leading zeros, or the forms of RFC 4291, 2.2. No zone, port or brackets.
    package init?(_ text: String) {
        // "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"
        guard text.utf8.count <= 45 else { return nil }
        if let bytes = IPAddress.dottedQuad(text.utf8[...]) ?? IPAddress.colonSeparated(text.utf8[...]) {
            self.bytes = bytes
        } else {
            return nil
        }
    }

    /// nil unless there are 4 or 16 bytes.
    init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = Array(bytes)
    }

    /// The IPv4 address that an IPv4-mapped IPv6 address stands for; nil for every other address.
    var mappedIPv4: IPAddress? {
        let prefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        return bytes.count == 16 && bytes.starts(with: prefix) ? IPAddress(bytes: bytes[12...]) : nil
    }

    /// A dotted quad, or the one form of RFC 5952.
    package var description: String {
        guard bytes.count == 16 else { return IPAddress.dotted(bytes) }
        let pieces = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        // RFC 5952, section 5: the prefix of IPv4-mapped addresses is well known.
        if pieces[..<6] == [0, 0, 0, 0, 0, 0xFFFF] {
            return "::ffff:" + IPAddress.dotted(bytes[12...])
        }
        let texts = pieces.map { String($0, radix: 16) }
        guard let zeros = IPAddress.longestRunOfZeros(pieces) else { return texts.joined(separator: ":") }
        return texts[..<zeros.lowerBound].joined(separator: ":") + "::"
            + texts[zeros.upperBound...].joined(separator: ":")
    }

    private static func dotted(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String($0) }.joined(separator: ".")
    }

    /// The first of the longest runs; a single zero is not shortened.
    private static func longestRunOfZeros(_ pieces: [UInt16]) -> Range<Int>? {
        var longest: Range<Int>?
        var start = 0
        for index in 0...pieces.count {
            if index < pieces.count, pieces[index] == 0 { continue }
            if index - start >= 2, index - start > longest?.count ?? 0 { longest = start..<index }
            start = index + 1
        }
        return longest
    }

    private static func dottedQuad(_ text: Substring.UTF8View) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains),
                part.count == 1 || part.first != UInt8(ascii: "0"), let byte = UInt8(Substring(part))
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func colonSeparated(_ text: Substring.UTF8View) -> [UInt8]? {
        guard let gap = Substring(text).firstRange(of: "::") else {
            return pieces(text, mayEndInDottedQuad: true).flatMap { $0.count == 16 ? $0 : nil }
        }
        guard let head = pieces(text[..<gap.lowerBound], mayEndInDottedQuad: false),
            let tail = pieces(text[gap.upperBound...], mayEndInDottedQuad: true),
            // The gap stands for one piece at least.
            head.count + tail.count <= 14
        else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    /// Up to eight pieces of one to four hexadecimal digits; nothing for the empty text.
    private static func pieces(_ text: Substring.UTF8View, mayEndInDottedQuad: Bool) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, mayEndInDottedQuad, let quad = dottedQuad(part) {
                bytes += quad
            } else {
                guard (1...4).contains(part.count), part.allSatisfy(isHexadecimalDigit),
                    let piece = UInt16(Substring(part), radix: 16)
                else { return nil }
                bytes += [UInt8(piece >> 8), UInt8(piece & 0xFF)]
            }
        }
        return bytes.count <= 16 ? bytes : nil
    }

    private static func isHexadecimalDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
