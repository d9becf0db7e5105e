import FoundationEssentials
import Testing

@testable import AWSClient

@Suite struct XMLPullParserTests {
    @Test("Every document is read as expat reads it, or refused", arguments: documentFiles)
    func likeExpat(file: String) throws {
        let rows = try JSONDecoder().decode([ExpatRow].self, from: try Data(contentsOf: URL(filePath: file)))
        #expect(rows.count > 400)
        for row in rows {
            let events = try? XMLPullParserTests.events(of: row.document)
            let shown = String(decoding: row.document.prefix(400), as: UTF8.self)
            #expect(events == row.events, "\(shown): \(row.refused)")
        }
    }

    @Test("An answer of an entire listing is read in linear time")
    func large() throws {
        let contents = (0..<1000).map { "<Contents><Key>a/\($0)</Key><Size>1</Size></Contents>" }.joined()
        let root = try XMLElement(parsing: Array("<ListBucketResult>\(contents)</ListBucketResult>".utf8))
        #expect(root.children.count == 1000)
        #expect(root.children.last?["Key"] == "a/999")
    }

    @Test("A document of more than 16 MiB is refused before it is read")
    func tooLarge() {
        #expect(throws: AWSError.self) {
            _ = try XMLPullParser([UInt8](repeating: UInt8(ascii: " "), count: (16 << 20) + 1))
        }
    }

    @Test("An element is found by its name without the prefix, its text joined around its children")
    func element() throws {
        let root = try XMLElement(parsing: Array("<s:A xmlns:s='x'>1<s:B>2</s:B>3<B>4</B></s:A>".utf8))
        #expect(root.name == "A" && root.text == "13")
        #expect(root["B"] == "2" && root["C"] == nil)
        #expect(throws: AWSError.self) { try root.required("C") }
    }

    private static func events(of document: [UInt8]) throws -> [XMLPullParser.Event] {
        var parser = try XMLPullParser(document)
        var events: [XMLPullParser.Event] = []
        while let event = try parser.next() { events.append(event) }
        return events
    }

    /// The committed documents and, when the variable names a file, fresh ones from `generate.py --seed`.
    fileprivate static let documentFiles: [String] = {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let fresh = ProcessInfo.processInfo.environment["STACKCERT_XML_DOCUMENTS"]
        return ["/\(folder)/Fixtures/documents.json"] + (fresh.map { [$0] } ?? [])
    }()
}

/// A document and what expat makes of it; written by Fixtures/generate.py.
private struct ExpatRow: Decodable {
    let document: [UInt8]
    /// Nil when it must be refused.
    let events: [XMLPullParser.Event]?
    let refused: String

    private enum CodingKeys: CodingKey {
        case document, base64, events, refused
    }

    init(from decoder: any Decoder) throws {
        let row = try decoder.container(keyedBy: CodingKeys.self)
        if let text = try row.decodeIfPresent(String.self, forKey: .document) {
            self.document = Array(text.utf8)
        } else {
            self.document = Array(try row.decode(Data.self, forKey: .base64))
        }
        self.events = try row.decodeIfPresent([ExpatEvent].self, forKey: .events)?.map(\.event)
        self.refused = try row.decodeIfPresent(String.self, forKey: .refused) ?? "not refused"
    }
}

private struct ExpatEvent: Decodable {
    let event: XMLPullParser.Event

    init(from decoder: any Decoder) throws {
        var parts = try decoder.unkeyedContainer()
        let kind = try parts.decode(String.self)
        let value = try parts.decode(String.self)
        switch kind {
        case "start":
            let attributes = try parts.decode([[String]].self)
            self.event = .start(
                name: value,
                attributes: attributes.map { XMLPullParser.Attribute(name: $0.first ?? "", value: $0.last ?? "") })
        case "end":
            self.event = .end(name: value)
        default:
            self.event = .text(value)
        }
    }
}
