internal import Diagnostics

/// Why an event cannot be carried out or answered.
///
/// Messages follow case 12 of the contract: they name the property, its JSON type and length and the rule, and echo a
/// value only where it cannot be a secret.
package struct CustomResourceError: DiagnosticError, Equatable {
    package enum Code: Hashable, Sendable {
        /// Not JSON, too large, or without the fields that an answer needs. Nobody can be told: only the log.
        case malformedEvent
        /// The ResponseURL does not lead to CloudFormation's own bucket. Nobody can be told: only the log.
        case responseURLRefused
        /// The stack belongs to an account that this provider does not serve.
        case accountRefused
        /// A property is missing, of the wrong type or against its rule.
        case invalidProperty(String)
        /// A property that the resource does not have.
        case unknownProperty(String)
        /// The work did not end in the time that Lambda gives.
        case deadlineExceeded
        /// The answer could not be delivered; Lambda is to deliver the event again.
        case replyNotDelivered
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package static func == (lhs: CustomResourceError, rhs: CustomResourceError) -> Bool { lhs.code == rhs.code }
}
