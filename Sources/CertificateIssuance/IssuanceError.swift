internal import Diagnostics

/// Why a certificate could not be made, found, kept or removed. AWS's own refusals come as `AWSError`.
package struct IssuanceError: DiagnosticError, Equatable {
    package enum Code: Hashable, Sendable {
        /// What is stored under a generation's key cannot be read as ours.
        case unreadable
        /// A later version of StackCert wrote it, in a format that this one does not know.
        case laterFormat
        /// The object belongs to another stack or resource.
        case foreignOwner
        /// A certificate that was found again has run out.
        case expired
        /// CloudFormation cancelled this request, or replaced it by a later one, while it ran.
        case cancelled
        /// `StableS3Key` cannot be honoured as things are.
        case stableKeyUnavailable
        /// What a rollback returns to is not there any more.
        case unrestorable
        /// Two writers changed one record again and again.
        case contention
        /// There is no account at the certificate authority that could do it.
        case noAccount
        /// The certificate authority's terms of service must be agreed to.
        case termsNotAgreed
        /// A certificate authority asked for something that cannot be answered.
        case invalidChallenge
        /// A certificate authority does not believe that we control a name.
        case validationFailed
        /// An order that would run, or ran, into a certificate authority's limits.
        case rateLimited
        /// A certificate authority has no such profile.
        case unknownProfile
        /// A certificate authority refused to issue.
        case refused
        /// A certificate authority has not issued in time; the order can be gone on with.
        case notInTime
        /// What a certificate authority issued is not what was ordered.
        case unusableCertificate
        /// There is no place for an answer to a challenge: no hosted zone, a record of somebody else's.
        case noPlaceForAnswer
        /// An answer to a challenge could not be seen by everybody in time.
        case answerNotVisible
        /// ACM or IAM does not take the certificate as things are.
        case importRefused
        /// Something still uses a copy that was to be deleted.
        case inUse
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package static func == (lhs: IssuanceError, rhs: IssuanceError) -> Bool { lhs.code == rhs.code }
}
