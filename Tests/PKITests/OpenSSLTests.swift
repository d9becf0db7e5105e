import Crypto
import Diagnostics
import PKI
import Testing
import Timekeeping

/// What OpenSSL makes of our keys and certificates.
@Suite struct OpenSSLTests {
    static let names = ["example.com", "*.example.com", "xn--mnchen-3ya.example", "192.0.2.7", "2001:db8::1"]

    /// A folder with `key.pem`, `cert.pem` and the certificate in them.
    static func issued(
        _ algorithm: KeyAlgorithm, commonName: String = "example.com", notAfter: UnixInstant? = nil
    ) async throws -> (openSSL: OpenSSLFolder, pair: KeyPair, certificate: IssuedCertificate) {
        let pair = try await sharedKeyPair(algorithm)
        let now = SystemWallClock().now
        let certificate = try pair.selfSigned(
            SelfSignedProfile(
                names: names.map { try SubjectAlternativeName($0) }, commonName: commonName,
                notBefore: now.advanced(by: .seconds(-3600)), notAfter: notAfter ?? now.advanced(by: .days(365))))
        let openSSL = try OpenSSLFolder()
        try openSSL.write(pair.privateKeyPEM.exposed, to: "key.pem")
        try openSSL.write(certificate.pem, to: "cert.pem")
        return (openSSL, pair, certificate)
    }

