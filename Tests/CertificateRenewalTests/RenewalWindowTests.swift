import CertificateRenewal
import Testing
import Timekeeping

/// When an operator lets updates begin.
@Suite struct RenewalWindowTests {
    @Test(
        "A window has a start, an end and, if wanted, days, all in UTC",
        arguments: [
            ("02:00-06:00", "2026-11-21T02:00:00Z", true),
            ("02:00-06:00", "2026-11-21T01:59:59Z", false),
            ("02:00-06:00", "2026-11-21T06:00:00Z", false),
            ("22:00-03:00", "2026-11-21T23:00:00Z", true),
            ("22:00-03:00", "2026-11-21T02:59:00Z", true),
            ("22:00-03:00", "2026-11-21T03:00:00Z", false),
            ("Sat,Sun 02:00-06:00", "2026-11-21T02:00:00Z", true),
            ("Sat,Sun 02:00-06:00", "2026-11-23T02:00:00Z", false),
            // The night from Saturday to Sunday.
            ("Sat 22:00-03:00", "2026-11-22T02:00:00Z", true),
            ("Sat 22:00-03:00", "2026-11-21T02:00:00Z", false),
        ])
    func contains(_ text: String, _ instant: String, _ isInside: Bool) throws {
        let instant = try #require(UnixInstant(iso8601: instant))
        #expect(try RenewalWindow(text).contains(instant) == isInside)
    }

    @Test(
        "A window that cannot be read is refused by name",
        arguments: [
            "", "2-6", "02:00", "02:00-25:00", "02:00-02:00", "Sat", "sat 02:00-06:00", "Sat Sun 02:00-06:00",
            "+2:00-06:00", "02:00-06:00-07:00",
        ])
    func malformed(_ text: String) {
        #expect { try RenewalWindow(text) } throws: { error in
            (error as? RenewalError)?.message.contains("02:00-06:00, after days such as") == true
        }
    }
}
