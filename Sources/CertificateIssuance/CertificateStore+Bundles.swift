internal import AWSClient
internal import Diagnostics
package import Timekeeping

extension CertificateStore {
    /// The facts of a generation whose bundle is there; nil when there is none.
    ///
    /// - Throws: ``IssuanceError/Code/foreignOwner`` or ``IssuanceError/Code/unreadable`` when something else is under
    ///   its key; `AWSError`.
    package func find(
        _ address: CertificateAddress, of owner: CertificateOwner, deadline: UnixInstant
    ) async throws -> CertificateFacts? {
        try await head(address, of: owner, deadline: deadline)?.facts
    }

    private func head(
        _ address: CertificateAddress, of owner: CertificateOwner, deadline: UnixInstant
    ) async throws -> (facts: CertificateFacts, versionID: String)? {
        guard
            let head = try await unlessAbsent({
                try await s3.headObject(bucket: address.bucket, key: address.key, deadline: deadline)
            })
        else { return nil }
        guard let metadata = CertificateMetadata(fields: head.metadata), metadata.generation == address.generation
        else {
            throw IssuanceError(
                .unreadable,
                "s3://\(address.bucket)/\(address.key) was not written by this provider: move it away and try again.")
        }
        guard metadata.ownerDigest == owner.digest else {
            throw IssuanceError(
                .foreignOwner, "s3://\(address.bucket)/\(address.key) belongs to another stack: it was left alone.")
        }
        return (metadata.facts, head.versionID ?? ObjectVersion.unversioned)
    }

    /// Writes the bundle, once and for all. False when a bundle was there already: find it then.
    package func create(
        _ bundle: CertificateBundle, at address: CertificateAddress, of owner: CertificateOwner,
        facts: CertificateFacts, deadline: UnixInstant
    ) async throws -> Bool {
        let body = try bundle.encoded()
        let metadata = CertificateMetadata(address: address, owner: owner, facts: facts)
        return try await unlessPreconditionFails {
            _ = try await s3.putObject(
                bucket: address.bucket, key: address.key, body: body.exposed, contentType: "application/json",
                metadata: metadata.fields, encryption: .kms(keyARN), ifNoneMatch: true, deadline: deadline)
        }
    }

    /// Removes every version of the bundle by its id, and everything that is known of the generation.
    ///
    /// What a request made or was given that was issued after `issuedAt` stays: a late delivery of an old Delete must
    /// not take it away.
    /// The record goes last: as long as it is there, a repeated Delete finds what else belongs to the generation.
    package func remove(
        _ address: CertificateAddress, of owner: CertificateOwner, issuedUpTo issuedAt: UnixInstant,
        deadline: UnixInstant
    ) async throws {
        let bundle = try await head(address, of: owner, deadline: deadline)
        if let bundle, bundle.facts.issuedAt > issuedAt { return }
        let record = try await record(at: address, deadline: deadline)
        if let record, record.claim.issuedAt > issuedAt { return }
        if record?.settings.stableS3Key ?? true {
            try await removeStableCopies(of: address, owner: owner, deadline: deadline)
        }
        try await removeVersions(bucket: address.bucket, key: address.key, deadline: deadline) { version in
            // A bundle that was written after the look above is not the one that is meant.
            !version.isLatest || version.isDeleteMarker || version.versionID == bundle?.versionID
        }
        if let facts = bundle?.facts ?? record?.facts {
            try await removeAction(of: address, facts: facts, deadline: deadline)
        }
        _ = try await unlessAbsent {
            try await s3.deleteObject(bucket: stateBucket, key: address.recordKey, deadline: deadline)
        }
    }

    /// Deletes those versions (and delete markers) of one key that `isMeant` picks.
    func removeVersions(
        bucket: String, key: String, deadline: UnixInstant,
        where isMeant: (ObjectVersion) async throws -> Bool
    ) async throws {
        let versions = try await unlessAbsent {
            try await s3.listObjectVersions(bucket: bucket, prefix: key, deadline: deadline)
        }
        for version in versions ?? [] where version.key == key {
            guard try await isMeant(version) else { continue }
            _ = try await unlessAbsent {
                try await s3.deleteObject(
                    bucket: bucket, key: key, versionID: version.versionID, deadline: deadline)
            }
        }
    }
}

extension ObjectVersion {
    /// What listings call the only version in a bucket without versions.
    fileprivate static var unversioned: String { "null" }
}
