import FoundationEssentials
import PKI
import ProviderTestSupport
import TestSupport
import Testing

/// Names as long as DNS allows: every client has to be able to read the certificate.
@Suite struct CertificateNameTests {
    /// A domain of `length` characters with labels of at most 63.
    private static func domain(_ length: Int) -> String {
        var rest = length
        var labels: [String] = []
        while rest > 0 {
            // What is left behind a dot must be a label as well.
            let count = rest == 64 ? 62 : min(rest, 63)
            labels.append(String(repeating: "a", count: count))
            rest -= count + 1
        }
        return labels.joined(separator: ".")
    }

    private func certificate(_ changes: [String: String]) async throws -> IssuedCertificate {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider, properties: TestProvider.properties(changes))
        let reply = try await stack.create()
        #expect(reply.status == "SUCCESS", "\(reply.reason ?? "")")
        let key = try #require(reply.data?["CertificateS3Key"])
        let body = try #require(provider.s3.body(bucket: TestProvider.certificateBucket, key: key))
        let members = try JSONDecoder().decode([String: String].self, from: Data(body))
        return try IssuedCertificate(pem: try #require(members["certificate"]))
    }

    @Test(
        "A domain of every length that DNS allows gets a certificate with subject and issuer", .contract(31),
        arguments: [1, 2, 61, 62, 63, 64, 65, 66, 127, 250, 251, 252, 253])
    func length(length: Int) async throws {
        let domain = Self.domain(length)
        #expect(domain.count == length)
        let certificate = try await certificate(["AppDomain": domain])
        let commonName = try #require(certificate.commonName)
        #expect((1...64).contains(commonName.count))
        #expect(certificate.issuerCommonName == commonName)
        // As it always was where that fits.
        if length <= 62 { #expect(commonName == "*.\(domain)") }
        let names = certificate.names.map(\.description)
        #expect(names == (length <= 251 ? [domain, "*.\(domain)"] : [domain]))
    }

    @Test("A Unicode domain becomes A-labels in the subject as well", .contract(31))
    func unicode() async throws {
        let certificate = try await certificate(["AppDomain": "münchen.example"])
        #expect(certificate.commonName == "*.xn--mnchen-3ya.example")
    }

    @Test("Generations of one long domain have common names of their own", .contract(31))
    func generations() async throws {
        let domain = Self.domain(200)
        let first = try await certificate(["AppDomain": domain, "Rotation": "1"])
        let second = try await certificate(["AppDomain": domain, "Rotation": "2"])
        #expect(first.commonName?.hasPrefix("stackcert ") == true)
        #expect(first.commonName != second.commonName)
    }

    @Test("98 further names fit, and one more is refused by the name of the property", .contract(12, 31))
    func numberOfNames() async throws {
        func names(_ count: Int) -> String { (0..<count).map { "n\($0).example" }.joined(separator: ",") }
        #expect(try await certificate(["SubjectAlternativeNames": names(98)]).names.count == 100)
        let provider = try TestProvider()
        var stack = ScriptedStack(
            provider, properties: TestProvider.properties(["SubjectAlternativeNames": names(99)]))
        let reply = try await stack.create()
        #expect(reply.status == "FAILED")
        #expect(
            reply.reason
                == "Property SubjectAlternativeNames has 99 names: a certificate has at most 100, and 2 of them are "
                + "AppDomain and *.AppDomain. Give at most 98.")
    }

    @Test("An IPv4-mapped address is written as IPv4, and its generation is found again", .contract(5, 31))
    func mappedAddress() async throws {
        let provider = try TestProvider()
        let properties = TestProvider.properties(["SubjectAlternativeNames": "::ffff:10.1.2.3"])
        var stack = ScriptedStack(provider, properties: properties)
        let created = try await stack.create()
        #expect(try await stack.update(properties.merging(["CacheBuster": "1"]) { $1 }).data == created.data)
        let certificate = try await certificate(["SubjectAlternativeNames": "::ffff:10.1.2.3"])
        #expect(certificate.names.last?.description == "10.1.2.3")
    }
}
