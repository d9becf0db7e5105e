import CertificateIssuance
import CertificateRenewal
import Testing
import Timekeeping

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

    @Test("What was never written down, and what is being replaced, is said so")
    func missing() async throws {
        let text = try await sheet(nil, isCurrent: false).text
        #expect(text.hasPrefix("shop  Certificate  ok  (being replaced)\n"))
        #expect(text.contains("  Names          not written down yet; the next update of the stack does"))
        // The fleet's previous keys cannot be read.
        #expect(text.contains("  Previous key   -, whose private key was thrown away"))
    }
}
