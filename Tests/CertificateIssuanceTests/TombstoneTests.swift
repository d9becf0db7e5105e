import TestSupport
import Testing
import Timekeeping

@testable import CertificateIssuance

@Suite struct TombstoneTests {
    private let deleted = UnixInstant(seconds: 1_800_000_000)

    private func stops(issued seconds: Int64, after wait: Duration) -> Bool {
        Tombstone(issuedAt: deleted, writtenAt: deleted).stops(
            Claim(requestID: "r", issuedAt: UnixInstant(seconds: deleted.seconds + seconds)),
            at: deleted.advanced(by: wait))
    }

    @Test("A tombstone stops what was issued before it, and in its own second", .contract(3))
    func order() {
        #expect(stops(issued: -60, after: .seconds(1)))
        #expect(stops(issued: 0, after: .seconds(1)))
        #expect(!stops(issued: 1, after: .seconds(1)))
    }

    @Test("A tombstone means nothing after thirty minutes", .contract(3))
    func lifetime() {
        #expect(stops(issued: -60, after: .seconds(30 * 60 - 1)))
        #expect(!stops(issued: -60, after: .seconds(30 * 60)))
    }

    @Test("A tombstone that is dated in the future, by more than clocks differ, means nothing", .contract(3))
    func future() {
        #expect(stops(issued: -60, after: .seconds(-120)))
        #expect(!stops(issued: -60, after: .seconds(-30 * 60)))
        #expect(!stops(issued: -60, after: .days(-40 * 365)))
    }
}
