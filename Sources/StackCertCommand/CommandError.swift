import Diagnostics

/// Why a command cannot do what it is asked for.
struct CommandError: DiagnosticError {
    enum Code: Hashable, Sendable {
        /// What was named cannot be used.
        case unusable
        case writeFailed
    }

    let code: Code
    let message: String
    let cause: (any Error)?

    init(_ code: Code = .unusable, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}
