import Diagnostics
import FoundationEssentials
import HTTPTransport
import HTTPTypes
import NIOHTTP1
import TestSupport
import Testing
import Timekeeping

@Suite struct NetworkExecutorTests {
    private func request(
        _ method: HTTPRequest.Method = .get, port: Int, path: String = "/", fields: HTTPFields = [:]
    ) -> HTTPRequest {
        HTTPRequest(method: method, scheme: "http", authority: "127.0.0.1:\(port)", path: path, headerFields: fields)
    }

    private func deadline(_ duration: Duration = .seconds(20)) -> UnixInstant {
        SystemWallClock().now.advanced(by: duration)
    }

    private func expect(
        _ code: TransportError.Code, from exchange: () async throws -> Void
    ) async {
        let error = await #expect(throws: TransportError.self) { try await exchange() }
        #expect(error?.code == code)
    }

    @Test("A request arrives as it was given, and the answer comes back whole")
    func exchange() async throws {
        let received = try await withScriptedServer([.answer(201, ["X-Answer": "yes"], body: [1, 2, 3])]) { port in
            try await NetworkExecutor.with { executor in
                let exchange = try await executor.execute(
                    request(.put, port: port, path: "/a%20b?x=1&x=2", fields: [.contentType: ""]), body: [9, 8],
                    deadline: deadline())
                #expect(exchange.status == 201)
                #expect(exchange.body == [1, 2, 3])
                #expect(exchange.response.headerFields[try #require(HTTPField.Name("x-answer"))] == "yes")
            }
        }
        let seen = try #require(received.first)
        #expect(seen.call == "PUT /a%20b?x=1&x=2")
        #expect(seen.body == [9, 8])
        #expect(seen.fields["content-type"] == [""])
        #expect(seen.fields["content-length"] == ["2"])
    }

    @Test("A file of roots that cannot be read is named before anything is sent", arguments: ["", "no certificate"])
    func roots(text: String) async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "roots-\(UUID()).pem").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        for isThere in [false, true] {
            if isThere { try Data(text.utf8).write(to: URL(filePath: path)) }
            let error = await #expect(throws: TransportError.self) {
                try await NetworkExecutor.with(trustedRoots: path) { _ in }
            }
            #expect(error?.code == .rootsUnreadable)
            #expect(error?.message.contains("SSL_CERT_FILE names the file \(path)") == true)
        }
        try await NetworkExecutor.with(trustedRoots: "") { _ in }
    }

    @Test("A redirect is an answer, not an order")
    func redirect() async throws {
        let received = try await withScriptedServer([.answer(307, ["Location": "/elsewhere"])]) { port in
            try await NetworkExecutor.with { executor in
                let exchange = try await executor.execute(request(port: port), body: [], deadline: deadline())
                #expect(exchange.status == 307)
            }
        }
        #expect(received.count == 1)
    }

    @Test("Silence ends at the deadline")
    func silence() async throws {
        _ = try await withScriptedServer([.silence]) { port in
            try await NetworkExecutor.with { executor in
                await expect(.timedOut) {
                    _ = try await executor.execute(
                        request(port: port), body: [], deadline: deadline(.milliseconds(200)))
                }
                await expect(.timedOut) {
                    _ = try await executor.execute(request(port: port), body: [], deadline: deadline(.seconds(-1)))
                }
            }
        }
    }

    @Test("A lost connection is told from one that was never made")
    func lost() async throws {
        var closedPort = 0
        _ = try await withScriptedServer([.hangUp]) { port in
            closedPort = port
            try await NetworkExecutor.with { executor in
                await expect(.connectionLost) {
                    _ = try await executor.execute(request(port: port), body: [], deadline: deadline())
                }
            }
        }
        let port = closedPort
        try await NetworkExecutor.with { executor in
            await expect(.connectFailed) {
                _ = try await executor.execute(request(port: port), body: [], deadline: deadline())
            }
        }
    }

    @Test("An answer beyond the limit is refused")
    func tooLarge() async throws {
        _ = try await withScriptedServer([.answer(200, body: [UInt8](repeating: 7, count: 4096))]) { port in
            try await NetworkExecutor.with(maximumResponseBytes: 1024) { executor in
                await expect(.responseTooLarge) {
                    _ = try await executor.execute(request(port: port), body: [], deadline: deadline())
                }
            }
        }
    }

    @Test("An error names the host and never the query, which may be signed")
    func redacted() async throws {
        try await NetworkExecutor.with { executor in
            let error = await #expect(throws: TransportError.self) {
                _ = try await executor.execute(
                    request(port: 1, path: "/?X-Amz-Signature=secret"), body: [], deadline: deadline())
            }
            let message = error.map { "\($0)" } ?? ""
            #expect(message.contains("127.0.0.1"))
            #expect(!message.contains("secret"))
        }
    }

    @Test("What is no http request is refused", arguments: ["ftp", "", "file"])
    func invalid(scheme: String) async throws {
        try await NetworkExecutor.with { executor in
            await expect(.invalidRequest) {
                _ = try await executor.execute(
                    HTTPRequest(method: .get, scheme: scheme, authority: "example.com", path: "/"), body: [],
                    deadline: deadline())
            }
        }
    }
}
