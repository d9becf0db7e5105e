import Testing

@testable import StackCertCommand

/// What AWS says never becomes markup.
@Suite struct HTMLTests {
    @Test(
        "Interpolated text is escaped, in elements and in attributes",
        arguments: [
            ("plain text, ä and 證", "plain text, ä and 證"),
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("\" onload=\"x", "&quot; onload=&quot;x"),
            ("' onload='x", "&#39; onload=&#39;x"),
            ("a & b &lt; c", "a &amp; b &amp;lt; c"),
            ("nul\u{0}, escape\u{1B}[31m", "nul\u{FFFD}, escape\u{FFFD}[31m"),
            ("line\nfeed", "line\u{FFFD}feed"),
            ("turned \u{202E}thgir", "turned \u{FFFD}thgir"),
        ])
    func escaping(_ text: String, _ escaped: String) {
        let markup: HTML = "<b title=\"\(text)\">\(text)</b>"
        #expect(markup.text == "<b title=\"\(escaped)\">\(escaped)</b>")
        let part: HTML = "<i>\(text[...])</i>"
        #expect(part.text == "<i>\(escaped)</i>")
    }

    @Test("Markup and numbers are interpolated as they are")
    func markup() {
        let inner: HTML = "<b>\("&")</b>"
        let outer: HTML = "<p data-number=\"\(-7)\">\(inner)\(HTML(joining: [inner, inner]))</p>"
        #expect(outer.text == "<p data-number=\"-7\"><b>&amp;</b><b>&amp;</b><b>&amp;</b></p>")
    }
}
