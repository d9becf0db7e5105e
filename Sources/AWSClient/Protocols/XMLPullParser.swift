/// Reads an XML 1.0 document as a sequence of events, without a tree and without recursion.
///
/// Made for answers of services, so stricter than the standard where that removes a way to be attacked or surprised:
/// UTF-8 only, no document type declaration (and so no entities but the five predefined), ASCII names, bounded size,
/// depth and number of attributes. Held against expat in the tests.
struct XMLPullParser {
    struct Attribute: Equatable {
        let name: String
        let value: String
    }

    enum Event: Equatable {
        case start(name: String, attributes: [Attribute])
        /// All the text up to the next tag: references resolved, CDATA included, line ends as `\n`.
        case text(String)
        case end(name: String)
    }

    private let bytes: [UInt8]
    private var position = 0
    private var open: [String] = []
    private var text: [UInt8] = []
    private var emptyElement: String?
    private var sawRoot = false

    static let maximumBytes = 16 << 20
    static let maximumDepth = 64
    static let maximumAttributes = 64

    init(_ document: [UInt8]) throws(AWSError) {
        guard document.count <= XMLPullParser.maximumBytes else { throw .notXML("it is too large", at: 0) }
        guard let decoded = String(validating: document, as: UTF8.self) else { throw .notXML("it is not UTF-8", at: 0) }
        guard decoded.unicodeScalars.allSatisfy(\.isXMLCharacter) else {
            throw .notXML("it has a character that XML does not allow", at: 0)
        }
        self.bytes = document
        skip("\u{FEFF}")
        if lookingAt("<?xml"), position + 5 < bytes.count, bytes[position + 5].isXMLSpace {
            try readDeclaration()
        }
    }

    /// The next event; nil after the end of the root element and whatever may follow it.
    mutating func next() throws(AWSError) -> Event? {
        if let name = emptyElement {
            emptyElement = nil
            return .end(name: name)
        }
        while position < bytes.count {
            if bytes[position] != UInt8(ascii: "<") {
                try readText()
            } else if skip("<!--") {
                try skipComment()
            } else if skip("<![CDATA[") {
                try readCDATA()
            } else if lookingAt("<!") {
                throw .notXML("it declares a document type", at: position)
            } else if skip("<?") {
                try skipInstruction()
            } else if !text.isEmpty {
                defer { text = [] }
                return .text(String(decoding: text, as: UTF8.self))
            } else {
                return skip("</") ? try readEndTag() : try readStartTag()
            }
        }
        guard sawRoot, open.isEmpty else { throw .notXML("it ends too early", at: position) }
        return nil
    }

    private mutating func readStartTag() throws(AWSError) -> Event {
        guard !open.isEmpty || !sawRoot else { throw .notXML("it has a second root", at: position) }
        guard open.count < XMLPullParser.maximumDepth else { throw .notXML("it is nested too deeply", at: position) }
        position += 1
        let name = try readName()
        let attributes = try readAttributes()
        sawRoot = true
        if skip("/>") {
            emptyElement = name
        } else if skip(">") {
            open.append(name)
        } else {
            throw .notXML("a tag does not end", at: position)
        }
        return .start(name: name, attributes: attributes)
    }

    private mutating func readEndTag() throws(AWSError) -> Event {
        let name = try readName()
        skipSpace()
        guard skip(">"), open.popLast() == name else { throw .notXML("an end tag has no start", at: position) }
        return .end(name: name)
    }

    private mutating func readAttributes() throws(AWSError) -> [Attribute] {
        var attributes: [Attribute] = []
        while skipSpace(), let byte = peek, byte.isNameStart {
            let name = try readName()
            skipSpace()
            guard skip("=") else { throw .notXML("an attribute has no value", at: position) }
            skipSpace()
            let value = try readAttributeValue()
            guard !attributes.contains(where: { $0.name == name }), attributes.count < XMLPullParser.maximumAttributes
            else { throw .notXML("an attribute is repeated, or there are too many", at: position) }
            attributes.append(Attribute(name: name, value: value))
        }
        return attributes
    }

