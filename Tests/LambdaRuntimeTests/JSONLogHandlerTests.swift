import Glibc
import Logging
import TestSupport
import Testing
import Timekeeping

@testable import LambdaRuntime

@Suite struct JSONLogHandlerTests {
    private let clock = VirtualClock(UnixInstant(milliseconds: 1_800_000_000_042))

    private func lines(level: Logger.Level = .trace, _ body: (inout Logger) -> Void) -> String {
        let collector = LineCollector()
        var logger = Logger(label: "test") { [clock] _ in
            JSONLogHandler(logLevel: level, clock: clock, output: collector.append)
        }
        body(&logger)
        return collector.text
    }

    @Test("An event is one JSON object on one line, its metadata sorted under its own keys")
    func shape() {
        let text = lines { logger in
            logger[metadataKey: "lambda.request_id"] = "r-1"
            logger.notice(
                "Created",
                metadata: [
                    "cfn.stack_id": "s", "b": ["x", "y"], "a": ["k": "v", "j": "w"],
                    "count": .stringConvertible(3),
                ])
        }
        #expect(
            text
                == #"{"timestamp":"2027-01-15T08:00:00.042Z","level":"INFO","message":"Created","requestId":"r-1","#
                + #""a":{"j":"w","k":"v"},"b":["x","y"],"cfn.stack_id":"s","count":"3"}"# + "\n")
    }

    @Test(
        "A text cannot break out of its line or its string",
        arguments: [
            ("a\nb\r\nc\td", #"a\nb\r\nc\td"#), (#"say "hi" \ bye"#, #"say \"hi\" \\ bye"#),
            ("\u{0}\u{1B}[31m\u{7F}\u{85}", #"\u0000\u001b[31m\u007f\u0085"#), ("\u{2028}\u{2029}", #"\u2028\u2029"#),
            (String(decoding: [0x61, 0xFF, 0xC3] as [UInt8], as: UTF8.self), "a\u{FFFD}\u{FFFD}"),
            ("žluťoučký 🐴", "žluťoučký 🐴"),
        ])
    func escaping(text: String, expected: String) {
        let line = lines { $0.info("\(text)", metadata: ["key": "\(text)", "k\n": "v"]) }
        #expect(line.contains("\"message\":\"\(expected)\""))
        #expect(line.contains("\"key\":\"\(expected)\""))
        #expect(line.contains(#""k\n":"v""#))
        #expect(line.utf8.filter { $0 == UInt8(ascii: "\n") }.count == 1)
        #expect(line.hasSuffix("}\n"))
    }

    @Test("A text of any length leaves a line that CloudWatch takes in one piece")
    func length() {
        let line = lines { $0.info("\(String(repeating: "é", count: 1_000_000))") }
        #expect(line.utf8.count < 17_000)
        #expect(line.hasSuffix("é…\"}\n"))
    }

    @Test("Metadata cannot overwrite the line's own members")
    func reserved() {
        let line = lines { $0.info("m", metadata: ["level": "x", "message": "y"]) }
        #expect(line.contains(#""metadata.level":"x","metadata.message":"y""#))
    }

    @Test("Of an error the type and the reason are written")
    func error() {
        let line = lines { $0.error("Failed", error: ForeignError(secret: "hush")) }
        #expect(line.contains(#""errorType":"ForeignError","errorMessage":"Internal error (ForeignError)."#))
        #expect(!line.contains("hush"))
    }

    @Test("Events below the level are not written")
    func level() {
        #expect(lines(level: .warning) { $0.info("quiet") } == "")
        #expect(lines(level: .warning) { $0.critical("loud") }.contains(#""level":"FATAL""#))
    }

    @Test(
        "Lambda's names of the levels are understood",
        arguments: [
            ("TRACE", .trace), ("debug", .debug), ("Info", .info), ("WARN", .warning), ("ERROR", .error),
            ("FATAL", .critical), ("", nil), ("loud", nil),
        ] as [(String, Logger.Level?)])
    func levelNames(name: String, level: Logger.Level?) {
        #expect(Logger.Level(lambdaName: name) == level)
    }
}
