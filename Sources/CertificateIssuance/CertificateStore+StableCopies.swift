internal import AWSClient
internal import Diagnostics
package import Timekeeping

/// The copy of the current bundle at `backend-certificate-<AppName>.json` (`StableS3Key`).
///
/// The function cannot read bundles, so going back to an earlier generation means deleting the newer versions of the
/// copy. That needs a versioned bucket, and so does not losing the key that system A left there.
extension CertificateStore {
    /// What is at the stable key now.
    private enum StableOccupant {
        case nobody
        case ours(Generation, CertificateFacts)
        /// Without our metadata: system A's object, or somebody's own.
        case unmarked(versioned: Bool)
        case another
    }

    private func stableOccupant(
        _ address: CertificateAddress, owner: CertificateOwner, versionID: String? = nil, deadline: UnixInstant
    ) async throws -> StableOccupant {
        guard
            let head = try await unlessAbsent({
                try await s3.headObject(
                    bucket: address.bucket, key: address.stableKey, versionID: versionID, deadline: deadline)
            })
        else { return .nobody }
        guard let metadata = CertificateMetadata(fields: head.metadata) else {
            return .unmarked(versioned: head.versionID != nil)
        }
        return metadata.ownerDigest == owner.digest
            ? .ours(metadata.generation, metadata.facts) : .another
    }

    /// Refuses before anything is made when the stable key is another stack's.
    ///
    /// - Parameter adopted: the object that system A made for this resource, when there is one.
    package func checkStableKey(
        for address: CertificateAddress, owner: CertificateOwner, adopted: AdoptedCertificate?, deadline: UnixInstant
    ) async throws {
        let object = "s3://\(address.bucket)/\(address.stableKey)"
        switch try await stableOccupant(address, owner: owner, deadline: deadline) {
        case .nobody, .ours: return
        case .unmarked(let versioned):
            guard adopted?.bucket == address.bucket, adopted?.key == address.stableKey else { fallthrough }
            guard versioned else {
                throw IssuanceError(
                    .stableKeyUnavailable,
                    "StableS3Key would overwrite \(object), which holds the key in use: switch on versioning of the "
                        + "bucket first.")
            }
        case .another:
            throw IssuanceError(
                .stableKeyUnavailable,
                "StableS3Key needs \(object), which another stack uses: choose another AppName or set StableS3Key to "
                    + "false.")
        }
    }

    /// - Returns: the copy's version; nil in a bucket without versions.
    package func writeStableCopy(
        of bundle: CertificateBundle, at address: CertificateAddress, owner: CertificateOwner,
        facts: CertificateFacts, deadline: UnixInstant
    ) async throws -> String? {
        let metadata = CertificateMetadata(address: address, owner: owner, facts: facts)
        return try await s3.putObject(
            bucket: address.bucket, key: address.stableKey, body: bundle.encoded().exposed,
            contentType: "application/json", metadata: metadata.fields, encryption: .kms(keyARN),
            deadline: deadline
        ).versionID
    }

    package func removeStableCopy(
        of address: CertificateAddress, versionID: String, deadline: UnixInstant
    ) async throws {
        _ = try await unlessAbsent {
            try await s3.deleteObject(
                bucket: address.bucket, key: address.stableKey, versionID: versionID, deadline: deadline)
        }
    }

    /// Makes the copy of an earlier generation, or the object that system A left, the current version again.
    ///
    /// A copy that a later request than `claim` made stays where it is: an old request that is delivered late must not
    /// take the current key from the servers.
    ///
    /// - Parameters:
    ///   - facts: of the bundle; nil for what system A left.
    ///   - adopted: what system A left, when that is to be restored.
    /// - Returns: false when there is no copy to make current.
    package func restoreStableCopy(
        of address: CertificateAddress, facts: CertificateFacts? = nil, owner: CertificateOwner,
        adopted: AdoptedCertificate? = nil, for claim: Claim, deadline: UnixInstant
    ) async throws -> Bool {
        var newer: [ObjectVersion] = []
        let versions = try await versions(bucket: address.bucket, key: address.stableKey, deadline: deadline)
        for version in versions where !version.isDeleteMarker {
            switch try await stableOccupant(address, owner: owner, versionID: version.versionID, deadline: deadline) {
            case .ours(_, let copied) where copied.certificateFingerprint == facts?.certificateFingerprint:
                try await delete(newer, bucket: address.bucket, deadline: deadline)
                return true
            case .unmarked where adopted != nil:
                try await delete(newer, bucket: address.bucket, deadline: deadline)
                return true
            case .ours(_, let copied) where copied.issuedAt > claim.issuedAt: return true
            case .ours: newer.append(version)
            case .nobody: continue
            case .another, .unmarked: return false
            }
        }
        return false
    }

    /// Removes the copies of a generation that requests issued until `limit` made.
    func removeStableCopies(
        of address: CertificateAddress, owner: CertificateOwner, issuedUpTo limit: UnixInstant,
        deadline: UnixInstant
    ) async throws {
        let versions = try await versions(bucket: address.bucket, key: address.stableKey, deadline: deadline)
        for version in versions where !version.isDeleteMarker {
            let occupant = try await stableOccupant(
                address, owner: owner, versionID: version.versionID, deadline: deadline)
            guard case .ours(address.generation, let facts) = occupant, facts.issuedAt <= limit else { continue }
            try await delete([version], bucket: address.bucket, deadline: deadline)
        }
    }
}
