package import Logging
internal import Timekeeping

/// Writes each event as one JSON object on one line of standard output, in the form that Lambda's log filters and
/// CloudWatch Logs Insights read: `timestamp`, `level`, `message`, `requestId`, then the metadata under its own keys.
///
/// Bootstrap it in the composition root: `LoggingSystem.bootstrap { _ in JSONLogHandler(logLevel: …) }`.
package struct JSONLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel: Logger.Level

    private let clock: any WallClock
    private let output: @Sendable ([UInt8]) -> Void

    /// CloudWatch splits a record at 256 KB, and half a JSON object is none: no text may fill a line.
    private static let longestText = 16_384
    private static let reserved: Set<String> = [
        "timestamp", "level", "message", "requestId", "errorType", "errorMessage",
    ]
    private static let requestIDKey = "lambda.request_id"

    package init(logLevel: Logger.Level = .info) {
        self.init(logLevel: logLevel, clock: SystemWallClock(), output: StandardOutput.write)
    }

    init(logLevel: Logger.Level, clock: any WallClock, output: @escaping @Sendable ([UInt8]) -> Void) {
        self.logLevel = logLevel
        self.clock = clock
        self.output = output
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let metadataProvider { all.merge(metadataProvider.get()) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }

        var line = JSONText()
        line.raw("{")
        line.member("timestamp", timestamp)
        line.raw(",")
        line.member("level", event.level.lambdaName)
        line.raw(",\"message\":")
        line.string(event.message.description, upTo: JSONLogHandler.longestText)
        if let requestID = all.removeValue(forKey: JSONLogHandler.requestIDKey) {
            line.raw(",\"requestId\":")
            line.value(requestID, upTo: JSONLogHandler.longestText)
        }
        if let error = event.error {
            let report = ErrorReport(error)
            line.raw(",")
            line.member("errorType", report.type)
            line.raw(",")
            line.member("errorMessage", report.message)
        }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line.raw(",")
            line.string(JSONLogHandler.reserved.contains(key) ? "metadata.\(key)" : key)
            line.raw(":")
            line.value(value, upTo: JSONLogHandler.longestText)
        }
        line.raw("}\n")
        output(line.bytes)
    }

    /// ISO 8601 with milliseconds, which Lambda asks for.
    private var timestamp: String {
        let now = clock.now
        let milliseconds = String(now.milliseconds - now.seconds * 1000)
        let padding = String(repeating: "0", count: max(0, 3 - milliseconds.utf8.count))
        return "\(now.iso8601.dropLast()).\(padding)\(milliseconds)Z"
    }
}

extension JSONText {
    fileprivate mutating func value(_ value: Logger.MetadataValue, upTo limit: Int) {
        switch value {
        case .string(let text):
            string(text, upTo: limit)
        case .stringConvertible(let convertible):
            string(convertible.description, upTo: limit)
        case .array(let values):
            raw("[")
            for (position, value) in values.enumerated() {
                if position > 0 { raw(",") }
                self.value(value, upTo: limit)
            }
            raw("]")
        case .dictionary(let members):
            raw("{")
            for (position, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if position > 0 { raw(",") }
                string(member.key)
                raw(":")
                self.value(member.value, upTo: limit)
            }
            raw("}")
        }
    }
}
