import Diagnostics
import PKI
import Testing

@Suite struct KeyPairTests {
    @Test("A key is read back from its PEM text", arguments: KeyAlgorithm.allCases)
    func readsBack(algorithm: KeyAlgorithm) async throws {
        let pair = try await sharedKeyPair(algorithm)
        let again = try KeyPair(pkcs8PEM: pair.privateKeyPEM.exposed)
        #expect(pair.algorithm == algorithm)
        #expect(again.algorithm == algorithm)
        #expect(again.publicKey == pair.publicKey)
        #expect(again.privateKeyPEM == pair.privateKeyPEM)
        #expect(pair.privateKeyPEM.exposed.hasPrefix("-----BEGIN PRIVATE KEY-----\nMI"))
        #expect(pair.privateKeyPEM.exposed.hasSuffix("\n-----END PRIVATE KEY-----\n"))
    }

    @Test("Every key is a new one", arguments: [KeyAlgorithm.ecP256, .ecP384, .rsa2048])
    func differs(algorithm: KeyAlgorithm) async throws {
        let first = try await sharedKeyPair(algorithm)
        let second = try await KeyPair.generate(algorithm)
        #expect(first.publicKey != second.publicKey)
        #expect(first.privateKeyPEM != second.privateKeyPEM)
    }

    @Test("Nothing that prints a key pair prints the private key", arguments: [KeyAlgorithm.rsa2048, .ecP256])
    func redaction(algorithm: KeyAlgorithm) async throws {
        struct Holder {
            let pair: KeyPair
        }
        let pair = try await sharedKeyPair(algorithm)
        var dumped = ""
        dump(pair, to: &dumped)
        dump(Holder(pair: pair), to: &dumped)
        dump([pair.privateKeyPEM], to: &dumped)
        let texts = [
            "\(pair)", String(describing: pair), String(reflecting: pair), "\(Holder(pair: pair))",
            String(reflecting: Holder(pair: pair)), "\(pair.privateKeyPEM)", dumped,
        ]
        let lines = pair.privateKeyPEM.exposed.split(separator: "\n")
        for text in texts {
            #expect(!text.contains("PRIVATE KEY"))
            #expect(!lines.contains { text.contains($0) })
            #expect(text.utf8.count < 600)
        }
        #expect("\(pair)" == "KeyPair(\(algorithm.rawValue), <redacted>)")
        #expect(Mirror(reflecting: pair).children.map(\.label) == ["algorithm"])
    }

    @Test("The public key has the form that Classic ELB takes")
    func publicKeyAttribute() async throws {
        let key = try await sharedKeyPair(.rsa2048).publicKey
        #expect(key.base64.utf8.count == 392)
        #expect(key.base64.hasPrefix("MIIBIjANBgkqhkiG9w0B"))
        #expect(!key.base64.contains("\n"))
        #expect(key.fingerprint.utf8.count == 64)
        #expect(try PublicKeyInfo(base64: key.base64) == key)
        #expect(try PublicKeyInfo(pem: key.pem) == key)
        #expect(try PublicKeyInfo(der: key.der) == key)
    }

    @Test("What is no public key is refused")
    func publicKeyRefusals() async throws {
        let key = try await sharedKeyPair(.ecP256).publicKey
        let offCurve = Array(key.der.dropLast()) + [(key.der.last ?? 0) ^ 1]
        for der in [
            [], [0x30], Array(key.der.dropLast()), key.der + [0], offCurve, Array(repeating: 0x30, count: 5000),
        ] {
            #expect(try #require(throws: PKIError.self) { try PublicKeyInfo(der: der) }.code == .invalidPublicKey)
        }
        for text in ["", "=", key.base64 + "\n", " " + key.base64, String(key.base64.dropLast()), key.base64 + "===="] {
            #expect(throws: PKIError.self) { try PublicKeyInfo(base64: text) }
        }
        #expect(throws: PKIError.self) { try PublicKeyInfo(base64: String(repeating: "A", count: 6_000_000)) }
    }
}
