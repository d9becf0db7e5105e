/// The shape of every module's one error type.
///
/// `message` is written for the person on call and may be shown in a stack's events: it never holds a key, a token,
/// a URL with a signature or a property's body. `cause` is for code that decides what to do next; it is never printed.
package protocol DiagnosticError: Error, CustomStringConvertible {
    associatedtype Code: Hashable, Sendable

    /// What went wrong, for code and for tests.
    var code: Code { get }

    /// What went wrong and what to do about it, on one line.
    var message: String { get }

    /// The error underneath, when there is one.
    var cause: (any Error)? { get }
}

extension DiagnosticError {
    package var description: String { message }
    package var cause: (any Error)? { nil }
}
