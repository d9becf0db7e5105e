import CertificateRenewal
import Testing
import Timekeeping

@testable import StackCertCommand

/// The page that people open. What it looks like in a browser is tested in Tests/Integration/test_status_page.py.
@Suite struct StatusPageTests {
    private func page(_ statuses: CertificateStatus...) -> String {
        StatusPage(statuses, region: "eu-west-1", now: Fleet.now).html
    }

    /// The values of an attribute, of the elements that begin with `element`.
    private func values(_ attribute: String, of element: String, in page: String) -> [String] {
        page.split(separator: "<").filter { $0.hasPrefix(element) }.compactMap { tag in
            tag.split(separator: "\(attribute)=\"", maxSplits: 1).dropFirst().first?
                .split(separator: "\"", maxSplits: 1, omittingEmptySubsequences: false).first.map(String.init)
        }
    }

    @Test("Each certificate is a row with its state in words, its dates and its note")
    func rows() async throws {
        let html = page(
            try await Fleet.status("old", days: -1),
            try await Fleet.status("stuck", days: 5, attempt: (RenewalOutcome(.noRole, "Attach one."), false)),
            try await Fleet.status("fine", days: 80))
        #expect(values("data-stack", of: "tr id", in: html) == ["old", "stuck", "fine"])
        #expect(values("data-state", of: "tr id", in: html) == ["EXPIRED", "failing", "ok"])
        #expect(values("data-days-left", of: "tr id", in: html) == ["-1", "5", "80"])
        #expect(html.contains(">EXPIRED</strong>"))
        #expect(html.contains("<tr class=\"note\"><td colspan=\"9\" class=\"note\">NoRole: Attach one.</td></tr>"))
        #expect(html.contains("<p id=\"summary\">3 certificates: 1 EXPIRED, 1 failing, 1 ok, as of <time"))
        #expect(html.contains("<title>StackCert: certificates in eu-west-1, 3 certificates: 1 EXPIRED"))
        #expect(values("scope", of: "th", in: html).filter { $0 == "row" }.count == 3)
        #expect(Set(values("id", of: "tr id", in: html)).count == 3)
    }

    @Test("The bar goes from the beginning through the renewal time to the end, and today's line crosses it")
    func positions() async throws {
        let status = try await Fleet.status("half", days: 45)
        let html = page(status)
        let starts = values(" x", of: "rect", in: html).compactMap(Int.init)
        let widths = values("width", of: "rect", in: html).compactMap(Int.init)
        let due = Int(
            (status.notBefore.duration(to: status.due) / status.notBefore.duration(to: status.notAfter) * 10_000)
                .rounded())
        #expect(starts == [0, due])
        #expect(widths == [due, 10_000 - due])
        #expect(values("x1", of: "line class=\"today\"", in: html) == ["5000"])
        #expect(values("x1", of: "line class=\"due\"", in: html) == ["\(due)"])
        #expect(
            html.contains(
                "<title>Valid from 2026-12-01 to 2027-03-01, renewal on \(status.due.day), today 2027-01-15</title>"))
    }

    @Test("A certificate that has expired ends before today's line")
    func expired() async throws {
        let html = page(try await Fleet.status("old", days: -10))
        let today = try #require(values("x1", of: "line class=\"today\"", in: html).compactMap(Int.init).first)
        let start = try #require(values(" x", of: "rect class=\"renewal\"", in: html).compactMap(Int.init).first)
        let width = try #require(values("width", of: "rect class=\"renewal\"", in: html).compactMap(Int.init).first)
        #expect(start + width < today)
    }

    @Test("Whatever a record or an error says stays text")
    func escaping() async throws {
        let hostile = "<script>alert('x')<b>\" onload=\"y"
        let html = page(
            try await Fleet.status(
                hostile, resource: hostile, days: 5,
                attempt: (RenewalOutcome(.failed, hostile), false)))
        #expect(!html.contains("<script"))
        #expect(!html.contains("\" onload"))
        #expect(
            html.contains(
                "data-resource=\"&lt;script&gt;alert(&#39;x&#39;)&lt;b&gt;&quot; onload=&quot;y\""))
        #expect(html.contains("Failed: &lt;script&gt;"))
    }

    @Test("The page asks nobody for anything, and forbids the browser to")
    func selfContained() async throws {
        let html = page(try await Fleet.status("fine", days: 80))
        for word in ["http://", "https://", "src=", "href=", "url(", "@import", "<script"] {
            #expect(!html.contains(word), "\(word)")
        }
        #expect(html.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""))
    }

    @Test("Without certificates it says so, without an empty table")
    func empty() {
        let html = page()
        #expect(html.contains("There are no certificates."))
        #expect(!html.contains("<table"))
    }
}
