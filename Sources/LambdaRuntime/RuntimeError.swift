internal import Diagnostics

/// Why the loop ended, or why an answer could not be given.
package struct RuntimeError: DiagnosticError, Equatable {
    package enum Code: Hashable, Sendable {
        /// Nobody said where the Runtime API is: the process does not run in Lambda.
        case noRuntimeAPI
        /// `next` was answered with anything but 200.
        case nextRefused
        /// `next` could not be reached, or its connection was lost again and again.
        case nextUnreachable
        /// An event came without a usable request id.
        case malformedInvocation
        /// The handler's answer is more than Lambda takes.
        case responseTooLarge
        /// The Runtime API is out of order (5xx to an answer).
        case responseRefused
        /// An answer could not be delivered.
        case responseUndelivered
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package static func == (lhs: RuntimeError, rhs: RuntimeError) -> Bool { lhs.code == rhs.code }
}
