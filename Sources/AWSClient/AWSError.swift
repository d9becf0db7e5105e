internal import Diagnostics

/// Why an AWS call failed.
///
/// `message` names the operation, AWS's code and, cut to one line, AWS's own words; keys, tokens and the queries of
/// URLs are taken out of them.
package struct AWSError: DiagnosticError {
    /// AWS's own code, as the service spells it, or one of ours (they begin with `Client.`) when no answer came.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package let rawValue: String

        package init(rawValue: String) {
            self.rawValue = rawValue
        }
    }

    package let code: Code
    /// The status of AWS's answer; nil when none came.
    package let httpStatus: Int?
    /// The signing name of the service, such as `s3`; empty when no call was being made.
    package private(set) var service: String
    /// The operation as AWS's API reference names it, such as `PutObject`; empty when no call was being made.
    package private(set) var operation: String
    /// What AWS support asks for.
    package let requestID: String?
    package private(set) var message: String
    package let cause: (any Error)?
    /// True when the call may have taken effect although no success was seen: an answer was lost, in this try or in
    /// an earlier one of the same call. A conditional write then has to be looked up before it is believed.
    package private(set) var mayHaveBeenCarriedOut: Bool
    /// The wait that AWS asked for.
    let retryAfter: Duration?

    /// An error of our own: `text` is shown and says what to do.
    package init(_ code: Code, _ text: String, cause: (any Error)? = nil) {
        self.init(code, text, service: "", operation: "", cause: cause)
    }

    init(
        _ code: Code, _ message: String, httpStatus: Int? = nil, service: String, operation: String,
        requestID: String? = nil, cause: (any Error)? = nil, mayHaveBeenCarriedOut: Bool = false,
        retryAfter: Duration? = nil
    ) {
        self.code = code
        self.message = message
        self.httpStatus = httpStatus
        self.service = service
        self.operation = operation
        self.requestID = requestID
        self.cause = cause
        self.mayHaveBeenCarriedOut = mayHaveBeenCarriedOut
        self.retryAfter = retryAfter
    }

    /// The same error of a call of which an earlier try may have taken effect.
    func afterUncertainTry() -> AWSError {
        var copy = self
        copy.mayHaveBeenCarriedOut = true
        return copy
    }

    /// The same error, for a condition that does not hold because what it is about has vanished.
    func asFailedPrecondition() -> AWSError {
        AWSError(
            .preconditionFailed, message, httpStatus: httpStatus, service: service, operation: operation,
            requestID: requestID, cause: cause, mayHaveBeenCarriedOut: mayHaveBeenCarriedOut, retryAfter: retryAfter)
    }

    /// The same error told as part of a call, for what fails without knowing whom it serves: credentials, parsers.
    func during(_ call: AWSCall) -> AWSError {
        guard operation.isEmpty else { return self }
        var copy = self
        copy.service = call.service.signingName
        copy.operation = call.operation
        copy.message = "\(call.name): \(message)"
        return copy
    }
}
