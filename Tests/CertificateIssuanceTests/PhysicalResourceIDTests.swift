import TestSupport
import Testing

@testable import CertificateIssuance

@Suite struct PhysicalResourceIDTests {
    @Test(
        "The longest id that can be made is not longer than CloudFormation takes, nor its key than S3 does",
        .contract(9))
    func longest() throws {
        let vector = try #require(try Golden.vectors().first { $0.name == "the longest names" })
        let owner = CertificateOwner(
            stackID: vector.stackId, stackGUID: String(repeating: "g", count: 64), logicalResourceID: vector.logicalId)
        let address = CertificateAddress(try vector.definition, of: owner)
        #expect(PhysicalResourceID.certificate(address).text.utf8.count <= 1024)
        #expect(address.key.utf8.count <= 1024)
    }

    @Test(
        "The name of a log stream is told from other ids", .contract(26, 30),
        arguments: [
            ("2026/11/20/[$LATEST]0123456789abcdef0123456789abcdef", true),
            ("2026/11/20/[17]0123456789abcdef0123456789abcdef", true),
            ("2026/11/20/my_function-1[$LATEST]0123456789abcdef0123456789abcdef", true),
            ("2026/11/20/my-function[17][0123456789abcdef0123456789abcdef]", true),
            ("2026/11/20/my.function[17]0123456789abcdef0123456789abcdef", false),
            ("2026/11/20/\(String(repeating: "f", count: 65))[17]0123456789abcdef0123456789abcdef", false),
            ("2026/11/20/]my[0123456789abcdef0123456789abcdef", false),
            ("2026/11/20/[$LATEST]0123456789abcdef0123456789abcde", false),
            ("2026/11/20/0123456789abcdef0123456789abcdef", false),
            ("2026/11/[$LATEST]0123456789abcdef0123456789abcdef", false),
            ("20260/11/20/[$LATEST]0123456789abcdef0123456789abcdef", false),
            ("shop-ElbBackendCertificate-1A2B3C", false), ("", false), ("///", false), ("2026/11/20/[", false),
        ])
    func logStream(text: String, expected: Bool) {
        #expect(PhysicalResourceID(text) == (expected ? .logStream(text) : .unknown(text)))
        #expect(PhysicalResourceID(text).text == text)
    }

    @Test(
        "What is not exactly an id of ours names no certificate", .contract(9),
        arguments: [
            "stackcert:1:", "stackcert:1:bucket", "stackcert:1:bucket/", "stackcert:1:bucket/key",
            "stackcert:2:bucket/backend-certificate/a/b/c/GENERATION.json",
            "stackcert:1:bucket/backend-certificate/a/b/c/GENERATION",
            "stackcert:1:bucket/backend-certificate/a/b/GENERATION.json",
            "stackcert:1:bucket/backend-certificate/a/b/c/d/GENERATION.json",
            "stackcert:1:bucket/backend-certificate//b/c/GENERATION.json",
            "stackcert:1:bucket/lets-encrypted/a/b/c/GENERATION.json",
            "stackcert:1:bucket/backend-certificate/a/b/c/../GENERATION.json",
        ])
    func unknown(text: String) {
        let id = text.replacing("GENERATION", with: String(repeating: "0", count: 64))
        #expect(PhysicalResourceID(id) == .unknown(id))
    }
}
