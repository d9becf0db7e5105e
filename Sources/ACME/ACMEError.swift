internal import Diagnostics
package import Timekeeping

/// Why a certificate authority did not do what it was asked for.
///
/// `message` names the authority, the request and, made fit to be shown, the authority's own words.
package struct ACMEError: DiagnosticError {
    package enum Code: Hashable, Sendable {
        /// A URL that is not an absolute `https` one.
        case invalidURL
        /// A key, an account's or an external account's, that cannot be read.
        case invalidKey
        /// No answer came.
        case unreachable
        /// An answer that RFC 8555 does not allow.
        case invalidAnswer
        /// What came to nothing in time.
        case timedOut
        /// The authority refused, with this type of problem.
        case problem(ProblemType)
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?
    /// What the authority said; nil when it did not speak.
    package let problem: Problem?
    /// When the authority wants to be asked again; nil when it named no time.
    package let retryAt: UnixInstant?

    package init(
        _ code: Code, _ message: String, problem: Problem? = nil, retryAt: UnixInstant? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.problem = problem
        self.retryAt = retryAt
        self.cause = cause
    }
}

extension ACMEError {
    /// The authority's refusal of one request.
    ///
    /// - Parameter hiding: texts that must not appear in the message.
    init(
        _ problem: Problem, status: Int, of request: String, at authority: String, retryAt: UnixInstant?,
        hiding secrets: [String] = []
    ) {
        var message = "\(authority) refused \(request) with \(problem.type.name) (HTTP \(status))"
        let words = problem.words(hiding: secrets)
        if !words.isEmpty { message += ": " + words }
        if !message.hasSuffix(".") { message += "." }
        if let retryAt { message += " It asks to wait until \(retryAt)." }
        self.init(.problem(problem.type), message, problem: problem, retryAt: retryAt)
    }
}
