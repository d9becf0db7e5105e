import Testing
import Timekeeping

@testable import CertificateRenewal
@testable import StackCertCommand

/// What whoever is on call sees.
@Suite struct StatusTableTests {
    @Test("A line for each certificate, and under it what is wrong and what to do")
    func table() async throws {
        let text = StatusTable(
            [
                try await Fleet.status("old", days: -1),
                try await Fleet.status("stuck", days: 5, attempt: (RenewalOutcome(.noRole, "Attach one."), false)),
                try await Fleet.status("busy", days: 10, attempt: (RenewalOutcome(.started, "Started."), true)),
                try await Fleet.status("soon", days: 20),
                try await Fleet.status("fine", days: 80),
            ], now: Fleet.now
        ).text
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines[0] == "STACK  RESOURCE     ALGORITHM  NOT AFTER   DAYS  DUE         STATE")
        #expect(lines[1].hasPrefix("old    Certificate  EC_P256    2027-01-14  -1 "))
        #expect(lines[1].hasSuffix("EXPIRED"))
        #expect(lines[2].hasSuffix("failing"))
        #expect(lines[3] == "  NoRole: Attach one.")
        #expect(lines[4].hasSuffix("renewing"))
        #expect(lines[5].hasSuffix("due"))
        #expect(lines[6].hasSuffix("ok"))
        #expect(lines[7] == "There was no sweep yet: orphans are not shown.")
        #expect(lines.count == 8)
    }

    @Test(
        "Under the table stands how old the last sweep is",
        arguments: [
            (0, "The last sweep was less than a day ago."), (1, "The last sweep was 1 day ago."),
            (8, "The last sweep was 8 days ago."),
        ])
    func sweep(_ days: Int, _ line: String) async throws {
        var report = SweepReport(startedAt: Fleet.now)
        report.endedAt = Fleet.now.advanced(by: .days(-days)).advanced(by: .seconds(-1))
        let table = StatusTable([try await Fleet.status("fine", days: 80)], sweep: report, now: Fleet.now)
        #expect(table.text.hasSuffix(line))
    }

    @Test("As JSON it is a list of objects with whole dates")
    func json() async throws {
        let text = try StatusTable([try await Fleet.status("fine", days: 80)], now: Fleet.now).json()
        #expect(text.contains(#""daysLeft" : 80"#))
        #expect(text.contains(#""state" : "ok""#))
        #expect(text.contains(#""notAfter" : "2027-04-05T08:00:00Z""#))
        #expect(!text.contains("note"))
    }

    @Test(
        "What the state bucket holds cannot move the cursor, add a line or turn the text",
        arguments: ["\u{1B}[2J", "\u{7}", "\r\nfine  ok", "\u{202E}", "\u{2066}", "\u{9B}31m", "\u{2028}"])
    func controlCharacters(_ text: String) async throws {
        let (record, _) = try await Fleet.recorded("shop\(text)", resource: "Res\(text)", names: [text], days: 20)
        let attempted = try await Fleet.status(
            "shop\(text)", resource: "Res\(text)", days: 20, attempt: (RenewalOutcome(.noRole, "Attach."), false))
        let table = StatusTable([attempted], now: Fleet.now).text
        let sheet = CertificateSheet(
            CertificateDetails(record: record, status: attempted, attempt: nil, isCurrent: true), now: Fleet.now
        ).text
        let rows = sheet.split(separator: "\n", omittingEmptySubsequences: false)
        for shown in [table, sheet] {
            let unsafe = shown.unicodeScalars.filter { $0 != "\n" && PlainText.isUnsafe($0) }
            #expect(unsafe.isEmpty)
        }
        #expect(table.split(separator: "\n").count == 4 || table.split(separator: "\n").count == 3)
        #expect(rows.first?.contains("\\u{") == true)
    }

    @Test("Without certificates it says so")
    func empty() {
        #expect(StatusTable([], now: Fleet.now).text == "There are no certificates.")
    }
}
