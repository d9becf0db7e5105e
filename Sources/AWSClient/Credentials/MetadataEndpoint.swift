internal import Diagnostics
internal import HTTPTransport
internal import HTTPTypes
internal import Timekeeping

/// A link-local service that hands out keys: requests to it are short and carry no signature.
///
/// It is not tried again here: what may succeed later says so (``AWSError/isRetryable``), and the call that wants the
/// keys is tried again as a whole.
struct MetadataEndpoint: Sendable {
    /// As a sentence begins: `The container's credentials endpoint`.
    let name: String
    let endpoint: Endpoint
    let executor: any HTTPExecutor
    let clock: any WallClock
    let timeout: Duration

    /// - Returns: an answer whose status is below 500 and not 429.
    func send(
        _ method: HTTPRequest.Method, path: String, fields: HTTPFields = HTTPFields(), deadline: UnixInstant
    ) async throws -> HTTPExchange {
        var fields = fields
        fields[.accept] = "application/json"
        fields[.userAgent] = ProductVersion.userAgent
        let request = HTTPRequest(
            method: method, scheme: endpoint.scheme, authority: endpoint.authority, path: path, headerFields: fields)
        let answer: HTTPExchange
        do {
            answer = try await executor.execute(
                request, body: [], deadline: min(deadline, clock.now.advanced(by: timeout)))
        } catch let error as TransportError {
            let code: AWSError.Code =
                switch error.code {
                case .timedOut: .timedOut
                case .connectFailed: .connectionFailed
                case .connectionLost, .failed: .connectionLost
                case .invalidRequest, .rootsUnreadable, .responseTooLarge: .credentialsUnavailable
                }
            throw AWSError(code, "\(name) could not be asked: \(error.message)", cause: error)
        }
        guard answer.status < 500, answer.status != 429 else { throw refusal(answer) }
        return answer
    }

    /// The error for an answer that is no success.
    func refusal(_ answer: HTTPExchange) -> AWSError {
        AWSError(
            .credentialsUnavailable, "\(name) answered HTTP \(answer.status).", httpStatus: answer.status,
            service: "", operation: "")
    }
}
