import Diagnostics
import HTTPTransport
import HTTPTypes
import LambdaRuntime
import Synchronization
import Timekeeping

/// A Runtime API in memory: each request takes the next step of the script, a step may be an error; after the end
/// every answer is 500.
final class ScriptedExecutor: HTTPExecutor {
    struct Call: Sendable {
        let request: HTTPRequest
        let body: [UInt8]
        let deadline: UnixInstant

        var name: String { "\(request.method) \(request.path ?? "")" }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    private let state: Mutex<(rest: ArraySlice<Result<HTTPExchange, TransportError>>, calls: [Call])>

    init(_ script: [Result<HTTPExchange, TransportError>]) {
        self.state = Mutex((script[...], []))
    }

    var calls: [Call] { state.withLock { $0.calls } }

    func execute(_ request: HTTPRequest, body: [UInt8], deadline: UnixInstant) async throws -> HTTPExchange {
        try state.withLock { state in
            state.calls.append(Call(request: request, body: body, deadline: deadline))
            return try state.rest.popFirst()?.get() ?? HTTPExchange(response: HTTPResponse(status: 500))
        }
    }
}

extension Result<HTTPExchange, TransportError> {
    static func status(_ code: Int) -> Self {
        .success(HTTPExchange(response: HTTPResponse(status: HTTPResponse.Status(code: code))))
    }

    static func event(_ fields: [String: String] = .event(), payload: [UInt8] = Array("{}".utf8)) -> Self {
        var response = HTTPResponse(status: .ok)
        for (name, value) in fields {
            guard let name = HTTPField.Name(name) else { continue }
            response.headerFields[name] = value
        }
        return .success(HTTPExchange(response: response, body: payload))
    }

    static func lost() -> Self { .failure(TransportError(.connectionLost, "127.0.0.1 closed the connection.")) }
}

/// A handler made of a closure.
struct ClosureHandler: InvocationHandler {
    let body: @Sendable (Invocation) async throws -> [UInt8]

    init(_ body: @escaping @Sendable (Invocation) async throws -> [UInt8] = { _ in Array("null".utf8) }) {
        self.body = body
    }

    func handle(_ invocation: Invocation) async throws -> [UInt8] {
        try await body(invocation)
    }
}

/// An error of ours, with something in its code and cause that nobody may see.
struct SampleError: DiagnosticError {
    enum Code: Hashable, Sendable {
        case plain
        case about(String)
    }

    let code: Code
    let message: String
    var cause: (any Error)? { ForeignError(secret: "cause-secret") }
}

/// An error of ours whose code is a service's own.
struct ServiceError: DiagnosticError {
    struct Code: RawRepresentable, Hashable, Sendable {
        let rawValue: String
    }

    let code: Code
    let message = "The service said no."
}

struct ForeignError: Error, CustomStringConvertible {
    let secret: String
    var description: String { "foreign \(secret)" }
}
