import HTTPTransport
import HTTPTypes
import Logging
import Synchronization
import TestSupport
import Testing
import Timekeeping

@testable import LambdaRuntime

@Suite struct RuntimeLoopTests {
    private let clock = VirtualClock()

    /// Runs the loop until the script ends (which is a 500 to `next`) or something else ends it before.
    private func run(
        _ script: [Result<HTTPExchange, TransportError>], handler: ClosureHandler = ClosureHandler(),
        retryQuota: RetryQuota = RetryQuota(), exportTraceID: @escaping @Sendable (String?) -> Void = { _ in }
    ) async -> (calls: [ScriptedExecutor.Call], end: (any Error)?, log: String) {
        let lines = LineCollector()
        let executor = ScriptedExecutor(script)
        let loop = RuntimeLoop(
            endpoint: "127.0.0.1:9001", executor: executor, retryQuota: retryQuota, clock: clock,
            logger: Logger(label: "test") { [clock] _ in
                JSONLogHandler(logLevel: .debug, clock: clock, output: lines.append)
            },
            exportTraceID: exportTraceID)
        do {
            try await loop.run(handler)
            return (executor.calls, nil, lines.text)
        } catch {
            return (executor.calls, error, lines.text)
        }
    }

    @Test("An event is handed to the handler and its answer is delivered under the request's id")
    func answers() async throws {
        let seen = Mutex<[Invocation]>([])
        let (calls, _, _) = await run(
            [.event(payload: Array(#"{"a":1}"#.utf8)), .status(202)],
            handler: ClosureHandler { invocation in
                seen.withLock { $0.append(invocation) }
                return Array(#""done""#.utf8)
            })
        #expect(
            calls.map(\.name) == [
                "GET /2018-06-01/runtime/invocation/next",
                "POST /2018-06-01/runtime/invocation/request-1/response",
                "GET /2018-06-01/runtime/invocation/next",
            ])
        #expect(calls[1].text == #""done""#)
        #expect(calls[1].request.headerFields[.contentType] == "application/json")
        #expect(calls.allSatisfy { $0.request.headerFields[.userAgent] == "StackCert" })
        let invocation = try #require(seen.withLock { $0.first })
        #expect(String(decoding: invocation.payload, as: UTF8.self) == #"{"a":1}"#)
        #expect(invocation.deadline == UnixInstant(milliseconds: 1_800_000_300_000))
        #expect(invocation.invokedFunctionARN.hasSuffix(":function:certificates"))
        #expect(invocation.traceID == "Root=1-5759e988-bd862e3fe1be46a994272793")
    }

    @Test("Asking for the next event has no time limit")
    func patience() async {
        let (calls, _, _) = await run([])
        #expect(calls.first?.deadline == UnixInstant(milliseconds: .max))
    }

    @Test("Anything but 200 to the request for the next event ends the loop", arguments: [204, 400, 403, 404, 500])
    func nextRefused(status: Int) async {
        let (calls, end, _) = await run([.status(status)])
        #expect(calls.count == 1)
        #expect((end as? RuntimeError)?.code == .nextRefused)
        #expect((end as? RuntimeError)?.message.contains("\(status)") == true)
    }

    @Test("A connection that was lost while waiting is made again; one that stays lost ends the loop")
    func nextRetried() async {
        let (calls, _, _) = await run([.lost(), .lost(), .event(), .status(202)])
        #expect(calls.count == 5)
        let (tries, end, _) = await run(Array(repeating: .lost(), count: 9))
        #expect(tries.count == 5)
        #expect((end as? RuntimeError)?.code == .nextUnreachable)
    }

    @Test("An answer is sent again when its connection was lost, and refused as a duplicate without harm")
    func answerRetried() async {
        let (calls, end, log) = await run([.event(), .lost(), .status(400), .event(.event("request-2")), .status(202)])
        #expect(
            calls.map { $0.name.split(separator: "/").suffix(2).joined(separator: "/") }
                == [
                    "invocation/next", "request-1/response", "request-1/response", "invocation/next",
                    "request-2/response", "invocation/next",
                ])
        #expect((end as? RuntimeError)?.code == .nextRefused)
        #expect(log.contains(#""http.status":"400""#))
    }

    @Test("An answer that Lambda finds too large becomes an error of the invocation")
    func tooLarge() async {
        let (calls, _, _) = await run([.event(), .status(413), .status(202)])
        #expect(calls[2].name == "POST /2018-06-01/runtime/invocation/request-1/error")
        #expect(calls[2].text.contains(#""errorType":"RuntimeError.responseTooLarge""#))
        #expect(calls.count == 4)
    }

    @Test("A Runtime API that answers 500 to an answer ends the loop")
    func outOfOrder() async {
        let (calls, end, _) = await run([.event(), .status(500)])
        #expect(calls.count == 2)
        #expect((end as? RuntimeError)?.code == .responseRefused)
    }

    @Test("An answer that cannot be delivered ends the loop")
    func undelivered() async {
        let (_, end, _) = await run([.event()] + Array(repeating: .lost(), count: 5))
        #expect((end as? RuntimeError)?.code == .responseUndelivered)
    }

    @Test("A handler's error is reported by its code and reason alone, and the next event is served")
    func handlerError() async {
        let (calls, _, log) = await run(
            [.event(), .status(202), .event(.event("request-2")), .status(202)],
            handler: ClosureHandler { invocation in
                guard invocation.requestID == "request-1" else { return [] }
                throw SampleError(code: .about("code-secret"), message: "No \"bucket\"\nwas \\ found.")
            })
        #expect(calls[1].name == "POST /2018-06-01/runtime/invocation/request-1/error")
        #expect(
            calls[1].text
                == #"{"errorType":"SampleError.about","errorMessage":"No \"bucket\" was \\ found.","stackTrace":[]}"#)
        let type = HTTPField.Name("Lambda-Runtime-Function-Error-Type")
        #expect(type.flatMap { calls[1].request.headerFields[$0] } == "SampleError.about")
        #expect(calls[3].name == "POST /2018-06-01/runtime/invocation/request-2/response")
        for secret in ["code-secret", "cause-secret"] {
            #expect(!calls.contains { $0.text.contains(secret) } && !log.contains(secret))
        }
    }

    @Test("A code that is a text is reported as it is written")
    func textCode() async {
        let (calls, _, _) = await run(
            [.event(), .status(202)],
            handler: ClosureHandler { _ in throw ServiceError(code: .init(rawValue: "Client.TimedOut")) })
        #expect(calls[1].text.contains(#""errorType":"ServiceError.Client.TimedOut""#))
        let type = HTTPField.Name("Lambda-Runtime-Function-Error-Type")
        #expect(type.flatMap { calls[1].request.headerFields[$0] } == "ServiceError.Client.TimedOut")
    }

    @Test("Each invocation begins with a whole quota of retries", .contract(32))
    func freshQuota() async {
        let quota = RetryQuota()
        let retries = Mutex<[Int]>([])
        _ = await run(
            [.event(), .status(202), .event(.event("request-2")), .status(202)],
            handler: ClosureHandler { _ in
                var count = 0
                while quota.pay() != nil { count += 1 }
                retries.withLock { $0.append(count) }
                return []
            },
            retryQuota: quota)
        #expect(retries.withLock { $0 } == [100, 100])
    }

    @Test("Without a Runtime API the loop ends at once and names the variable")
    func noRuntimeAPI() async {
        let executor = ScriptedExecutor([])
        let loop = RuntimeLoop(
            endpoint: "", executor: executor, retryQuota: RetryQuota(), clock: clock, logger: .silent)
        let error = await #expect(throws: RuntimeError.self) { try await loop.run(ClosureHandler()) }
        #expect(error?.code == .noRuntimeAPI && error?.message.contains("AWS_LAMBDA_RUNTIME_API") == true)
        #expect(executor.calls.isEmpty)
    }

    @Test("Of a foreign error only the type is told")
    func foreignError() async {
        let (calls, _, log) = await run(
            [.event(), .status(202)], handler: ClosureHandler { _ in throw ForeignError(secret: "hush") })
        #expect(calls[1].text.contains(#""errorType":"ForeignError""#))
        #expect(!calls[1].text.contains("hush") && !log.contains("hush"))
    }

    @Test(
        "A deadline that is missing or no number is replaced by one that does come",
        arguments: ["", "soon", "1e9", "99999999999999999999999999", "12 34"])
    func oddDeadline(deadline: String) async throws {
        let seen = Mutex<UnixInstant?>(nil)
        let started = clock.now
        _ = await run(
            [.event(.event(with: ["Lambda-Runtime-Deadline-Ms": deadline])), .status(202)],
            handler: ClosureHandler { invocation in
                seen.withLock { $0 = invocation.deadline }
                return []
            })
        #expect(seen.withLock { $0 } == started.advanced(by: Invocation.timeWithoutDeadline))
    }

    @Test("Fields that an emulator leaves out are not needed")
    func missingFields() async throws {
        let seen = Mutex<Invocation?>(nil)
        let (_, _, _) = await run(
            [.event(["Lambda-Runtime-Aws-Request-Id": "r"], payload: []), .status(202)],
            handler: ClosureHandler { invocation in
                seen.withLock { $0 = invocation }
                return []
            })
        let invocation = try #require(seen.withLock { $0 })
        #expect(invocation.traceID == nil && invocation.invokedFunctionARN.isEmpty && invocation.payload.isEmpty)
    }

    @Test(
        "An event whose request id is missing or cannot stand in a path ends the loop: nobody could answer it",
        arguments: ["", "a/b", "a b", "../x", "é", String(repeating: "a", count: 129)])
    func oddRequestID(requestID: String) async {
        let (calls, end, _) = await run([.event(.event(requestID))])
        #expect(calls.count == 1)
        #expect((end as? RuntimeError)?.code == .malformedInvocation)
    }

    @Test("The trace header is exported for each event and removed for one without")
    func traceHeader() async {
        let exported = Mutex<[String?]>([])
        _ = await run(
            [
                .event(), .status(202),
                .event(.event(with: ["Lambda-Runtime-Trace-Id": ""])), .status(202),
            ],
            exportTraceID: { traceID in exported.withLock { $0.append(traceID) } })
        #expect(exported.withLock { $0 } == ["Root=1-5759e988-bd862e3fe1be46a994272793", nil])
    }

    @Test("The current logger carries the request's id within its invocation")
    func boundLogger() async {
        let (_, _, log) = await run(
            [.event(), .status(202), .event(.event("request-2")), .status(202)],
            handler: ClosureHandler { _ in
                Logger.current.info("Working", metadata: ["cfn.stack_id": "stack"])
                return []
            })
        let working = log.split(separator: "\n").filter { $0.contains("Working") }
        #expect(working.count == 2)
        #expect(working.first?.contains(#""requestId":"request-1""#) == true)
        #expect(working.last?.contains(#""requestId":"request-2","cfn.stack_id":"stack""#) == true)
    }

    @Test("A start error is posted with its type and reason", .contract(20))
    func initializationError() async {
        let executor = ScriptedExecutor([.status(202)])
        let loop = RuntimeLoop(
            endpoint: "127.0.0.1:9001", executor: executor, retryQuota: RetryQuota(), clock: clock, logger: .silent)
        await loop.reportInitializationError(SampleError(code: .plain, message: "No region is set."))
        #expect(executor.calls.map(\.name) == ["POST /2018-06-01/runtime/init/error"])
        let type = HTTPField.Name("Lambda-Runtime-Function-Error-Type")
        #expect(type.flatMap { executor.calls[0].request.headerFields[$0] } == "SampleError.plain")
        #expect(
            executor.calls[0].text
                == #"{"errorType":"SampleError.plain","errorMessage":"No region is set.","stackTrace":[]}"#)
    }

    @Test("A start error that cannot be posted is only logged", arguments: [403, 500])
    func initializationErrorRefused(status: Int) async {
        let refused = ScriptedExecutor([.status(status)])
        await RuntimeLoop(
            endpoint: "127.0.0.1:9001", executor: refused, retryQuota: RetryQuota(), clock: clock, logger: .silent
        )
        .reportInitializationError(ForeignError(secret: "s"))
        #expect(refused.calls.count == 1)
        let unreachable = ScriptedExecutor(Array(repeating: .lost(), count: 5))
        await RuntimeLoop(endpoint: "", executor: unreachable, retryQuota: RetryQuota(), clock: clock, logger: .silent)
            .reportInitializationError(ForeignError(secret: "s"))
        #expect(unreachable.calls.count == 5)
    }

    @Test("The trace header reaches the process's environment")
    func environment() throws {
        TraceEnvironment.set("Root=1-a")
        #expect(environmentValue(TraceEnvironment.name) == "Root=1-a")
        TraceEnvironment.set(nil)
        #expect(environmentValue(TraceEnvironment.name) == nil)
    }
}

extension Logger {
    static var silent: Logger { Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() } }
}
