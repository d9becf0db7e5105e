import CustomResource
import HTTPTransport
import InMemoryLogging
import Logging
import TestSupport
import Timekeeping

/// A function with a scripted resource, CloudFormation's bucket in memory and a clock of its own.
struct FunctionUnderTest {
    let clock = VirtualClock()
    let bucket: ResponseBucket
    let handler: ScriptedHandler
    let logs = InMemoryLogHandler()
    private let settings: CustomResourceSettings

    init(
        _ handler: ScriptedHandler = ScriptedHandler(), replies: [ResponseBucket.Result] = [],
        settings: CustomResourceSettings = CustomResourceSettings(allowedAccounts: [EventText.account])
    ) {
        self.handler = handler
        self.bucket = ResponseBucket(replies, clock: clock)
        self.settings = settings
    }

    @discardableResult
    func deliver(_ payload: [UInt8], timeout: Duration = .seconds(300)) async throws -> CustomResourceReply.Status {
        let logs = logs
        var logger = Logger(label: "test") { _ in logs }
        logger.logLevel = .trace
        let function = CustomResourceFunction(
            handler: handler, sender: ReplySender(executor: bucket, clock: clock), settings: settings, clock: clock)
        return try await function.handle(payload, deadline: clock.now.advanced(by: timeout), logger: logger)
    }

    var logText: String {
        logs.entries.map { "\($0.level) \($0.message) \($0.metadata)" }.joined(separator: "\n")
    }
}
