import Diagnostics
import Testing

@Suite struct ReasonTests {
    private struct Own: DiagnosticError {
        let code = 1
        let message = "Say what to do."
        let cause: (any Error)?
    }

    private struct Foreign: Error {
        let value = "a secret"
    }

    @Test("Only an error of ours speaks, and never of its cause")
    func rendering() {
        #expect(Reason(Own(cause: Foreign())).description == "Say what to do.")
        let foreign = Reason(Foreign()).description
        #expect(foreign.contains("Foreign"))
        #expect(!foreign.contains("a secret"))
    }

    @Test("A reason is one line")
    func oneLine() {
        #expect(Reason("first\nsecond\u{0}\u{1b}[31m\u{85}end").description == "first second  [31m end")
    }

    @Test(
        "A long reason is cut on a character boundary",
        arguments: [("abcdef", 5, "ab…"), ("abcdef", 6, "abcdef"), ("ééé", 5, "é…"), ("👩‍👩‍👧x", 10, "…"), ("abc", 2, "")])
    func truncation(text: String, limit: Int, expected: String) {
        let cut = Reason(text).truncated(toUTF8Bytes: limit)
        #expect(cut == expected)
        #expect(cut.utf8.count <= limit)
    }

    @Test("A redacted value does not show itself")
    func redaction() {
        let value = Redacted("a secret")
        var dumped = ""
        dump([value], to: &dumped)
        #expect(!"\(value) \(String(reflecting: value)) \(dumped)".contains("a secret"))
        #expect(value.exposed == "a secret")
    }
}
