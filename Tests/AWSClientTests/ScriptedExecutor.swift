import HTTPTransport
import HTTPTypes
import SigV4
import Synchronization
import TestSupport
import Timekeeping

/// Answers each request with the next line of a script, and the last line for ever.
final class ScriptedExecutor: HTTPExecutor {
    enum Line: Sendable {
        case answer(Int, String = "", [String: String] = [:])
        case failure(TransportError.Code)
        /// No answer until the caller's deadline.
        case hang
        case cancelled
    }

    struct Request: Sendable {
        let head: HTTPRequest
        let body: String
        let at: UnixInstant

        /// `PUT https://host/path?query`
        var line: String {
            "\(head.method.rawValue) \(head.scheme ?? "")://\(head.authority ?? "")\(head.path ?? "")"
        }

        subscript(field: String) -> String? { head.headerFields[named: field] }
    }

    private struct State {
        var rest: ArraySlice<Line>
        var requests: [Request] = []
    }

    private let clock: VirtualClock
    private let state: Mutex<State>

    init(_ lines: [Line], clock: VirtualClock) {
        self.clock = clock
        self.state = Mutex(State(rest: lines[...]))
    }

    var requests: [Request] { state.withLock { $0.requests } }

    func execute(_ request: HTTPRequest, body: [UInt8], deadline: UnixInstant) async throws -> HTTPExchange {
        let now = clock.now
        let line = state.withLock { state in
            state.requests.append(Request(head: request, body: String(decoding: body, as: UTF8.self), at: now))
            return state.rest.count > 1 ? state.rest.removeFirst() : state.rest.first
        }
        switch line {
        case .answer(let status, let text, let fields):
            var head = HTTPResponse(status: HTTPResponse.Status(code: status))
            for (name, value) in fields { head.headerFields[named: name] = value }
            return HTTPExchange(response: head, body: Array(text.utf8))
        case .failure(let code):
            throw TransportError(code, "scripted failure")
        case .hang:
            clock.advance(to: deadline)
            throw TransportError(.timedOut, "scripted hang")
        case .cancelled, nil:
            throw CancellationError()
        }
    }
}
