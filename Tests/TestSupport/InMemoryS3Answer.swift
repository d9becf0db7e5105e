internal import HTTPTransport
internal import HTTPTypes
internal import SigV4
package import Timekeeping

/// What ``InMemoryS3`` says to a request.
enum S3Answer {
    case success(status: Int, fields: [String: String] = [:], body: [UInt8] = [])
    case failure(S3Failure, fields: [String: String] = [:])

    var isMissingKey: Bool {
        if case .failure(let failure, _) = self { failure.code == S3Failure.noSuchKey.code } else { false }
    }

    /// The answer on the wire; to a HEAD without its body, whatever it says.
    func exchange(for request: S3Request, ordinal: Int, now: UnixInstant) -> HTTPExchange {
        var fields = HTTPFields()
        let requestID = "REQUEST\(ordinal)"
        fields[.date] = now.httpDate
        fields[named: "x-amz-request-id"] = requestID
        let status: Int
        let body: [UInt8]
        switch self {
        case .success(let code, let more, let bytes):
            status = code
            body = bytes
            for (name, value) in more { fields[named: name] = value }
        case .failure(let failure, let more):
            status = failure.status
            body = Array(failure.xml(requestID: requestID).utf8)
            for (name, value) in more { fields[named: name] = value }
            fields[.contentType] = "application/xml"
        }
        return HTTPExchange(
            response: HTTPResponse(status: HTTPResponse.Status(code: status), headerFields: fields),
            body: request.method == .head ? [] : body)
    }
}

/// An error of S3: its status, its code and its words.
struct S3Failure {
    let status: Int
    let code: String
    let message: String

    static let accessDenied = S3Failure(status: 403, code: "AccessDenied", message: "Access Denied")
    static let conditionalRequestConflict = S3Failure(
        status: 409, code: "ConditionalRequestConflict",
        message: "The conditional request cannot succeed due to a conflicting operation against this resource.")
    static let contentMismatch = S3Failure(
        status: 400, code: "XAmzContentSHA256Mismatch",
        message: "The provided 'x-amz-content-sha256' header does not match what was computed.")
    static let internalError = S3Failure(
        status: 500, code: "InternalError", message: "We encountered an internal error. Please try again.")
    static let methodNotAllowed = S3Failure(
        status: 405, code: "MethodNotAllowed", message: "The specified method is not allowed against this resource.")
    static let noSuchBucket = S3Failure(
        status: 404, code: "NoSuchBucket", message: "The specified bucket does not exist")
    static let noSuchKey = S3Failure(status: 404, code: "NoSuchKey", message: "The specified key does not exist.")
    static let noSuchVersion = S3Failure(
        status: 404, code: "NoSuchVersion", message: "The specified version does not exist.")
    static let notImplemented = S3Failure(
        status: 501, code: "NotImplemented", message: "S3 in memory does not know this request.")
    static let preconditionFailed = S3Failure(
        status: 412, code: "PreconditionFailed",
        message: "At least one of the pre-conditions you specified did not hold")
    static let requestTimeTooSkewed = S3Failure(
        status: 403, code: "RequestTimeTooSkewed",
        message: "The difference between the request time and the current time is too large.")
    static let slowDown = S3Failure(status: 503, code: "SlowDown", message: "Please reduce your request rate.")

    /// The error that S3 usually means by a status; only those that a test may inject.
    static func byStatus(_ status: Int) -> S3Failure {
        switch status {
        case 403: accessDenied
        case 409: conditionalRequestConflict
        case 412: preconditionFailed
        case 503: slowDown
        default: internalError
        }
    }

    func xml(requestID: String) -> String {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>\(code)</Code><Message>\(message)</Message>"
            + "<RequestId>\(requestID)</RequestId><HostId>host</HostId></Error>"
    }
}

extension UnixInstant {
    /// `Fri, 15 Jan 2027 08:00:00 GMT`
    package var httpDate: String {
        let date = CivilDate(self)
        let weekday = ((seconds / 86_400 + 4) % 7 + 7) % 7
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][Int(weekday)]), \(two(date.day)) "
            + ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][date.month - 1]
            + " \(date.year) \(two(date.hour)):\(two(date.minute)):\(two(date.second)) GMT"
    }
}
