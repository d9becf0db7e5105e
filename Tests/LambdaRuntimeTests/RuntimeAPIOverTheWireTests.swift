import HTTPTransport
import NIOHTTP1
import Synchronization
import TestSupport
import Testing
import Timekeeping

@testable import LambdaRuntime

/// The loop against a real HTTP server, through the real client.
@Suite struct RuntimeAPIOverTheWireTests {
    /// Runs the loop until the server ends it.
    private func serve(
        _ script: [ScriptedAnswer], handler: ClosureHandler = ClosureHandler()
    ) async throws -> (requests: [ReceivedRequest], end: RuntimeError?) {
        let end = Mutex<RuntimeError?>(nil)
        let requests = try await withMockRuntimeAPI(script) { port in
            // A busy machine may take longer over an event than a connection is kept, or an answer waited for, by default.
            try await NetworkExecutor.with(idleTimeout: .seconds(600), connectTimeout: .seconds(600)) { executor in
                let loop = RuntimeLoop(
                    endpoint: "127.0.0.1:\(port)", executor: executor, clock: SystemWallClock(), logger: .silent,
                    answerTime: .seconds(600), exportTraceID: { _ in })
                do {
                    try await loop.run(handler)
                } catch let error as RuntimeError {
                    end.withLock { $0 = error }
                }
            }
        }
        return (requests, end.withLock { $0 })
    }

    @Test("Events are served one after the other over one connection")
    func keepAlive() async throws {
        let (requests, end) = try await serve(
            [.event("a", "1"), .answer(202), .event("b", "2"), .answer(202)],
            handler: ClosureHandler { $0.payload })
        #expect(
            requests.map(\.call) == [
                "GET /2018-06-01/runtime/invocation/next", "POST /2018-06-01/runtime/invocation/a/response",
                "GET /2018-06-01/runtime/invocation/next", "POST /2018-06-01/runtime/invocation/b/response",
                "GET /2018-06-01/runtime/invocation/next",
            ])
        #expect(requests.map(\.text) == ["", "1", "", "2", ""])
        #expect(Set(requests.map(\.connection)) == [1])
        #expect(requests[0].fields["User-Agent"] == ["StackCert"])
        #expect(requests[0].fields["Host"].first?.hasPrefix("127.0.0.1:") == true)
        #expect(end?.code == .nextRefused)
    }

    @Test("A connection that the server closed in the meantime costs nothing but a new one")
    func staleConnection() async throws {
        let (requests, end) = try await serve([
            .event("a"), .answerAndHangUp(202),
            .hangUp, .event("b"), .hangUp, .answer(400, body: Array(#"{"errorType":"InvalidRequestID"}"#.utf8)),
        ])
        #expect(end?.code == .nextRefused)
        #expect(
            requests.map { String($0.path.dropFirst("/2018-06-01/runtime/invocation/".count)) }
                == ["next", "a/response", "next", "next", "b/response", "b/response", "next"])
        #expect(Set(requests.map(\.connection)).count > 2)
    }

    @Test("An event of 6 MB and an answer of the same size pass")
    func large() async throws {
        let payload = [UInt8](repeating: UInt8(ascii: "7"), count: 6 << 20)
        let (requests, _) = try await serve(
            [.answer(200, .event("large"), body: payload), .answer(202)], handler: ClosureHandler { $0.payload })
        #expect(requests.count == 3)
        #expect(requests[1].body.count == 6 << 20)
    }

    @Test("Nothing listens at the endpoint: the loop ends after a few tries")
    func nobodyThere() async throws {
        try await NetworkExecutor.with { executor in
            let loop = RuntimeLoop(
                endpoint: "127.0.0.1:1", executor: executor, retryQuota: RetryQuota(), logger: .silent)
            let error = await #expect(throws: RuntimeError.self) { try await loop.run(ClosureHandler()) }
            #expect(error?.code == .nextUnreachable)
            await loop.reportInitializationError(ForeignError(secret: "s"))
        }
    }

    @Test("A loop that waits for an event ends when its task is cancelled", .timeLimit(.minutes(20)))
    func cancellation() async throws {
        _ = try await withMockRuntimeAPI([.silence]) { port in
            try await NetworkExecutor.with { executor in
                let loop = RuntimeLoop(
                    endpoint: "127.0.0.1:\(port)", executor: executor, retryQuota: RetryQuota(), logger: .silent)
                let task = Task { try await loop.run(ClosureHandler()) }
                try await Task.sleep(for: .milliseconds(100))
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
            }
        }
    }

    @Test("A start error reaches the server")
    func initializationError() async throws {
        let requests = try await withMockRuntimeAPI([.answer(202)]) { port in
            try await NetworkExecutor.with { executor in
                await RuntimeLoop(
                    endpoint: "127.0.0.1:\(port)", executor: executor, retryQuota: RetryQuota(), logger: .silent
                )
                .reportInitializationError(SampleError(code: .plain, message: "No region."))
            }
        }
        #expect(requests.map(\.call) == ["POST /2018-06-01/runtime/init/error"])
        #expect(requests[0].fields["Lambda-Runtime-Function-Error-Type"] == ["SampleError.plain"])
    }
}
