import FoundationEssentials
import Testing
import Timekeeping

@Suite struct TimekeepingTests {
    @Test(
        "An instant is written and read as ISO 8601",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
            (1_800_000_000, "2027-01-15T08:00:00Z"), (4_102_444_799, "2099-12-31T23:59:59Z"),
        ] as [(Int64, String)])
    func roundTrip(seconds: Int64, text: String) {
        let instant = UnixInstant(seconds: seconds)
        #expect(instant.iso8601 == text)
        #expect(UnixInstant(iso8601: text) == instant)
        #expect(UnixInstant(iso8601: instant.basicISO8601) == instant)
    }

    @Test(
        "What is no date is refused",
        arguments: [
            "", "Z", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-1-101T00:00:00Z", "20261120T230800",
            "2026-11-20T23:08:60Z", "2026-11-20T23:08:00.Z", "2026-11-20T23:08:00.1aZ", "٢٠٢٦-11-20T23:08:00Z",
        ])
    func refused(text: String) {
        #expect(UnixInstant(iso8601: text) == nil)
    }

    @Test("Milliseconds survive storing")
    func milliseconds() throws {
        #expect(UnixInstant(iso8601: "1970-01-01T00:00:01.0305Z") == UnixInstant(milliseconds: 1030))
        for instant in [1_800_000_000_123, 1000, 0, -1, -1999].map({ UnixInstant(milliseconds: $0) }) {
            let stored = try JSONEncoder().encode(instant)
            #expect(try JSONDecoder().decode(UnixInstant.self, from: stored) == instant)
        }
    }

    @Test("The ends of the range can be stored without a trap", arguments: [Int64.min, Int64.max])
    func ends(milliseconds: Int64) throws {
        _ = try JSONEncoder().encode(UnixInstant(milliseconds: milliseconds))
    }

    @Test("Arithmetic at the ends of the range saturates instead of trapping")
    func saturation() {
        #expect(UnixInstant(seconds: .max).advanced(by: .seconds(Int64.max)).milliseconds == .max)
        #expect(UnixInstant(seconds: .min).advanced(by: .seconds(Int64.min)).milliseconds == .min)
        #expect(UnixInstant(milliseconds: .min).duration(to: UnixInstant(milliseconds: .max)) > .zero)
    }
}
