import FoundationEssentials
import HTTPTransport
import HTTPTypes
import Synchronization
import TestSupport
import Timekeeping

/// The bucket that answers are PUT to: gives scripted results, then 200 for ever, and keeps what it was sent.
final class ResponseBucket: HTTPExecutor {
    enum Result {
        case status(Int)
        case lost
        /// A success whose body tells of an error.
        case lateError
        /// No answer before the attempt's deadline.
        case silence
    }

    struct Put: Sendable {
        let request: HTTPRequest
        let body: [UInt8]
        let at: UnixInstant
        let deadline: UnixInstant

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    struct Answer: Decodable {
        let status: String
        let reason: String?
        let physicalResourceID: String
        let stackID: String
        let requestID: String
        let logicalResourceID: String
        let data: [String: String]?
        let noEcho: Bool

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

    private let clock: VirtualClock
    private let state: Mutex<(script: [Result], puts: [Put])>

    init(_ script: [Result] = [], clock: VirtualClock) {
        self.clock = clock
        self.state = Mutex((script, []))
    }

    var puts: [Put] { state.withLock { $0.puts } }

    /// The last body, as CloudFormation reads it.
    var answer: Answer {
        get throws { try JSONDecoder().decode(Answer.self, from: Data(puts.last?.body ?? [])) }
    }

    func execute(_ request: HTTPRequest, body: [UInt8], deadline: UnixInstant) async throws -> HTTPExchange {
        try Task.checkCancellation()
        let result = state.withLock { state in
            state.puts.append(Put(request: request, body: body, at: clock.now, deadline: deadline))
            return state.script.isEmpty ? .status(200) : state.script.removeFirst()
        }
        switch result {
        case .status(let status):
            // As S3 does: its errors quote the request.
            return HTTPExchange(
                response: HTTPResponse(status: .init(code: status)),
                body: status == 200
                    ? [] : Array("<Error><StringToSign>\(EventText.signature)</StringToSign></Error>".utf8))
        case .lateError:
            return HTTPExchange(
                response: HTTPResponse(status: .ok),
                body: Array("\n<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code></Error>".utf8))
        case .lost:
            throw TransportError(.connectionLost, "The connection was lost.")
        case .silence:
            clock.advance(to: deadline)
            throw TransportError(.timedOut, "No answer came in time.")
        }
    }
}
