import PKI
import Testing
import Timekeeping

@Suite struct SelfSignedCertificateTests {
    @Test("A self-signed certificate reads back as it was asked for")
    func readsBack() async throws {
        let pair = try await KeyPair.generate(.ecP256)
        let names: [SubjectAlternativeName] = [try .init("example.com"), try .init("*.example.com"), try .init("::1")]
        let certificate = try pair.selfSigned(
            SelfSignedProfile(
                names: names, commonName: "example.com", notBefore: UnixInstant(seconds: 1_795_000_000),
                notAfter: UnixInstant(seconds: 1_826_000_000)))
        #expect(certificate.names == names)
        #expect(certificate.publicKey == pair.publicKey)
        #expect(certificate.notAfter == UnixInstant(seconds: 1_826_000_000))
        #expect(try IssuedCertificate(pem: certificate.pem) == certificate)
    }
}
