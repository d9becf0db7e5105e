internal import AWSClient
internal import Diagnostics
internal import PKI
package import Timekeeping

extension CertificateStore {
    /// The facts of a generation whose bundle is there; nil when there is none.
    ///
    /// - Throws: ``IssuanceError/Code/foreignOwner`` or ``IssuanceError/Code/unreadable`` when something else is under
    ///   its key; `AWSError`.
    package func find(
        _ address: CertificateAddress, of owner: CertificateOwner, deadline: UnixInstant
    ) async throws -> CertificateFacts? {
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
        return metadata.facts
    }

    /// Key, certificate and chain of a generation; nil when there is no bundle. Only a role that may decrypt it gets them.
    package func contents(
        of address: CertificateAddress, deadline: UnixInstant
    ) async throws -> ObtainedCertificate? {
        guard
            let body = try await unlessAbsent({
                try await s3.getObject(bucket: address.bucket, key: address.key, deadline: deadline).body
            })
        else { return nil }
        return try ObtainedCertificate(bundle: Redacted(body))
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
                metadata: metadata.fields, encryption: .kms(keyARN), ifNoneMatch: true,
                secret: bundle.keyPair.privateKeyPEM, deadline: deadline)
        }
    }

    /// Removes every version of the bundle by its id, and everything that is known of the generation: unless a request
    /// issued after `limit` made it or was given it.
    ///
    /// The record goes first of all, and only as it was read: of a removal and a request that is given the generation at the
    /// same time, the one that changes the record first wins, and the other sees that. The bundle goes last, so that a
    /// repeated removal finds there what else belongs to it.
    ///
    /// - Parameter facts: of a bundle that may be gone already, of which something may have been written since.
    /// - Returns: false when the generation stays.
    @discardableResult
    package func remove(
        _ address: CertificateAddress, of owner: CertificateOwner, issuedUpTo limit: UnixInstant,
        facts: CertificateFacts? = nil, deadline: UnixInstant
    ) async throws -> Bool {
        // Listed before it is looked at: what comes into being in between is not deleted.
        let versions = try await versions(bucket: address.bucket, key: address.key, deadline: deadline)
        let found = try await find(address, of: owner, deadline: deadline)
        if let found, found.issuedAt > limit { return false }
        guard let record = try await takeRecord(at: address, issuedUpTo: limit, deadline: deadline) else {
            return false
        }
        if let facts = found ?? record?.facts ?? facts {
            try await removeAction(of: address, facts: facts, deadline: deadline)
        }
        // Only backend certificates have such copies, and only their function may look for them.
        if address.kind == .backend, record?.settings.stableS3Key ?? true {
            try await removeStableCopies(of: address, owner: owner, issuedUpTo: limit, deadline: deadline)
        }
        try await delete(versions, bucket: address.bucket, deadline: deadline)
        return true
    }

    /// The versions and delete markers of one key, the latest first.
    func versions(bucket: String, key: String, deadline: UnixInstant) async throws -> [ObjectVersion] {
        let versions = try await unlessAbsent {
            try await s3.listObjectVersions(bucket: bucket, prefix: key, deadline: deadline)
        }
        return (versions ?? []).filter { $0.key == key }
    }

    func delete(_ versions: [ObjectVersion], bucket: String, deadline: UnixInstant) async throws {
        for version in versions {
            _ = try await unlessAbsent {
                try await s3.deleteObject(
                    bucket: bucket, key: version.key, versionID: version.versionID, deadline: deadline)
            }
        }
    }
}
