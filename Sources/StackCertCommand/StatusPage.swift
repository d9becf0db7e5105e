import CertificateRenewal
import PKI
import Timekeeping

/// What `stackcert status --html` writes: the table and every certificate's lifetime on one page, which needs nothing
/// but itself. Elements carry `data-` attributes, so that scripts need not read the words.
struct StatusPage {
    private let statuses: [CertificateStatus]
    private let region: String
    private let now: UnixInstant
    private let timeline: Timeline

    init(_ statuses: [CertificateStatus], region: String, now: UnixInstant) {
        self.statuses = statuses
        self.region = region
        self.now = now
        timeline = Timeline(statuses.map(\.lifetime), today: now)
    }

    var html: String {
        let page: HTML = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>StackCert: certificates in \(region), \(summary)</title>
            <style>\(StatusPage.style)</style>
            </head>
            <body>
            <main>
            <h1>Certificates in \(region)</h1>
            <p id="summary">\(summary), as of <time id="now" datetime="\(now.iso8601)">\(now.iso8601)</time>.</p>
            <h2>Lifetimes</h2>
            \(statuses.isEmpty ? "" : legend)
            \(statuses.isEmpty ? "<p>There are no certificates.</p>" : table)
            </main>
            </body>
            </html>

            """
        return page.text
    }

    /// `3 certificates: 1 failing, 2 ok`
    private var summary: String {
        let counts = CertificateStatus.State.allCases.reversed().compactMap { state in
            let count = statuses.count { $0.state == state }
            return count == 0 ? nil : "\(count) \(state.rawValue)"
        }
        let number = statuses.count == 1 ? "1 certificate" : "\(statuses.count) certificates"
        return counts.isEmpty ? number : "\(number): \(counts.joined(separator: ", "))"
    }

    private var legend: HTML {
        """
        <ul class="legend">
        <li><span class="swatch lifetime"></span> valid, until its renewal</li>
        <li><span class="swatch renewal"></span> from the renewal time to the end</li>
        <li><span class="swatch today"></span> today</li>
        </ul>
        """
    }

    // MARK: The table

    private static let columns = ["Stack", "Resource", "Algorithm", "Not before", "Not after", "Days", "Due", "State"]

    private var table: HTML {
        """
        <table id="certificates">
        <caption>The first to expire at the top; under a certificate what is wrong, and what to do.</caption>
        <thead><tr>\(HTML(joining: Self.columns.map { "<th scope=\"col\">\($0)</th>" }))\
        <th scope="col" class="lifetime">Lifetime\(axis)</th></tr></thead>
        <tbody>
        \(HTML(joining: statuses.map(row)))</tbody>
        </table>
        """
    }

    private func row(_ status: CertificateStatus) -> HTML {
        let note: HTML =
            status.note.map { "<tr class=\"note\"><td colspan=\"9\" class=\"note\">\($0)</td></tr>\n" } ?? ""
        return """
            <tr id="certificate-\(identifier(of: status))" data-stack="\(status.stackName)" \
            data-stack-id="\(status.stackID)" data-resource="\(status.logicalResourceID)" \
            data-state="\(status.state.rawValue)" data-not-before="\(status.notBefore.iso8601)" \
            data-not-after="\(status.notAfter.iso8601)" data-due="\(status.due.iso8601)" \
            data-days-left="\(status.daysLeft(at: now))">\
            <th scope="row">\(status.stackName)</th><td>\(status.logicalResourceID)</td><td>\(status.algorithm)</td>\
            <td>\(day(status.notBefore))</td><td>\(day(status.notAfter))</td>\
            <td class="number">\(status.daysLeft(at: now))</td><td>\(day(status.due))</td>\
            <td><strong class="state \(status.state.rawValue.lowercased())">\(status.state.rawValue)</strong></td>\
            <td class="lifetime">\(drawing(of: status))</td></tr>
            \(note)
            """
    }

    private func day(_ instant: UnixInstant) -> HTML { "<time datetime=\"\(instant.iso8601)\">\(instant.day)</time>" }

    /// The same every time, for links and scripts: no two generations share a key.
    private func identifier(of status: CertificateStatus) -> String {
        let fingerprint = try? PublicKeyInfo(base64: status.publicKey).fingerprint
        return String((fingerprint ?? "\(status.stackName)-\(status.logicalResourceID)").prefix(16))
    }

    // MARK: The timeline

    private func drawing(of status: CertificateStatus) -> HTML {
        let begin = timeline.position(of: status.lifetime.lowerBound)
        let end = timeline.position(of: status.lifetime.upperBound)
        let due = min(max(timeline.position(of: status.due), begin), end)
        let today = timeline.position(of: now)
        return """
            <svg viewBox="0 0 \(Timeline.width) 100" preserveAspectRatio="none" role="img">\
            <title>\(words(for: status))</title>\
            <rect class="lifetime" x="\(begin)" y="30" width="\(max(due - begin, 1))" height="40"/>\
            <rect class="renewal" x="\(due)" y="30" width="\(max(end - due, 1))" height="40"/>\
            <line class="due" x1="\(due)" x2="\(due)" y1="15" y2="85"/>\
            <line class="today" x1="\(today)" x2="\(today)" y1="0" y2="100"/></svg>
            """
    }

    /// What the drawing shows, for who cannot see it.
    private func words(for status: CertificateStatus) -> String {
        "Valid from \(status.notBefore.day) to \(status.notAfter.day), renewal on \(status.due.day), today \(now.day)"
            + (timeline.cuts(status.lifetime) ? "; the line shows a part of it" : "")
    }

    private var axis: HTML {
        let months = timeline.months.map { month -> HTML in
            "<span style=\"left:\(percent(timeline.position(of: month)))%\">\(String(month.iso8601.prefix(7)))</span>"
        }
        return """
            <span class="axis" aria-hidden="true" data-start="\(timeline.start.iso8601)" \
            data-end="\(timeline.end.iso8601)">\(HTML(joining: months))</span>
            """
    }

    /// `12.34`
    private func percent(_ position: Int) -> String {
        let fraction = position % 100
        return "\(position / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}
