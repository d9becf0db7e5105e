internal import Timekeeping

/// The user metadata of a bundle (`x-amz-meta-…`): 2 KB at most in all, of which an RSA-4096 pair of public keys takes
/// three quarters.
package struct CertificateMetadata: Hashable, Sendable {
    package let ownerDigest: String
    package let generation: Generation
    package let facts: CertificateFacts

    package init(address: CertificateAddress, owner: CertificateOwner, facts: CertificateFacts) {
        ownerDigest = owner.digest
        generation = address.generation
        self.facts = facts
    }

    package var fields: [String: String] {
        [
            Name.version: "1",
            Name.owner: ownerDigest,
            Name.generation: generation.description,
            Name.publicKey: facts.publicKey,
            Name.previousPublicKey: facts.previousPublicKey,
            Name.previousKeyDiscarded: String(facts.previousKeyDiscarded),
            Name.fingerprint: facts.certificateFingerprint,
            Name.serialNumber: facts.serialNumber,
            Name.notBefore: String(facts.notBefore.seconds),
            Name.notAfter: String(facts.notAfter.seconds),
            Name.requestID: facts.requestID,
            Name.issuedAt: String(facts.issuedAt.milliseconds),
        ]
    }

    /// Nil when the object is not one of ours.
    package init?(fields: [String: String]) {
        guard fields[Name.version] == "1", let owner = fields[Name.owner],
            let generation = fields[Name.generation].flatMap({ Generation($0) }),
            let facts = CertificateFacts(fields: fields)
        else { return nil }
        ownerDigest = owner
        self.generation = generation
        self.facts = facts
    }
}

private enum Name {
    static let version = "version"
    static let owner = "owner"
    static let generation = "generation"
    static let publicKey = "public-key"
    static let previousPublicKey = "previous-public-key"
    static let previousKeyDiscarded = "previous-discarded"
    static let fingerprint = "fingerprint"
    static let serialNumber = "serial-number"
    static let notBefore = "not-before"
    static let notAfter = "not-after"
    static let requestID = "request-id"
    static let issuedAt = "issued-at"
}

extension CertificateFacts {
    fileprivate init?(fields: [String: String]) {
        guard let publicKey = fields[Name.publicKey], let previousPublicKey = fields[Name.previousPublicKey],
            let discarded = fields[Name.previousKeyDiscarded].flatMap({ Bool($0) }),
            let fingerprint = fields[Name.fingerprint], let serialNumber = fields[Name.serialNumber],
            let notBefore = fields[Name.notBefore].flatMap({ Int64($0) }),
            let notAfter = fields[Name.notAfter].flatMap({ Int64($0) }),
            let requestID = fields[Name.requestID],
            let issuedAt = fields[Name.issuedAt].flatMap({ Int64($0) })
        else { return nil }
        self.init(
            publicKey: publicKey, previousPublicKey: previousPublicKey, previousKeyDiscarded: discarded,
            certificateFingerprint: fingerprint, serialNumber: serialNumber,
            notBefore: UnixInstant(seconds: notBefore), notAfter: UnixInstant(seconds: notAfter),
            requestID: requestID, issuedAt: UnixInstant(milliseconds: issuedAt))
    }
}
