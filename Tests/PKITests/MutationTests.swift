import Diagnostics
import PKI
import Testing

/// Bytes that somebody damaged: they are read as what they are or refused, and never stop the process.
@Suite struct MutationTests {
    @Test("Damaged PEM texts are refused or read as the same bytes", arguments: [KeyAlgorithm.ecP256, .rsa2048])
    func damagedPEM(algorithm: KeyAlgorithm) async throws {
        let pair = try await sharedKeyPair(algorithm)
        let certificate = try pair.selfSigned(
            SelfSignedCertificateTests.profile(["a.example", "::1"], commonName: "a"))
        var generator = SeededGenerator(seed: 7468)
        var refused = 0
        for _ in 0..<500 {
            let text = mutated(Array(certificate.pem.utf8), using: &generator)
            if let read = try? IssuedCertificate(pem: String(decoding: text, as: UTF8.self)) {
                // What was read is written in the one form, whatever it says now.
                #expect(try IssuedCertificate(pem: read.pem) == read)
            } else {
                refused += 1
            }
            let key = mutated(Array(pair.publicKey.pem.utf8), using: &generator)
            if let read = try? PublicKeyInfo(pem: String(decoding: key, as: UTF8.self)) {
                #expect(try PublicKeyInfo(base64: read.base64) == read)
            }
        }
        #expect(refused > 100)
    }

    @Test("Damaged DER is refused or read", arguments: [KeyAlgorithm.ecP256, .rsa2048])
    func damagedDER(algorithm: KeyAlgorithm) async throws {
        let pair = try await sharedKeyPair(algorithm)
        let certificate = try pair.selfSigned(
            SelfSignedCertificateTests.profile(["a.example", "::1"], commonName: "a"))
        var generator = SeededGenerator(seed: 690)
        for _ in 0..<600 {
            let bytes = mutated(certificate.der, using: &generator)
            if let read = try? IssuedCertificate(der: bytes) { #expect(read.der == bytes) }
            let key = mutated(pair.publicKey.der, using: &generator)
            if let read = try? PublicKeyInfo(der: key) { #expect(read.der == key) }
        }
    }

    @Test("Damaged private keys are refused, or are keys")
    func damagedPrivateKeys() async throws {
        for (algorithm, rounds) in [(KeyAlgorithm.ecP256, 1000), (.rsa2048, 100)] {
            let pair = try await sharedKeyPair(algorithm)
            var generator = SeededGenerator(seed: 5208)
            for _ in 0..<rounds {
                let text = mutated(Array(pair.privateKeyPEM.exposed.utf8), using: &generator)
                do throws(PKIError) {
                    let read = try KeyPair(pkcs8PEM: String(decoding: text, as: UTF8.self))
                    #expect(read.privateKeyPEM.exposed.hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
                } catch {
                    #expect([.invalidPEM, .invalidPrivateKey].contains(error.code))
                    #expect(error.message.utf8.count < 160)
                }
            }
        }
    }

    @Test(
        "PEM that is not exactly one block is refused",
        arguments: [
            "", "\n", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END PUBLIC KEY-----\n", "MIIB\n",
            "-----BEGIN CERTIFICATE-----\nAA AA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAB=\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n====\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\nAAAA\n-----END CERTIFICATE-----\n",
            "-----END CERTIFICATE-----\nAAAA\n-----BEGIN CERTIFICATE-----\n",
        ])
    func notOneBlock(text: String) throws {
        #expect(try #require(throws: PKIError.self) { try IssuedCertificate(pem: text) }.code == .invalidPEM)
    }

    @Test("Line ends and blank lines around the block do not matter; remarks, two blocks and other columns do")
    func surroundings() async throws {
        let pem = try await sharedKeyPair(.rsa2048).publicKey.pem
        let key = try PublicKeyInfo(pem: pem)
        for text in [
            "\n \n" + pem + "\n\t\n", pem.replacing("\n", with: "\r\n"), String(pem.dropLast()), "\r\n" + pem,
        ] {
            #expect(try PublicKeyInfo(pem: text) == key)
        }
        let oneLine = "-----BEGIN PUBLIC KEY-----\n\(key.base64)\n-----END PUBLIC KEY-----\n"
        for text in ["subject=a\n" + pem, pem + pem, pem + "x", " " + pem, oneLine, pem.replacing("\n", with: "\n\n")] {
            #expect(try #require(throws: PKIError.self) { try PublicKeyInfo(pem: text) }.code == .invalidPEM)
        }
    }

    @Test(
        "Megabytes are refused at once", .timeLimit(.minutes(1)),
        arguments: ["\n", "A", "-----BEGIN CERTIFICATE-----\n", "\u{30}\u{80}"])
    func hugeTexts(unit: String) {
        let text = String(repeating: unit, count: 6_000_000 / unit.utf8.count)
        #expect(throws: PKIError.self) { try IssuedCertificate(pem: text) }
        #expect(throws: PKIError.self) { try KeyPair(pkcs8PEM: text) }
        #expect(throws: PKIError.self) { try PublicKeyInfo(pem: text) }
    }

    @Test("Deep nesting is refused")
    func deepNesting() {
        #expect(throws: PKIError.self) {
            try IssuedCertificate(der: Array(repeating: [0x30, 0x80], count: 30_000).flatMap(\.self))
        }
        var nested: [UInt8] = []
        for _ in 0..<60 { nested = [0x30, UInt8(nested.count)] + nested }
        #expect(throws: PKIError.self) { try IssuedCertificate(der: nested) }
        #expect(throws: PKIError.self) { try PublicKeyInfo(der: nested) }
    }

    /// One to three random changes.
    private func mutated(_ bytes: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0...Int.random(in: 0...2, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: bytes.indices, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(UInt8.random(in: .min ... .max, using: &generator), at: place)
            case 4: bytes.removeSubrange(place...)
            default:
                let other = Int.random(in: bytes.indices, using: &generator)
                bytes.insert(contentsOf: bytes[min(place, other)..<max(place, other)], at: place)
            }
        }
        return bytes
    }
}
