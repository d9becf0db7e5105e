internal import AWSClient
internal import Diagnostics
internal import PKI
package import Timekeeping

/// The copy of the current bundle at `backend-certificate-<AppName>.json` (`StableS3Key`).
///
/// The function cannot read bundles, so going back to an earlier generation means deleting the newer versions of the
/// copy. That needs a bucket that keeps versions, and so does not losing the key that system A left there.
extension CertificateStore {
    /// What is at the stable key now.
    private enum StableOccupant {
        case nobody
        case ours(Generation, CertificateFacts)
        /// Without our metadata: system A's object, or somebody's own.
        case unmarked
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
            return .unmarked
        }
        return metadata.ownerDigest == owner.digest
            ? .ours(metadata.generation, metadata.facts) : .another
    }

    /// Refuses before anything is made when the stable key is another stack's, or when what is there could not be
    /// restored by a rollback.
    ///
    /// - Parameter own: the object that system A made for this resource, when there is one.
    package func checkStableKey(
        for address: CertificateAddress, owner: CertificateOwner, own: SystemAObject?, deadline: UnixInstant
    ) async throws {
        let object = SystemAObject(of: address)
        switch try await stableOccupant(address, owner: owner, deadline: deadline) {
        case .nobody: return
        // An earlier delivery of the request wrote it, and nobody was told of it.
        case .ours(address.generation, _): return
        case .ours: break
        case .unmarked where own == object:
            let others = try await otherUses(of: object, than: owner, deadline: deadline)
            guard others == 0 else {
                throw IssuanceError(
                    .stableKeyUnavailable,
                    "StableS3Key would overwrite \(object), which \(others) other resource(s) with this AppName use: set "
                        + "StableS3Key to false and let the servers read CertificateS3Key, or choose another AppName.")
            }
        case .unmarked, .another:
            throw IssuanceError(
                .stableKeyUnavailable,
                "StableS3Key needs \(object), which another stack uses: choose another AppName or set StableS3Key to "
                    + "false.")
        }
        guard try await versioning(of: object.bucket, deadline: deadline) == .enabled else {
            throw IssuanceError(
                .stableKeyUnavailable,
                "StableS3Key would overwrite \(object), which holds the key in use, and the bucket keeps no versions to "
                    + "roll back to. Enable versioning, wait 15 minutes (S3 needs up to that long) and update the stack "
                    + "again: aws s3api put-bucket-versioning --bucket \(object.bucket) --versioning-configuration "
                    + "Status=Enabled")
        }
    }

    private func versioning(of bucket: String, deadline: UnixInstant) async throws -> BucketVersioning {
        do {
            return try await s3.getBucketVersioning(bucket: bucket, deadline: deadline)
        } catch let error as AWSError where error.code == .accessDenied {
            throw IssuanceError(
                .stableKeyUnavailable,
                "The function may not ask whether the bucket \(bucket) keeps versions (s3:GetBucketVersioning), so nothing "
                    + "was overwritten: update the provider's stack with its own template, provider.yml.", cause: error)
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
            secret: bundle.keyPair.privateKeyPEM, deadline: deadline
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
            case .unmarked where version.versionID == adopted?.storedVersionID:
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
