internal import FoundationEssentials
package import HTTPTransport
package import HTTPTypes
internal import Synchronization
package import TestSupport
package import Timekeeping

/// CloudFormation's response bucket: keeps every answer that was PUT, by the path of its URL.
package final class ReplyInbox: HTTPExecutor {
    /// An answer as CloudFormation reads it.
    package struct Reply: Sendable, Hashable, Decodable {
        package let status: String
        package let reason: String?
        package let physicalResourceID: String
        package let stackID: String
        package let requestID: String
        package let logicalResourceID: String
        package let data: [String: String]?
        package let noEcho: Bool?

        private enum CodingKeys: String, CodingKey {
            case status = "Status"
            case reason = "Reason"
            case physicalResourceID = "PhysicalResourceId"
            case stackID = "StackId"
            case requestID = "RequestId"
            case logicalResourceID = "LogicalResourceId"
            case data = "Data"
            case noEcho = "NoEcho"
        }
    }

    /// What goes wrong with one PUT.
    package enum Fault: Sendable, Hashable {
        case answer(Int)
        case reset
        /// It is accepted, and the connection is reset before the answer.
        case loseAnswer
        /// No answer until the attempt's deadline.
        case hang
    }

    private struct State {
        var bodies: [(path: String, body: [UInt8])] = []
        var requests: [HTTPRequest] = []
        var fault: (@Sendable (_ attempt: Int) -> Fault?)?
    }

    private let clock: VirtualClock
    private let state = Mutex(State())

    package init(clock: VirtualClock) {
        self.clock = clock
    }

    /// Sets what goes wrong; attempts count from 1 over the inbox's life.
    package func onPut(_ fault: (@Sendable (_ attempt: Int) -> Fault?)?) {
        state.withLock { $0.fault = fault }
    }

    /// Every PUT that was tried, accepted or not.
    package var requests: [HTTPRequest] { state.withLock { $0.requests } }

    package func bodies(to path: String) -> [[UInt8]] {
        state.withLock { $0.bodies.filter { $0.path == path }.map(\.body) }
    }

    /// All accepted bodies.
    package var bodies: [[UInt8]] { state.withLock { $0.bodies.map(\.body) } }

    /// The accepted answers to an event, in order.
    package func replies(to event: StackEvent) throws -> [Reply] {
        try bodies(to: event.responsePath).map { try JSONDecoder().decode(Reply.self, from: Data($0)) }
    }

    package func execute(
        _ request: HTTPRequest, body: [UInt8], deadline: UnixInstant
    ) async throws -> HTTPExchange {
        let fault = state.withLock { state in
            state.requests.append(request)
            return state.fault?(state.requests.count)
        }
        switch fault {
        case .answer(let status): return HTTPExchange(response: HTTPResponse(status: .init(code: status)))
        case .reset: throw TransportError(.connectionLost, "The connection was lost.")
        case .hang:
            clock.advance(to: deadline)
            throw TransportError(.timedOut, "No answer came in time.")
        case .loseAnswer, nil:
            // A URL that was signed without a content type takes none.
            guard request.method == .put, request.headerFields[.contentType] == "" else {
                return HTTPExchange(response: HTTPResponse(status: .forbidden))
            }
            let path = String((request.path ?? "").prefix { $0 != "?" })
            state.withLock { $0.bodies.append((path, body)) }
            if fault == .loseAnswer { throw TransportError(.connectionLost, "The connection was lost.") }
            return HTTPExchange(response: HTTPResponse(status: .ok))
        }
    }
}
