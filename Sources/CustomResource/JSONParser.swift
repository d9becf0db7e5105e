/// Reads one JSON text (RFC 8259) into a ``JSONValue``.
///
/// An event may come from anybody who may invoke the function. FoundationEssentials' decoder goes 512 levels deep by
/// recursion, which is more than the stack of a pool's thread holds, and takes minutes over a megabyte of short items.
struct JSONParser {
    /// CloudFormation nests properties a few levels deep.
    static let maximumDepth = 64

    private let bytes: [UInt8]
    private var position = 0

    /// - Throws: ``CustomResourceError/Code/malformedEvent``; the message quotes nothing.
    static func value(of bytes: [UInt8]) throws(CustomResourceError) -> JSONValue {
        var parser = JSONParser(bytes: bytes)
        let value = try parser.value(depth: 0)
        parser.skipWhitespace()
        guard parser.position == bytes.count else { throw invalid }
        return value
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private static let invalid = CustomResourceError(.malformedEvent, "The event is not valid JSON.")

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take() -> UInt8? {
        guard let byte = next else { return nil }
        position += 1
        return byte
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipWhitespace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    private mutating func value(depth: Int) throws(CustomResourceError) -> JSONValue {
        guard depth <= Self.maximumDepth else {
            throw CustomResourceError(
                .malformedEvent, "The event is nested more than \(Self.maximumDepth) levels deep.")
        }
        skipWhitespace()
        switch next {
        case UInt8(ascii: "{"): return .object(try members(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try items(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(CustomResourceError) -> JSONValue {
        for byte in word.description.utf8 {
            guard take() == byte else { throw Self.invalid }
        }
        return value
    }

    private mutating func members(depth: Int) throws(CustomResourceError) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        position += 1
        skipWhitespace()
        if take("}") { return members }
        while true {
            skipWhitespace()
            let name = try string()
            skipWhitespace()
            guard take(":") else { throw Self.invalid }
            members[name] = try value(depth: depth)
            skipWhitespace()
            if take("}") { return members }
            guard take(",") else { throw Self.invalid }
        }
    }

    private mutating func items(depth: Int) throws(CustomResourceError) -> [JSONValue] {
        var items: [JSONValue] = []
        position += 1
        skipWhitespace()
        if take("]") { return items }
        while true {
            items.append(try value(depth: depth))
            skipWhitespace()
            if take("]") { return items }
            guard take(",") else { throw Self.invalid }
        }
    }

    /// Whole numbers that fit are integers however they are written.
    private mutating func number() throws(CustomResourceError) -> JSONValue {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if let whole = Int64(text) { return .integer(whole) }
        guard let number = Double(text) else { throw Self.invalid }
        return Int64(exactly: number).map { .integer($0) } ?? .number(number)
    }

    private mutating func digits() throws(CustomResourceError) {
        let start = position
        while let byte = next, byte.isDigit { position += 1 }
        guard position > start else { throw Self.invalid }
    }

    private mutating func string() throws(CustomResourceError) -> String {
        guard take("\"") else { throw Self.invalid }
        var text: [UInt8] = []
        while let byte = take() {
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw Self.invalid }
                return string
            case UInt8(ascii: "\\"): try appendEscaped(to: &text)
            case ..<0x20: throw Self.invalid
            default: text.append(byte)
            }
        }
        throw Self.invalid
    }

    private mutating func appendEscaped(to text: inout [UInt8]) throws(CustomResourceError) {
        switch take() {
        case UInt8(ascii: "\""): text.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): text.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): text.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text += Array(String(try unicodeScalar()).utf8)
        default: throw Self.invalid
        }
    }

    /// Four digits, or two times four that are the halves of one character (RFC 8259, section 7).
    private mutating func unicodeScalar() throws(CustomResourceError) -> Character {
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(first) { return Character(scalar) }
        guard take("\\"), take("u") else { throw Self.invalid }
        let second = try codeUnit()
        guard UTF16.isLeadSurrogate(first), UTF16.isTrailSurrogate(second),
            let scalar = Unicode.Scalar((UInt32(first) - 0xd800) << 10 + (UInt32(second) - 0xdc00) + 0x10000)
        else { throw Self.invalid }
        return Character(scalar)
    }

    private mutating func codeUnit() throws(CustomResourceError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = take(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw Self.invalid
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }
}
