import ACME
import Testing

@Suite struct CertificateIDTests {
    @Test("A certificate is called by its authority's key identifier and its serial number, as in RFC 9773")
    func vector() {
        let id = CertificateID(
            authorityKeyIdentifier: [
                0x69, 0x88, 0x5B, 0x6B, 0x87, 0x46, 0x40, 0x41, 0xE1, 0xB3, 0x7B, 0x84, 0x7B, 0xA0, 0xAE, 0x2C, 0xDE,
                0x01, 0xC8, 0xD4,
            ],
            serialNumber: [0x00, 0x87, 0x65, 0x43, 0x21])
        #expect(id.description == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")
        #expect(CertificateID(id.description) == id)
    }

    @Test("What is no certificate's id is not read as one", arguments: ["", ".", "a", "a.", "a.b.c", "a/b.c", "ä.b"])
    func malformed(text: String) {
        #expect(CertificateID(text) == nil)
    }
}
