/// JSON being written, as UTF-8.
///
/// Encoders that take dictionaries would bring in Foundation, order members at will and throw; a log line needs none
/// of that.
struct JSONText: Sendable {
    private(set) var bytes: [UInt8] = []

    /// Punctuation, as it is.
    mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: text.description.utf8)
    }

    /// `"name":"value"`.
    mutating func member(_ name: String, _ value: String) {
        string(name)
        raw(":")
        string(value)
    }

    mutating func number(_ value: Int) {
        bytes.append(contentsOf: value.description.utf8)
    }

    /// A string, quoted and escaped so that it stays on one line: control characters and the line and paragraph
    /// separators, which some readers of logs break at, are written as escapes.
    ///
    /// - Parameter limit: the UTF-8 bytes of `text` that are kept; a longer text ends in an ellipsis.
    mutating func string(_ text: String, upTo limit: Int = .max) {
        bytes.append(UInt8(ascii: "\""))
        var size = 0
        for scalar in text.unicodeScalars {
            size += UTF8.width(scalar)
            guard size <= limit else {
                bytes.append(contentsOf: "…".utf8)
                break
            }
            switch scalar {
            case "\"": raw("\\\"")
            case "\\": raw("\\\\")
            case "\n": raw("\\n")
            case "\r": raw("\\r")
            case "\t": raw("\\t")
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}": escape(scalar)
            default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ scalar: Unicode.Scalar) {
        let digits = String(scalar.value, radix: 16)
        bytes.append(contentsOf: "\\u".utf8)
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: max(0, 4 - digits.utf8.count)))
        bytes.append(contentsOf: digits.utf8)
    }
}
