import Diagnostics
import FoundationEssentials
import PKI
import TestSupport
import Testing
import Timekeeping

@testable import CertificateIssuance

@Suite struct CertificateBundleTests {
    private func bundle() async throws -> CertificateBundle {
        let vector = try #require(try Golden.vectors().first)
        let base = try vector.definition
        let definition = CertificateDefinition(
            appDomain: base.appDomain, appName: base.appName, bucket: base.bucket, keyAlgorithm: .ecP256,
            validityDays: 30, subjectAlternativeNames: [.dns(base.appDomain), try SubjectAlternativeName("10.1.2.3")],
            rotation: base.rotation)
        return try await SelfSignedIssuer(clock: VirtualClock()).issue(
            definition, generation: Generation(definition, of: vector.owner))
    }

    @Test("A bundle's members have the names that servers read")
    func members() async throws {
        let bundle = try await bundle()
        let members = try JSONDecoder().decode([String: String].self, from: Data(bundle.encoded().exposed))
        #expect(members.keys.sorted() == (try Golden.names().bundleMembers))
        #expect(try KeyPair(pkcs8PEM: members["private_key"] ?? "").publicKey == bundle.certificate.publicKey)
        #expect(try IssuedCertificate(pem: members["certificate"] ?? "") == bundle.certificate)
        #expect(try PublicKeyInfo(pem: members["public_key"] ?? "") == bundle.certificate.publicKey)
        #expect(members["app_name"] == "shop")
        #expect(members["apps_domain"] == "shop.example.com")
        #expect(members["chain"] == "")
        #expect(members["generation"] == bundle.generation.description)
        #expect(members["key_algorithm"] == "EC_P256")
        #expect(members["serial_number"] == bundle.certificate.serialNumber)
        #expect(members["not_before"] == "2027-01-15T07:00:00Z")
        #expect(members["not_after"] == "2027-02-14T08:00:00Z")
    }

    @Test("A certificate is for the domain, its wildcard and the other names, each once")
    func names() async throws {
        #expect(
            try await bundle().certificate.names.map(\.description)
                == ["shop.example.com", "*.shop.example.com", "10.1.2.3"])
    }

    @Test("A bundle does not show its key", .contract(24))
    func redaction() async throws {
        let bundle = try await bundle()
        let key = bundle.keyPair.privateKeyPEM.exposed.split(separator: "\n").dropFirst().first.map(String.init) ?? ""
        var dumped = ""
        dump(bundle, to: &dumped)
        let shown = "\(bundle) \(String(reflecting: bundle)) \(dumped) \(try bundle.encoded())"
        #expect(key.count == 64)
        #expect(!shown.contains(key) && !shown.contains("PRIVATE"))
        #expect(String(decoding: try bundle.encoded().exposed, as: UTF8.self).contains(key.replacing("/", with: "/")))
    }
}