    @Test("OpenSSL reads the profile of RFC 5280 in the certificate", arguments: KeyAlgorithm.allCases)
    func profile(algorithm: KeyAlgorithm) async throws {
        let (openSSL, pair, certificate) = try await OpenSSLTests.issued(algorithm)
        let text = try openSSL.run("x509", "-in", "cert.pem", "-noout", "-text")
        let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }
        func value(after heading: String) -> String? {
            lines.firstIndex { $0.hasPrefix(heading) }.flatMap { index in
                index + 1 < lines.count ? String(lines[index + 1]) : nil
            }
        }
        let signature =
            switch algorithm {
            case .rsa2048, .rsa3072, .rsa4096: "sha256WithRSAEncryption"
            case .ecP256: "ecdsa-with-SHA256"
            case .ecP384: "ecdsa-with-SHA384"
            }
        let usage = algorithm.rawValue.hasPrefix("RSA") ? "Digital Signature, Key Encipherment" : "Digital Signature"
        #expect(lines.contains("Version: 3 (0x2)"))
        #expect(lines.filter { $0 == "Signature Algorithm: \(signature)" }.count == 2)
        #expect(lines.contains("Issuer: CN = example.com"))
        #expect(lines.contains("Subject: CN = example.com"))
        #expect(value(after: "X509v3 Basic Constraints: critical") == "CA:FALSE")
        #expect(value(after: "X509v3 Key Usage: critical") == usage)
        #expect(value(after: "X509v3 Extended Key Usage:") == "TLS Web Server Authentication")
        #expect(
            value(after: "X509v3 Subject Alternative Name:")
                == "DNS:example.com, DNS:*.example.com, DNS:xn--mnchen-3ya.example, IP Address:192.0.2.7, "
                + "IP Address:2001:DB8:0:0:0:0:0:1")
        let identifier = try #require(value(after: "X509v3 Subject Key Identifier:"))
        #expect(value(after: "X509v3 Authority Key Identifier:") == identifier)
        #expect(identifier.filter(\.isHexDigit).lowercased() == keyIdentifier(pair))
        #expect(lines.count { $0.hasPrefix("X509v3 ") } == 7)

        let facts = try openSSL.run(
            "x509", "-in", "cert.pem", "-noout", "-serial", "-fingerprint", "-sha256", "-dateopt", "iso_8601", "-dates")
        #expect(facts.contains("serial=\(certificate.serialNumber.uppercased())\n"))
        let fingerprint = try #require(facts.firstMatch(of: /sha256 Fingerprint=([0-9A-F:]+)/)).1
        #expect(fingerprint.filter(\.isHexDigit).lowercased() == certificate.fingerprint)
        for (label, date) in [("notBefore", certificate.notBefore), ("notAfter", certificate.notAfter)] {
            #expect(facts.contains("\(label)=\(date.iso8601.replacing("T", with: " "))\n"))
        }
    }

    @Test("OpenSSL verifies the certificate for its names and for no other", arguments: KeyAlgorithm.allCases)
    func verification(algorithm: KeyAlgorithm) async throws {
        let (openSSL, _, _) = try await OpenSSLTests.issued(algorithm)
        for name in ["example.com", "www.example.com", "xn--mnchen-3ya.example"] {
            try openSSL.run(
                "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", name, "-CAfile", "cert.pem",
                "cert.pem")
            let check = try openSSL.run("x509", "-in", "cert.pem", "-noout", "-checkhost", name)
            #expect(check.contains("does match certificate"))
        }
        for address in ["192.0.2.7", "2001:db8::1"] {
            try openSSL.run("verify", "-verify_ip", address, "-CAfile", "cert.pem", "cert.pem")
        }
        for name in ["a.b.example.com", "example.org", "example.com.evil.test", "com"] {
            let check = try openSSL.run("x509", "-in", "cert.pem", "-noout", "-checkhost", name)
            #expect(check.contains("does NOT match certificate"))
        }
    }

    @Test("Keys are written byte for byte as OpenSSL writes them", arguments: KeyAlgorithm.allCases)
    func keys(algorithm: KeyAlgorithm) async throws {
        let (openSSL, pair, certificate) = try await OpenSSLTests.issued(algorithm)
        let written = try openSSL.run("pkcs8", "-topk8", "-nocrypt", "-in", "key.pem")
        #expect(written == pair.privateKeyPEM.exposed)
        #expect(try openSSL.run("pkey", "-in", "key.pem", "-check", "-noout").contains("Key is valid"))
        #expect(try openSSL.run("pkey", "-in", "key.pem", "-pubout") == pair.publicKey.pem)
        #expect(try openSSL.run("x509", "-in", "cert.pem", "-noout", "-pubkey") == certificate.publicKey.pem)
        #expect(try openSSL.run("x509", "-in", "cert.pem") == certificate.pem)
    }

    @Test(
        "Keys that OpenSSL made are read",
        arguments: zip([KeyAlgorithm.rsa2048, .ecP256, .ecP384], ["RSA", "P-256", "P-384"]))
    func foreignKeys(algorithm: KeyAlgorithm, name: String) throws {
        let openSSL = try OpenSSLFolder()
        let written = try openSSL.key(name)
        let pair = try KeyPair(pkcs8PEM: written)
        #expect(pair.algorithm == algorithm)
        #expect(pair.privateKeyPEM.exposed == written)
        #expect(try openSSL.run("pkey", "-in", "key.pem", "-pubout") == pair.publicKey.pem)
    }

    @Test("Keys of other kinds are refused", arguments: ["RSA-1024", "P-521", "secp256k1", "ED25519", "RSA-PSS"])
    func unsupportedKeys(name: String) throws {
        let openSSL = try OpenSSLFolder()
        let error = try #require(throws: PKIError.self) { try KeyPair(pkcs8PEM: openSSL.key(name)) }
        #expect(error.code == .invalidPrivateKey)
    }

    @Test("PKCS#1, SEC 1 and encrypted keys are refused by their label")
    func otherContainers() async throws {
        for algorithm in [KeyAlgorithm.rsa2048, .ecP256] {
            let (openSSL, _, _) = try await OpenSSLTests.issued(algorithm)
            let traditional = try openSSL.run("pkey", "-in", "key.pem", "-traditional")
            let encrypted = try openSSL.run(
                "pkcs8", "-topk8", "-in", "key.pem", "-passout", "pass:x", "-v2", "aes128", "-iter", "1")
            for text in [traditional, encrypted] {
                #expect(try #require(throws: PKIError.self) { try KeyPair(pkcs8PEM: text) }.code == .invalidPEM)
            }
        }
    }

    @Test(
        "Times are UTCTime until 2049 and GeneralizedTime from 2050",
        arguments: [
            ("2049-12-31T23:59:59Z", "UTCTIME           :491231235959Z"),
            ("2050-01-01T00:00:00Z", "GENERALIZEDTIME   :20500101000000Z"),
            ("9999-12-31T23:59:59Z", "GENERALIZEDTIME   :99991231235959Z"),
            ("2028-02-29T12:00:00.999Z", "UTCTIME           :280229120000Z"),
        ])
    func times(notAfter: String, encoding: String) async throws {
        let instant = try #require(UnixInstant(iso8601: notAfter))
        let (openSSL, _, certificate) = try await OpenSSLTests.issued(.ecP256, notAfter: instant)
        let structure = try openSSL.run("asn1parse", "-in", "cert.pem")
        #expect(structure.contains(encoding))
        #expect(certificate.notAfter == UnixInstant(seconds: instant.seconds))
    }

    @Test("Subject and issuer are the common name, up to 64 characters", arguments: [1, 64])
    func longestCommonName(length: Int) async throws {
        let commonName = String(repeating: "a", count: length)
        let (openSSL, _, _) = try await OpenSSLTests.issued(.ecP256, commonName: commonName)
        for option in ["-subject", "-issuer"] {
            let text = try openSSL.run("x509", "-in", "cert.pem", "-noout", option)
            #expect(text.hasSuffix("CN = \(commonName)\n") || text.hasSuffix("CN=\(commonName)\n"))
        }
        try openSSL.run("verify", "-x509_strict", "-verify_hostname", "example.com", "-CAfile", "cert.pem", "cert.pem")
    }

    @Test("A common name cannot add fields to the subject")
    func commonNameInjection() async throws {
        let (openSSL, _, _) = try await OpenSSLTests.issued(.ecP256, commonName: "a/O=Evil, OU=Evil\nCN=b")
        let subject = try openSSL.run("x509", "-in", "cert.pem", "-noout", "-subject", "-nameopt", "RFC2253")
        #expect(subject == #"subject=CN=a/O=Evil\, OU=Evil\0ACN=b"# + "\n")
    }

    @Test(
        "OpenSSL's server and client shake hands over the certificate",
        arguments: [KeyAlgorithm.rsa2048, .ecP256, .ecP384])
    func handshake(algorithm: KeyAlgorithm) async throws {
        let (openSSL, _, _) = try await OpenSSLTests.issued(algorithm)
        try openSSL.withServer { port in
            for version in ["-tls1_2", "-tls1_3"] {
                let client = try openSSL.run(
                    "s_client", "-connect", "127.0.0.1:\(port)", version, "-CAfile", "cert.pem",
                    "-verify_return_error", "-verify_hostname", "app.example.com")
                #expect(client.contains("Verify return code: 0 (ok)"))
            }
        }
    }

    /// Method 1 of RFC 5280, 4.2.1.2, over the bits at the end of the SubjectPublicKeyInfo.
    private func keyIdentifier(_ pair: KeyPair) -> String {
        let bits =
            switch pair.algorithm {
            case .ecP256: 65
            case .ecP384: 97
            case .rsa2048: 270
            case .rsa3072: 398
            case .rsa4096: 526
            }
        return Insecure.SHA1.hash(data: pair.publicKey.der.suffix(bits)).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 0x0F, radix: 16)
        }.joined()
    }
}
