import PKI
import Testing

@Suite struct DomainNameTests {
    @Test("Names of many languages become the A-labels that idna gives")
    func namesOfManyLanguages() throws {
        let golden = try IDNAGolden.shared.get()
        #expect(golden.expected.count > 70)
        for row in golden.expected {
            #expect(try DomainName(row.name).description == row.answer, "\(row.name)")
        }
    }

    @Test("Whatever is accepted of a seeded corpus has idna's answer")
    func corpus() throws {
        var accepted = 0
        for row in try IDNAGolden.shared.get().corpus {
            guard let name = try? DomainName(row.name) else { continue }
            accepted += 1
            // Direction and context of a label that came as xn-- are its author's business.
            if row.answer == "context", row.name.lowercased().contains("xn--") { continue }
            #expect(name.description == row.answer, "\(row.name.unicodeScalars.map { String($0.value, radix: 16) })")
        }
        #expect(accepted > 400)
    }

    @Test("No character is accepted that idna refuses, and none is mapped differently")
    func everyCharacter() throws {
        let golden = try IDNAGolden.shared.get()
        func check(_ scalar: Unicode.Scalar, isUnchanged: Bool) {
            guard scalar != ".", let name = try? DomainName("q\(scalar)q") else { return }
            guard let expected = isUnchanged ? String(scalar) : golden.mapped[String(scalar.value)] else {
                Issue.record("U+\(String(scalar.value, radix: 16)) is accepted")
                return
            }
            // The same text written out by the judge must give the same label.
            #expect((try? DomainName("q\(expected)q")) == name, "U+\(String(scalar.value, radix: 16))")
        }
        var next: UInt32 = 0
        // Nothing is assigned in planes 4 to 13, and the last two are for private use.
        for range in golden.unchanged + [[0x4_0000, 0x4_0000]] {
            // Before the range lies what idna maps or refuses: all that is assigned, and a sample of the rest.
            for scalar in (next..<range[0]).lazy.compactMap(Unicode.Scalar.init) {
                switch scalar.properties.generalCategory {
                case .unassigned, .privateUse: if scalar.value % 257 == 0 { check(scalar, isUnchanged: false) }
                default: check(scalar, isUnchanged: false)
                }
            }
            // Within long ranges (ideographs, syllables) one is as good as the other.
            for scalar in (range[0]...range[1]).lazy.compactMap(Unicode.Scalar.init)
            where scalar.value % 61 == 0 || scalar.value == range[0] || scalar.value == range[1] {
                check(scalar, isUnchanged: true)
            }
            next = range[1] + 1
        }
        for scalar in (0xE_0000..<0xE_1000).compactMap(Unicode.Scalar.init) { check(scalar, isUnchanged: false) }
    }

    @Test(
        "What is no domain name is refused",
        arguments: [
            "", ".", "..", "a..b", ".a", "a.b..", "-a.b", "a-.b", "a_b.c", "a b.c", " a.b", "a.b\n", "a/b", "a\0b",
            "ab--cd.example", "xn--.example", "xn--a.example", "xn--ls8h.example", "xn--MNCHEN-3y.example",
            "xn--abc-.example", "xn--\u{FC}.example", "*.example.com", "*", "a.*.b", "*a.b", "a*.b", "**.b",
            "1.2.3.4", "example.1", "::1", "[::1]", "example.com:443", "https://example.com", "${AWS::Region}.b",
            "עברית.example", "العربية.example", "a·b.example", "क्\u{200D}ष.example", "☃.example", "🍕.example",
            "\u{301}a.example", "ﬁ.example", "ａ.example", "\u{FF0E}", "a\u{3002}b", "\u{FEFF}a.b", "a\u{AD}b.c",
        ])
    func refused(text: String) {
        #expect(throws: PKIError.self) { try DomainName(text) }
    }

    @Test("Lengths are those of RFC 1035")
    func lengths() throws {
        let label = String(repeating: "a", count: 63)
        #expect(try DomainName(label + ".b").description.utf8.count == 65)
        #expect(throws: PKIError.self) { try DomainName(label + "a.b") }
        let longest = [label, label, label, String(repeating: "a", count: 61)].joined(separator: ".")
        #expect(longest.utf8.count == 253)
        #expect(try DomainName(longest).description == longest)
        #expect(try DomainName(longest + ".").description == longest)
        #expect(throws: PKIError.self) { try DomainName(longest + "a") }
        #expect(throws: PKIError.self) { try DomainName(wildcardAllowed: "*." + longest) }
        #expect(throws: PKIError.self) { try DomainName(String(repeating: "ü", count: 63) + ".b") }
    }

    @Test("A wildcard is the whole of the leftmost label, and only where it is allowed")
    func wildcard() throws {
        #expect(try DomainName(wildcardAllowed: "*.Bücher.example").description == "*.xn--bcher-kva.example")
        #expect(try DomainName(wildcardAllowed: "example.com") == DomainName("example.com"))
        for text in ["*", "*.", "*.*.a", "a.*", "*a.b", "*.1"] {
            #expect(throws: PKIError.self, "\(text)") { try DomainName(wildcardAllowed: text) }
        }
    }

    @Test(
        "Direction and context ask for the xn-- form, which is then accepted", arguments: ["עברית.a", "a·b.a", "٣.a"])
    func contextual(text: String) throws {
        let error = try #require(throws: PKIError.self) { try DomainName(text) }
        #expect(error.code == .invalidDomainName)
        #expect(error.message.contains("xn-- form"))
        #expect(try DomainName("xn--5dbqzzl.a").description == "xn--5dbqzzl.a")
    }

    @Test("An error never quotes what failed the character check, and little of the rest")
    func quoting() throws {
        for text in ["s3cret value", "s3cret/\u{1B}[31m", "s3cret\u{202E}", "-s3cret_"] {
            let error = try #require(throws: PKIError.self) { try DomainName(text) }
            #expect(!error.message.contains("s3cret"))
        }
        let long = String(repeating: "a.", count: 100) + "1"
        #expect(try #require(throws: PKIError.self) { try DomainName(long) }.message.utf8.count < 150)
    }

    @Test(
        "Names of megabytes are refused at once",
        // Looking at each of them more than once would take hours.
        .timeLimit(.minutes(1)),
        arguments: ["a", ".", "ü", "\u{301}", "a.", "*.", "xn--", "1", "\u{1F468}\u{200D}"])
    func hugeNames(unit: String) throws {
        let name = String(repeating: unit, count: 6_000_000 / unit.utf8.count)
        #expect(throws: PKIError.self) { try SubjectAlternativeName(name) }
    }
}
