internal import Diagnostics

/// Why no response arrived.
package struct TransportError: DiagnosticError, Equatable {
    package enum Code: Hashable, Sendable {
        /// The request cannot be sent as it is (no host, a scheme that is not http or https).
        case invalidRequest
        /// The file of further roots cannot be read: nothing was sent, and nothing can be.
        case rootsUnreadable
        /// Nothing was sent: name resolution or connecting failed.
        case connectFailed
        /// The peer closed or reset the connection; the request may have been carried out.
        case connectionLost
        /// The deadline passed; the request may have been carried out.
        case timedOut
        /// The response is larger than the limit.
        case responseTooLarge
        /// Anything else that the client library reports.
        case failed
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package static func == (lhs: TransportError, rhs: TransportError) -> Bool { lhs.code == rhs.code }
}
