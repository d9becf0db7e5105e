/// Base64 of RFC 4648, section 4, strict: the canonical padding, no line breaks, no foreign characters, and unused
/// bits zero, so that one value has one spelling.
enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var rest = bytes[...]
        while let first = rest.popFirst() {
            let second = rest.popFirst()
            let third = rest.popFirst()
            let group = UInt32(first) << 16 | UInt32(second ?? 0) << 8 | UInt32(third ?? 0)
            text.append(digit(group >> 18))
            text.append(digit(group >> 12))
            text.append(second == nil ? padding : digit(group >> 6))
            text.append(third == nil ? padding : digit(group))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// nil for anything that `encode` could not have written.
    static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var group: UInt32 = 0
        var digits = 0
        var paddings = 0
        for character in text {
            if character == padding {
                // At most two, and only in the last two places of a group of four.
                guard digits % 4 >= 2, paddings < 2 else { return nil }
                paddings += 1
            } else {
                guard paddings == 0, let value = value(of: character) else { return nil }
                group = group << 6 | value
            }
            digits += 1
            if digits % 4 == 0 {
                let significant = group << (6 * UInt32(paddings))
                bytes.append(UInt8(truncatingIfNeeded: significant >> 16))
                if paddings < 2 { bytes.append(UInt8(truncatingIfNeeded: significant >> 8)) }
                if paddings < 1 { bytes.append(UInt8(truncatingIfNeeded: significant)) }
                let unused = paddings == 2 ? significant & 0xFFFF : paddings == 1 ? significant & 0xFF : 0
                guard unused == 0 else { return nil }
                group = 0
            }
        }
        return digits % 4 == 0 ? bytes : nil
    }

    private static let padding = UInt8(ascii: "=")

    private static func digit(_ bits: UInt32) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: bits & 0x3F)
        switch value {
        case 0..<26: return UInt8(ascii: "A") + value
        case 26..<52: return UInt8(ascii: "a") + value - 26
        case 52..<62: return UInt8(ascii: "0") + value - 52
        case 62: return UInt8(ascii: "+")
        default: return UInt8(ascii: "/")
        }
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