    private mutating func readAttributeValue() throws(AWSError) -> String {
        guard let quote = peek, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            throw .notXML("an attribute's value is not quoted", at: position)
        }
        position += 1
        var value: [UInt8] = []
        while let byte = peek, byte != quote {
            switch byte {
            case UInt8(ascii: "<"):
                throw .notXML("an attribute's value has a <", at: position)
            case UInt8(ascii: "&"):
                value += try readReference()
            default:
                // XML 1.0, 3.3.3: white space written as such becomes a space, a line end of two bytes just one.
                if byte == UInt8(ascii: "\r") { skipToLineFeed() }
                value.append(byte.isXMLSpace ? UInt8(ascii: " ") : byte)
                position += 1
            }
        }
        guard peek == quote else { throw .notXML("an attribute's value does not end", at: position) }
        position += 1
        return String(decoding: value, as: UTF8.self)
    }

    private mutating func readText() throws(AWSError) {
        while let byte = peek, byte != UInt8(ascii: "<") {
            guard !open.isEmpty || byte.isXMLSpace else { throw .notXML("it has text outside the root", at: position) }
            if byte == UInt8(ascii: "&") {
                text += try readReference()
            } else if byte == UInt8(ascii: "]"), lookingAt("]]>") {
                throw .notXML("]]> ends no section", at: position)
            } else {
                appendText(byte)
            }
        }
    }

    private mutating func readCDATA() throws(AWSError) {
        guard !open.isEmpty else { throw .notXML("it has text outside the root", at: position) }
        while let byte = peek {
            if skip("]]>") { return }
            appendText(byte)
        }
        throw .notXML("a CDATA section does not end", at: position)
    }

    private mutating func appendText(_ byte: UInt8) {
        if byte == UInt8(ascii: "\r") {
            skipToLineFeed()
        }
        position += 1
        // Outside the root only white space gets here, and nobody wants it.
        if !open.isEmpty {
            text.append(byte == UInt8(ascii: "\r") ? UInt8(ascii: "\n") : byte)
        }
    }

    /// `&name;`, `&#123;` or `&#x7b;`: the UTF-8 of what it stands for.
    private mutating func readReference() throws(AWSError) -> [UInt8] {
        let start = position
        position += 1
        var name: [UInt8] = []
        while let byte = peek, byte != UInt8(ascii: ";"), name.count < 64 {
            name.append(byte)
            position += 1
        }
        guard skip(";") else { throw .notXML("a reference does not end", at: start) }
        let reference = String(decoding: name, as: UTF8.self)
        if let character = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"][reference] {
            return Array(character.utf8)
        }
        let digits = reference.hasPrefix("#x") ? reference.dropFirst(2) : reference.dropFirst(1)
        guard reference.hasPrefix("#"), digits.first.map({ $0 != "+" && $0 != "-" }) == true,
            let number = UInt32(digits, radix: reference.hasPrefix("#x") ? 16 : 10),
            let scalar = Unicode.Scalar(number), scalar.isXMLCharacter
        else { throw .notXML("a reference is to nothing known", at: start) }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func skipComment() throws(AWSError) {
        while position < bytes.count, !lookingAt("--") { position += 1 }
        guard skip("-->") else { throw .notXML("a comment does not end", at: position) }
    }

    private mutating func skipInstruction() throws(AWSError) {
        let target = try readName()
        guard target.lowercased() != "xml", lookingAt("?>") || peek?.isXMLSpace == true else {
            throw .notXML("a processing instruction is malformed", at: position)
        }
        while position < bytes.count, !lookingAt("?>") { position += 1 }
        guard skip("?>") else { throw .notXML("a processing instruction does not end", at: position) }
    }

    private mutating func readDeclaration() throws(AWSError) {
        let start = position
        skip("<?xml")
        let attributes = try readAttributes()
        let names = attributes.map(\.name)
        func value(_ name: String) -> String? { attributes.first { $0.name == name }?.value }
        guard skip("?>"), names == ["version", "encoding", "standalone"].filter(names.contains),
            !bytes[start..<position].contains(UInt8(ascii: "&")), value("version") == "1.0",
            ["utf-8", nil].contains(value("encoding")?.lowercased()), ["yes", "no", nil].contains(value("standalone"))
        else { throw .notXML("its declaration is not that of XML 1.0 in UTF-8", at: position) }
    }
}

// MARK: Bytes
extension XMLPullParser {
    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func lookingAt(_ prefix: String) -> Bool {
        bytes[position...].starts(with: prefix.utf8)
    }

    @discardableResult
    private mutating func skip(_ prefix: String) -> Bool {
        guard lookingAt(prefix) else { return false }
        position += prefix.utf8.count
        return true
    }

    /// From a carriage return to the line feed after it, if there is one: the two are one line end.
    private mutating func skipToLineFeed() {
        if position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "\n") { position += 1 }
    }

    @discardableResult
    private mutating func skipSpace() -> Bool {
        let start = position
        while let byte = peek, byte.isXMLSpace { position += 1 }
        return position > start
    }

    private mutating func readName() throws(AWSError) -> String {
        let start = position
        guard peek?.isNameStart == true else { throw .notXML("a name is missing or not ASCII", at: position) }
        while let byte = peek, byte.isNamePart { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }
}
