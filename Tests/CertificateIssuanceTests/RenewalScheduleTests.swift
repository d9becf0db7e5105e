import Testing
import Timekeeping

@testable import CertificateIssuance

@Suite struct RenewalScheduleTests {
    private static let start = UnixInstant(seconds: 1_800_000_000)
    private static let early = String(repeating: "f", count: 64)
    private static let late = String(repeating: "0", count: 64)

    private func due(days: Int, _ generation: String) throws -> Int64 {
        let schedule = RenewalSchedule(
            notBefore: Self.start, notAfter: Self.start.advanced(by: .days(days)),
            generation: try #require(Generation(generation)))
        return schedule.due.seconds - Self.start.seconds
    }

    @Test(
        "Renewal is due at two thirds of a life, at half of a short one",
        arguments: [(3650, 2433), (365, 243), (30, 20), (10, 6), (9, 4), (2, 1), (1, 0), (0, 0)])
    func point(days: Int, wholeDays: Int64) throws {
        #expect(try due(days: days, Self.late) / 86_400 == wholeDays)
    }

    @Test(
        "It is earlier by up to a tenth of the life, by a share of the generation's own",
        arguments: [1, 9, 30, 365, 3650])
    func jitter(days: Int) throws {
        let latest = try due(days: days, Self.late)
        let earliest = try due(days: days, Self.early)
        #expect(earliest < latest)
        #expect(latest - earliest <= Int64(days) * 8640)
        #expect(latest - earliest >= Int64(days) * 8630)
        #expect(earliest > 0)
        #expect(try due(days: days, Self.early) == earliest)
    }

    @Test("Dates the wrong way round give no trap and no date in the future")
    func oddDates() throws {
        #expect(try due(days: -5, Self.early) == 0)
        let generation = try #require(Generation(Self.early))
        let extreme = RenewalSchedule(
            notBefore: UnixInstant(milliseconds: .min), notAfter: UnixInstant(milliseconds: .max),
            generation: generation)
        #expect(extreme.due <= UnixInstant(milliseconds: .max))
    }

    @Test("An action's key sorts by the minute in which it is due")
    func actionKey() throws {
        let vector = try #require(try Golden.vectors().first)
        let address = try vector.address
        let facts = facts()
        let due = RenewalSchedule(
            notBefore: facts.notBefore, notAfter: facts.notAfter, generation: address.generation
        ).due
        let name = "\(vector.stackGuid).\(vector.logicalId).\(vector.generation)"
        #expect(address.actionKey(facts) == "actions/\(due.iso8601.prefix(16))Z/\(name)")
        #expect(
            address.actionKey(at: UnixInstant(seconds: 1_801_728_059))
                == "actions/2027-02-04T08:00Z/\(name)")
    }

    @Test("A Let's Encrypt certificate is looked at after six hours: its authority may want it renewed at any time")
    func firstLook() throws {
        let key = "lets-encrypt/shop/guid/Certificate/\(Self.late).json"
        let address = try #require(CertificateAddress(bucket: "certificates", key: key))
        let facts = facts()
        #expect(address.actionKey(facts) == address.actionKey(at: Self.start.advanced(by: .seconds(6 * 3600))))
    }

    private func facts() -> CertificateFacts {
        CertificateFacts(
            publicKey: "", previousPublicKey: "", previousKeyDiscarded: false, certificateFingerprint: "",
            serialNumber: "", notBefore: Self.start, notAfter: Self.start.advanced(by: .days(30)), requestID: "",
            issuedAt: Self.start)
    }
}
