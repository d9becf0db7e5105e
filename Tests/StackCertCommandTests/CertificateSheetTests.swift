import ACME
import CertificateIssuance
import Testing
import Timekeeping

@testable import CertificateRenewal
@testable import StackCertCommand

/// The sheet of one certificate.
@Suite struct CertificateSheetTests {
    private func sheet(_ names: [String]?, isCurrent: Bool = true) async throws -> CertificateSheet {
        let (record, status) = try await Fleet.recorded("shop", names: names, days: 45)
        return CertificateSheet(
            CertificateDetails(record: record, status: status, attempt: nil, isCurrent: isCurrent), now: Fleet.now)
    }

    @Test("It begins with the state, and has a line for each fact")
    func text() async throws {
        let lines = try await sheet(["shop.example.com", "*.shop.example.com"]).text.split(separator: "\n")
        #expect(lines.first == "shop  Certificate  ok")
        #expect(lines.contains("  Names          shop.example.com, *.shop.example.com"))
        #expect(lines.contains("  Algorithm      EC_P256"))
        #expect(lines.contains("  Valid          2026-12-01T08:00:00Z to 2027-03-01T08:00:00Z (45 days left)"))
        #expect(lines.contains("  Last attempt   none is under way, and none has failed"))
        #expect(!lines.contains { $0.contains("Stable copy") })
    }

    @Test("Of a certificate of an authority it says which, where its copies are, and when that wants it renewed")
    func letsEncrypt() async throws {
        let (backend, _) = try await Fleet.recorded("shop", days: 45)
        let key = "lets-encrypt/shop/guid/Certificate/\(String(repeating: "a", count: 64)).json"
        let order = OrderSettings(
            directory: try ResourceURL("https://ca.test/directory"), contact: nil, profile: nil, preferredChain: nil,
            holder: "111122223333", revokeOnDelete: false, stableCertificateARN: false, importRegion: nil,
            importPath: nil)
        let record = CertificateRecord(
            address: try #require(CertificateAddress(bucket: "certificates", key: key)),
            owner: CertificateOwner(
                stackID: backend.stackID, stackGUID: "guid", logicalResourceID: backend.logicalResourceID),
            settings: CertificateSettings(rotationParameter: "CertificateRotation", stableS3Key: false, order: order),
            facts: backend.facts.replacing(.trusted(backend.facts.publicKey)), names: ["shop.example.com"],
            copies: CertificateCopies(certificateARN: "arn:aws:acm:eu-west-1:111122223333:certificate/1"),
            certificateID: "AAAA.BBBB", claim: backend.claim)
        let advice = RenewalAdvice(
            certificateID: "AAAA.BBBB", windowStart: Fleet.now.advanced(by: .days(10)),
            windowEnd: Fleet.now.advanced(by: .days(12)), chosen: Fleet.now.advanced(by: .days(11)),
            askAgainAt: Fleet.now, explanationURL: nil)
        let details = CertificateDetails(
            record: record, status: try #require(CertificateStatus(record, attempt: nil, now: Fleet.now)), attempt: nil,
            isCurrent: true, advice: advice)
        let text = CertificateSheet(details, now: Fleet.now).text
        #expect(text.contains("  Authority      https://ca.test/directory\n"))
        #expect(text.contains("  In ACM         arn:aws:acm:eu-west-1:111122223333:certificate/1\n"))
        #expect(
            text.contains(
                "2027-01-26T08:00:00Z, chosen in the authority's window 2027-01-25T08:00:00Z to 2027-01-27T08:00:00Z"))
        #expect(!text.contains("Previous key"))
    }

    @Test("What was never written down, and what is being replaced, is said so")
    func missing() async throws {
        let text = try await sheet(nil, isCurrent: false).text
        #expect(text.hasPrefix("shop  Certificate  ok  (being replaced)\n"))
        #expect(text.contains("  Names          not written down yet; the next update of the stack does"))
        // The fleet's previous keys cannot be read.
        #expect(text.contains("  Previous key   -, whose private key was thrown away"))
    }
}
