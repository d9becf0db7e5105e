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
    package func adopt(
        _ candidates: [CertificateDefinition], as physicalResourceID: String, by owner: CertificateOwner, claim: Claim,
        deadline: UnixInstant, previous: () async throws -> PreviousPublicKey
    ) async throws -> AdoptedCertificate? {
        var found: (address: CertificateAddress, head: ObjectHead, body: [UInt8])?
        for definition in candidates where found == nil {
            let address = CertificateAddress(definition, of: owner)
            // A copy of ours is encrypted under a key with which this function cannot decrypt: not even asked for.
            guard
                let head = try await unlessAbsent({
                    try await s3.headObject(bucket: address.bucket, key: address.stableKey, deadline: deadline)
                }), CertificateMetadata(fields: head.metadata) == nil,
                let object = try await unlessAbsent({
                    try await s3.getObject(
                        bucket: address.bucket, key: address.stableKey, versionID: head.versionID, deadline: deadline)
                })
            else { continue }
            found = (address, object.head, object.body)
        }
        guard let (address, head, body) = found else { return nil }
        let bundle = try SystemABundle(body, named: "s3://\(address.bucket)/\(address.stableKey)")
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

    /// Whether the adopted object is still there, in the version that was adopted.
    package func stillExists(_ adopted: AdoptedCertificate, deadline: UnixInstant) async throws -> Bool {
        try await unlessAbsent {
            try await s3.headObject(
                bucket: adopted.bucket, key: adopted.key, versionID: adopted.versionID, deadline: deadline)
        } != nil
    }

    /// Writes down that a request was given the adopted certificate. An older request changes nothing.
    package func claim(
        _ adopted: AdoptedCertificate, of owner: CertificateOwner, by claim: Claim,
        previous: PreviousPublicKey, deadline: UnixInstant
    ) async throws -> AdoptedCertificate {
        guard adopted.claim.issuedAt <= claim.issuedAt else { return adopted }
        let updated = adopted.replacing(facts: adopted.facts.replacing(previous), claim: claim)
        if updated != adopted { try await state.write(updated, at: owner.adoptionKey, deadline: deadline) }
        return updated
    }

    /// Removes the adopted object in the version that was adopted, and nothing that was put there since.
    package func remove(
        _ adopted: AdoptedCertificate, of owner: CertificateOwner, deadline: UnixInstant
    ) async throws {
        let head = try await unlessAbsent {
            try await s3.headObject(
                bucket: adopted.bucket, key: adopted.key, versionID: adopted.versionID, deadline: deadline)
        }
        // In a bucket without versions the key may hold a copy of ours by now.
        if let head, CertificateMetadata(fields: head.metadata) == nil {
            _ = try await unlessAbsent {
                try await s3.deleteObject(
                    bucket: adopted.bucket, key: adopted.key, versionID: adopted.versionID, deadline: deadline)
            }
        }
        _ = try await unlessAbsent {
            try await s3.deleteObject(bucket: state.name, key: owner.adoptionKey, deadline: deadline)
        }
    }
}
