import TestSupport
import Testing
import Timekeeping

@testable import CertificateIssuance

@Suite struct CertificateMetadataTests {
    /// Two keys of RSA 4096 and the longest of everything else.
    private func worstCase() throws -> CertificateMetadata {
        let vector = try #require(try Golden.vectors().first { $0.name == "the longest names" })
        let facts = CertificateFacts(
            publicKey: String(repeating: "A", count: 736), previousPublicKey: String(repeating: "B", count: 736),
            previousKeyDiscarded: false, certificateFingerprint: String(repeating: "f", count: 64),
            serialNumber: String(repeating: "e", count: 40), notBefore: UnixInstant(seconds: 9_999_999_998),
            notAfter: UnixInstant(seconds: 9_999_999_999), requestID: "6f0c7a10-1f2e-11f0-9c1d-0a58a9feac02",
            issuedAt: UnixInstant(milliseconds: 9_999_999_999_999))
        return CertificateMetadata(address: try vector.address, owner: vector.owner, facts: facts)
    }

    @Test("The metadata of the largest keys fits into S3's 2 KB, with the fields' prefixes counted")
    func size() throws {
        let fields = try worstCase().fields
        let bytes = fields.reduce(0) { $0 + "x-amz-meta-".utf8.count + $1.key.utf8.count + $1.value.utf8.count }
        #expect(bytes <= 2048)
    }

    @Test("The metadata has the names that it always had, and is read back as it was written", .contract(4))
    func roundTrip() throws {
        let metadata = try worstCase()
        #expect(metadata.fields.keys.sorted() == (try Golden.names().metadata))
        #expect(CertificateMetadata(fields: metadata.fields) == metadata)
    }

    @Test("What lacks a field, or has an odd one, is not ours", .contract(9))
    func foreign() throws {
        let fields = try worstCase().fields
        for name in fields.keys {
            var lacking = fields
            lacking[name] = nil
            #expect(CertificateMetadata(fields: lacking) == nil, "\(name)")
        }
        for (name, value) in [
            ("version", "2"), ("generation", "x"), ("not-after", "soon"), ("not-before", ""), ("issued-at", "1e9"),
            ("previous-discarded", "yes"),
        ] {
            #expect(CertificateMetadata(fields: fields.merging([name: value]) { $1 }) == nil, "\(name)")
        }
        #expect(CertificateMetadata(fields: [:]) == nil)
    }
}
