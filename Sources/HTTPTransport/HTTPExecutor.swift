package import HTTPTypes
package import Timekeeping

/// Sends one request and reads one whole response: no retry, no redirect, no interpretation of the status.
///
/// The only door to the network. Tests put a scripted peer or an in-memory service behind it.
package protocol HTTPExecutor: Sendable {
    /// - Parameters:
    ///   - request: method, scheme, authority (host and port), path with query, and the fields to send. The transport
    ///     adds `Host` and `Content-Length` and nothing else.
    ///   - body: the bytes to send; empty means no body.
    ///   - deadline: the wall-clock time after which the exchange is given up with ``TransportError/Code/timedOut``.
    /// - Throws: ``TransportError``, or `CancellationError` when the task is cancelled.
    func execute(_ request: HTTPRequest, body: [UInt8], deadline: UnixInstant) async throws -> HTTPExchange
}

/// What came back: the head and the whole body.
package struct HTTPExchange: Sendable {
    package let response: HTTPResponse
    package let body: [UInt8]

    package init(response: HTTPResponse, body: [UInt8] = []) {
        self.response = response
        self.body = body
    }

    package var status: Int { response.status.code }

    /// As much of an error's body as is worth the processor time: no service needs more to say what is wrong.
    package var errorBody: [UInt8] { Array(body.prefix(64 << 10)) }
}
