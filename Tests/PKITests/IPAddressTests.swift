import PKI
import Testing

@Suite struct IPAddressTests {
    @Test(
        "Addresses are shown in the form of RFC 5952",
        arguments: [
            ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("192.0.2.7", "192.0.2.7"),
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("0:0:0:0:0:0:0:0", "::"),
            ("2001:0DB8:0:0:0:0:0:1", "2001:db8::1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
            ("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"), ("0:0:3:4:5:6:7:8", "::3:4:5:6:7:8"),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("::FFFF:c000:201", "::ffff:192.0.2.1"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
            ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ])
    func canonicalForm(text: String, canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == canonical)
        #expect(address.bytes.count == (text.contains(":") ? 16 : 4))
        #expect(IPAddress(canonical) == address)
        #expect(try SubjectAlternativeName(text) == .ip(address))
    }

    @Test(
        "What is no address is refused",
        arguments: [
            "", ".", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1.2.3.+4", "1.2.3. 4", "1.2.3.4 ",
            "1..3.4",
            "0x1.2.3.4", "1.2.3.4/8", "1.2.3.4:80", ":", ":::", "1::2::3", "::1::", "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "12345::", "g::", "::-1", "::+1",
            "fe80::1%eth0",
            "[::1]", "::1.2.3", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:",
            "١.2.3.4", "1.2.3.4\0", "::\u{FF11}",
        ])
    func refused(text: String) {
        #expect(IPAddress(text) == nil)
        #expect(throws: PKIError.self) { try SubjectAlternativeName(text) }
    }

    @Test("Every address reads back from what it prints")
    func readsBack() throws {
        var generator = SeededGenerator(seed: 5952)
        for _ in 0..<2000 {
            let pieces = (0..<8).map { _ in
                Bool.random(using: &generator) ? 0 : UInt16.random(in: 0...0xFFFF, using: &generator)
            }
            let address = try #require(IPAddress(pieces.map { String($0, radix: 16) }.joined(separator: ":")))
            #expect(address.bytes == pieces.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] })
            #expect(IPAddress(address.description) == address)
        }
    }
}
