import PKI
import Testing
import Timekeeping

@Suite struct SelfSignedCertificateTests {
    static let start = UnixInstant(seconds: 1_795_000_000)

    static func profile(
        _ names: [String], commonName: String = "example.com", from notBefore: UnixInstant = start,
        to notAfter: UnixInstant = start.advanced(by: .days(365))
    ) throws -> SelfSignedProfile {
        SelfSignedProfile(
            names: try names.map { try SubjectAlternativeName($0) }, commonName: commonName, notBefore: notBefore,
            notAfter: notAfter)
    }

    @Test("A certificate reads back as it was asked for", arguments: KeyAlgorithm.allCases)
    func readsBack(algorithm: KeyAlgorithm) async throws {
        let pair = try await sharedKeyPair(algorithm)
        let names = ["example.com", "*.example.com", "10.0.0.1", "::1"]
        let profile = try SelfSignedCertificateTests.profile(names, commonName: "example.com")
        let certificate = try pair.selfSigned(profile)
        #expect(certificate.names == profile.names)
        #expect(certificate.names.map(\.description) == names)
        #expect(certificate.publicKey == pair.publicKey)
        #expect(certificate.notBefore == profile.notBefore)
        #expect(certificate.notAfter == profile.notAfter)
        #expect(try IssuedCertificate(pem: certificate.pem) == certificate)
        #expect(try IssuedCertificate(der: certificate.der) == certificate)
    }

    @Test("Serial numbers are positive, of 20 octets, and never twice the same")
    func serialNumbers() async throws {
        let pair = try await sharedKeyPair(.ecP256)
        let profile = try SelfSignedCertificateTests.profile(["example.com"])
        var seen = Set<String>()
        for _ in 0..<100 {
            let serialNumber = SerialNumber.random()
            #expect((0x40...0x7F).contains(serialNumber.bytes.first ?? 0))
            #expect(serialNumber.bytes.count == 20)
            let certificate = try pair.selfSigned(profile, serialNumber: serialNumber)
            #expect(certificate.serialNumber == serialNumber.description)
            #expect(seen.insert(certificate.serialNumber).inserted)
        }
        let implicit = try (pair.selfSigned(profile), pair.selfSigned(profile))
        #expect(implicit.0.serialNumber != implicit.1.serialNumber)
    }

    @Test("The generator of serial numbers can be given")
    func injectedGenerator() {
        var (one, same, other) = (SeededGenerator(seed: 1), SeededGenerator(seed: 1), SeededGenerator(seed: 2))
        let first = SerialNumber.random(using: &one)
        #expect(first == SerialNumber.random(using: &same))
        #expect(first != SerialNumber.random(using: &other))
        #expect(first != SerialNumber.random(using: &one))
    }

    @Test("A name that is given twice goes in once")
    func repeatedNames() async throws {
        let pair = try await sharedKeyPair(.ecP256)
        let profile = try SelfSignedCertificateTests.profile(["a.example", "b.example", "A.example."])
        #expect(try pair.selfSigned(profile).names.map(\.description) == ["a.example", "b.example"])
    }

    @Test("An IPv4-mapped address goes in as the IPv4 address, once")
    func mappedAddresses() async throws {
        let pair = try await sharedKeyPair(.ecP256)
        let profile = try SelfSignedCertificateTests.profile(["::ffff:10.1.2.3", "10.1.2.3", "::10.1.2.3"])
        #expect(try pair.selfSigned(profile).names.map(\.description) == ["10.1.2.3", "::a01:203"])
    }

    @Test(
        "A certificate without a common name, or with one that is too long, is refused",
        arguments: ["", String(repeating: "a", count: 65), String(repeating: "ü", count: 3_000_000)])
    func unusableCommonName(commonName: String) async throws {
        let pair = try await sharedKeyPair(.ecP256)
        let profile = try SelfSignedCertificateTests.profile(["a.example"], commonName: commonName)
        #expect(try #require(throws: PKIError.self) { try pair.selfSigned(profile) }.code == .invalidProfile)
    }

    @Test("A hundred names are possible, one more or none is refused")
    func numberOfNames() async throws {
        let pair = try await sharedKeyPair(.ecP256)
        func issue(_ count: Int) throws -> IssuedCertificate {
            try pair.selfSigned(SelfSignedCertificateTests.profile((0..<count).map { "n\($0).example" }))
        }
        #expect(try issue(100).names.count == 100)
        for count in [0, 101, 1000] {
            #expect(try #require(throws: PKIError.self) { try issue(count) }.code == .invalidProfile)
        }
    }

    @Test(
        "Dates that no certificate can have are refused",
        arguments: [
            (Int64.min, Int64.max), (0, .max), (.min, 0), (0, 0), (1000, 0), (1, 999),
            (-631_152_000_001, 0), (0, 253_402_300_800_000),
        ])
    func impossibleDates(notBefore: Int64, notAfter: Int64) async throws {
        let pair = try await sharedKeyPair(.ecP256)
        let profile = try SelfSignedCertificateTests.profile(
            ["a.example"], from: UnixInstant(milliseconds: notBefore), to: UnixInstant(milliseconds: notAfter))
        #expect(try #require(throws: PKIError.self) { try pair.selfSigned(profile) }.code == .invalidProfile)
    }

    @Test("Parts of a second are dropped, before 1970 as well")
    func wholeSeconds() async throws {
        let pair = try await sharedKeyPair(.ecP256)
        let profile = try SelfSignedCertificateTests.profile(
            ["a.example"], from: UnixInstant(milliseconds: -1), to: UnixInstant(milliseconds: 1_999))
        let certificate = try pair.selfSigned(profile)
        #expect(certificate.notBefore == UnixInstant(seconds: -1))
        #expect(certificate.notAfter == UnixInstant(seconds: 1))
    }
}
