internal import AWSClient
package import Timekeeping

extension CertificateStore {
    /// What was written down when the resource was adopted.
    package func adopted(
        by owner: CertificateOwner, deadline: UnixInstant
    ) async throws -> AdoptedCertificate? {
        try await state.document(AdoptedCertificate.self, at: owner.adoptionKey, deadline: deadline)?.document
    }

    /// Takes over the object that system A made, and writes that down before anything else is done.
    ///
    /// - Parameters:
    ///   - candidates: what the object may have been made for, the likeliest first. Their stable key is system A's key.
    ///   - previous: a second public key to trust beside the adopted one.
    /// - Returns: nil when there is no such object, or when it is a copy that we put there.
    /// - Throws: ``IssuanceError/Code/unreadable`` when the object holds no certificate. Its use is noted by then.
    package func adopt(
        _ candidates: [CertificateDefinition], as physicalResourceID: String, by owner: CertificateOwner, claim: Claim,
        deadline: UnixInstant, previous: () async throws -> PreviousPublicKey
    ) async throws -> AdoptedCertificate? {
        var found: (address: CertificateAddress, head: ObjectHead, body: [UInt8])?
        for definition in candidates where found == nil {
            let address = CertificateAddress(definition, of: owner)
            let object = SystemAObject(of: address)
            guard let head = try await unmarkedHead(of: object, deadline: deadline) else { continue }
            try await noteUse(of: object, by: owner, deadline: deadline)
            guard
                let read = try await unlessAbsent({
                    try await body(of: object, versionID: head.versionID, deadline: deadline)
                })
            else { continue }
            found = (address, read.head, read.body)
        }
        guard let (address, head, body) = found else { return nil }
        let bundle = try SystemABundle(body, named: SystemAObject(of: address).description)
        guard let original = bundle.original(of: candidates, at: address) else { return nil }
        let facts = CertificateFacts(
            bundle.certificate, previousPublicKey: try await previous(), requestID: claim.requestID,
            issuedAt: claim.issuedAt)
        let adopted = AdoptedCertificate(
            bucket: address.bucket, key: address.stableKey, versionID: head.versionID,
            physicalResourceID: physicalResourceID,
            generation: Generation(original, of: owner).description, facts: facts,
            claim: claim)
        let written = try await unlessPreconditionFails {
            try await state.write(adopted, at: owner.adoptionKey, ifNoneMatch: true, deadline: deadline)
        }
        if written { return adopted }
        // Another delivery was faster. To go on without what it wrote would make a new key in the place of a live one.
        guard let earlier = try await self.adopted(by: owner, deadline: deadline) else {
            throw IssuanceError(
                .contention, "The record s3://\(state.name)/\(owner.adoptionKey) keeps changing: try again.")
        }
        return earlier
    }

    /// Whether there is an object of system A's, or somebody else's.
    package func isThere(_ object: SystemAObject, deadline: UnixInstant) async throws -> Bool {
        try await unmarkedHead(of: object, deadline: deadline) != nil
    }

    /// Whether the adopted object is still there, in the version that was adopted.
    package func stillExists(_ adopted: AdoptedCertificate, deadline: UnixInstant) async throws -> Bool {
        try await unmarkedHead(
            of: SystemAObject(adopted), versionID: adopted.storedVersionID, deadline: deadline) != nil
    }

    /// Writes down that a request was given the adopted certificate. An older request changes nothing.
    package func claim(
        _ adopted: AdoptedCertificate, of owner: CertificateOwner, by claim: Claim,
        previous: PreviousPublicKey, deadline: UnixInstant
    ) async throws -> AdoptedCertificate {
        guard adopted.claim.issuedAt <= claim.issuedAt else { return adopted }
        // Also for what was adopted before uses were noted.
        try await noteUse(of: SystemAObject(adopted), by: owner, deadline: deadline)
        let updated = adopted.replacing(facts: adopted.facts.replacing(previous), claim: claim)
        if updated != adopted { try await state.write(updated, at: owner.adoptionKey, deadline: deadline) }
        return updated
    }

    /// Removes system A's object, unless another resource uses it. What was put in its place since stays.
    ///
    /// The resource's own note goes first, then the others are listed: of two resources that are deleted at the same time
    /// one at least sees that nobody is left.
    ///
    /// - Parameter adopted: what was written down of the adoption; nil when nothing was: then the latest version goes
    ///     that is no copy of ours.
    /// - Returns: how many other resources use the object. With any it stays.
    package func remove(
        _ object: SystemAObject, adopted: AdoptedCertificate?, of owner: CertificateOwner, deadline: UnixInstant
    ) async throws -> Int {
        if let adopted, adopted.useIsNoted != true {
            // From here on the record does not stand for a use any more.
            try await state.write(
                adopted.replacing(facts: adopted.facts, claim: adopted.claim), at: owner.adoptionKey,
                deadline: deadline)
        }
        try await state.delete(owner.useKey(of: object), deadline: deadline)
        let others = try await otherUses(of: object, than: owner, deadline: deadline)
        if others == 0, let found = try await unmarkedVersion(of: object, adopted: adopted, deadline: deadline) {
            _ = try await unlessAbsent {
                try await s3.deleteObject(
                    bucket: object.bucket, key: object.key, versionID: found.versionID, deadline: deadline)
            }
        }
        try await state.delete(owner.adoptionKey, deadline: deadline)
        return others
    }

    /// The version of system A's object that was adopted, else the latest one below copies of ours; nil when there is none.
    /// Its id is nil in a bucket that never kept versions.
    private func unmarkedVersion(
        of object: SystemAObject, adopted: AdoptedCertificate?, deadline: UnixInstant
    ) async throws -> (versionID: String?, head: ObjectHead)? {
        if let adopted {
            // In a bucket without versions the key may hold a copy of ours by now.
            return try await unmarkedHead(of: object, versionID: adopted.storedVersionID, deadline: deadline)
                .map { (adopted.storedVersionID, $0) }
        }
        if let current = try await unmarkedHead(of: object, deadline: deadline) { return (current.versionID, current) }
        let versions = try await versions(bucket: object.bucket, key: object.key, deadline: deadline)
        for version in versions where !version.isDeleteMarker {
            if let head = try await unmarkedHead(of: object, versionID: version.versionID, deadline: deadline) {
                return (version.versionID, head)
            }
        }
        return nil
    }

    /// What is at system A's key; nil when nothing is there, or a copy of ours. That one is encrypted under a key with
    /// which this function cannot decrypt: it is not even asked for.
    private func unmarkedHead(
        of object: SystemAObject, versionID: String? = nil, deadline: UnixInstant
    ) async throws -> ObjectHead? {
        let head = try await unlessAbsent {
            try await s3.headObject(
                bucket: object.bucket, key: object.key, versionID: versionID, deadline: deadline)
        }
        return head.flatMap { CertificateMetadata(fields: $0.metadata) == nil ? $0 : nil }
    }

    private func body(
        of object: SystemAObject, versionID: String?, deadline: UnixInstant
    ) async throws -> (head: ObjectHead, body: [UInt8]) {
        do {
            return try await s3.getObject(
                bucket: object.bucket, key: object.key, versionID: versionID, deadline: deadline)
        } catch let error as AWSError where error.code == .invalidResponse {
            throw IssuanceError(
                .unreadable,
                "\(object) is too large to hold a certificate of the earlier provider. Restore the object, or change "
                    + "Rotation to get a new key pair.", cause: error)
        }
    }
}
