package import Timekeeping

/// What is publicly known of a generation, for renewal, status and for finding out which request spoke last.
package struct CertificateRecord: Hashable, Sendable, Codable {
    package static let root = "records/"

    package var version = 1
    package let bucket: String
    package let key: String
    package let stackID: String
    package let logicalResourceID: String
    package let settings: CertificateSettings
    package let facts: CertificateFacts
    /// What the certificate is for, for people. Nil when nobody has written it down yet: it is in no metadata.
    package let names: [String]?
    /// Where else the certificate is; nil when it is nowhere else.
    package let copies: CertificateCopies?
    /// How the authority calls the certificate when it is asked for its renewal (RFC 9773); nil when it is not asked.
    package let certificateID: String?
    package let claim: Claim

    package init(
        address: CertificateAddress, owner: CertificateOwner, settings: CertificateSettings, facts: CertificateFacts,
        names: [String]? = nil, copies: CertificateCopies? = nil, certificateID: String? = nil,
        claim: Claim
    ) {
        bucket = address.bucket
        key = address.key
        stackID = owner.stackID
        logicalResourceID = owner.logicalResourceID
        self.settings = settings
        self.facts = facts
        self.names = names
        self.copies = copies
        self.certificateID = certificateID
        self.claim = claim
    }
}

/// Properties that do not define the certificate.
package struct CertificateSettings: Hashable, Sendable, Codable {
    /// The stack's parameter that renewal changes.
    package let rotationParameter: String
    /// Also keep the current bundle where system A's templates look.
    package let stableS3Key: Bool
    /// What a Let's Encrypt certificate was ordered with; nil for a backend certificate.
    package let order: OrderSettings?

    package init(rotationParameter: String, stableS3Key: Bool, order: OrderSettings? = nil) {
        self.rotationParameter = rotationParameter
        self.stableS3Key = stableS3Key
        self.order = order
    }

    /// For a certificate of which only the bundle's metadata is left: the parameter that properties have by default, and
    /// a removal that looks for copies whether or not there are any.
    package static let assumed = CertificateSettings(rotationParameter: "CertificateRotation", stableS3Key: true)
}

/// The last request that was told that a generation is its own.
///
/// A repeated, late delivery of an older request must not remove what a newer one counts on. The record is written
/// before the answer is sent, so whatever CloudFormation believes in has a claim as late as its request.
package struct Claim: Hashable, Sendable, Codable {
    package let requestID: String
    /// When CloudFormation issued the request.
    package let issuedAt: UnixInstant

    package init(requestID: String, issuedAt: UnixInstant) {
        self.requestID = requestID
        self.issuedAt = issuedAt
    }
}
