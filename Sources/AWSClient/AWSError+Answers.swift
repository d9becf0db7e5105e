internal import Diagnostics
internal import HTTPTransport
internal import HTTPTypes
internal import SigV4
internal import Timekeeping

extension AWSError {
    /// The error that AWS sent.
    ///
    /// - Parameter credentials: what the call was signed with; none of it gets into the message.
    init(
        _ error: ErrorAnswer, status: Int, answer: HTTPExchange, call: AWSCall, credentials: SigningCredentials,
        now: UnixInstant
    ) {
        let fields = answer.response.headerFields
        let requestID = ["x-amz-request-id", "x-amzn-requestid"].lazy.compactMap { fields[named: $0] }.first
            .flatMap { $0.isRequestID ? $0 : nil }
        var message = "\(call.name) failed with \(error.code.rawValue) (HTTP \(status))"
        if let words = error.message {
            let hidden = [
                credentials.secretAccessKey.exposed, credentials.sessionToken?.exposed, credentials.accessKeyID,
            ]
            let shown = ForeignText.sanitized(
                words, hiding: hidden.compactMap { $0 } + call.secrets.map(\.exposed))
            if !shown.isEmpty { message += ": " + shown }
        }
        if !message.hasSuffix(".") { message += "." }
        if let region = fields[named: "x-amz-bucket-region"], region.isRequestID, error.code != .notFound {
            message += " The bucket is in \(region)."
        }
        if let requestID { message += " Request id \(requestID)." }
        self.init(
            error.code, message, httpStatus: status, service: call.service.signingName, operation: call.operation,
            requestID: requestID,
            // These two are said before anything is done.
            mayHaveBeenCarriedOut: status >= 500 && error.code != .slowDown && error.code != .serviceUnavailable
                && call.changesSomething,
            retryAfter: AWSError.retryAfter(fields, now: now))
    }

    /// What it means for a call that no answer came.
    init(_ error: TransportError, during call: AWSCall) {
        let (code, isUncertain): (Code, Bool) =
            switch error.code {
            case .invalidRequest, .rootsUnreadable: (.invalidRequest, false)
            case .connectFailed: (.connectionFailed, false)
            case .connectionLost, .failed: (.connectionLost, true)
            case .timedOut: (.timedOut, true)
            case .responseTooLarge: (.invalidResponse, true)
            }
        self.init(
            code, "\(call.name): \(error.message)", service: call.service.signingName, operation: call.operation,
            cause: error, mayHaveBeenCarriedOut: isUncertain && call.changesSomething)
    }

    /// A PUT's success that S3 did not send.
    static func notStored(_ answer: HTTPExchange, by call: AWSCall) -> AWSError {
        AWSError(
            .invalidResponse,
            "\(call.name): the response (HTTP \(answer.status)) has no ETag, so that it does not come from S3 and the "
                + "object may not be stored: look for a proxy between the caller and S3, and at the endpoint "
                + "(AWS_ENDPOINT_URL).",
            httpStatus: answer.status, service: call.service.signingName, operation: call.operation,
            mayHaveBeenCarriedOut: true)
    }

    /// Seconds or a date (RFC 9110, section 10.2.3).
    private static func retryAfter(_ fields: HTTPFields, now: UnixInstant) -> Duration? {
        guard let value = fields[.retryAfter] else { return nil }
        if let seconds = UInt32(value) { return .seconds(Int64(seconds)) }
        return UnixInstant(httpDate: value).map { now.duration(to: $0) }
    }
}

extension AWSCall {
    /// How messages call it, such as `S3 PutObject`.
    var name: String { "\(service.name) \(operation)" }

    fileprivate var changesSomething: Bool { method != .get && method != .head }
}

extension String {
    /// Letters, digits and hyphens: fit to be shown as it is.
    fileprivate var isRequestID: Bool {
        (1...64).contains(utf8.count) && allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    }
}
