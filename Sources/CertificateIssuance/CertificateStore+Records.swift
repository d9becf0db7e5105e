internal import AWSClient
package import PKI
package import Timekeeping

extension CertificateStore {
    package func record(
        at address: CertificateAddress, deadline: UnixInstant
    ) async throws -> CertificateRecord? {
        try await state.document(CertificateRecord.self, at: address.recordKey, deadline: deadline)?.document
    }

    /// The records of all generations of one resource.
    package func records(of owner: CertificateOwner, deadline: UnixInstant) async throws -> [CertificateRecord] {
        try await state.records(
            stackGUID: owner.stackGUID, logicalResourceID: owner.logicalResourceID, deadline: deadline)
    }

    /// Removes the record, unless its claim was issued after `limit`.
    ///
    /// - Returns: what was removed, which may be nothing; nil when the record stays.
    func takeRecord(
        at address: CertificateAddress, issuedUpTo limit: UnixInstant, deadline: UnixInstant
    ) async throws -> CertificateRecord?? {
        for _ in 0..<5 {
            guard
                let (record, etag) = try await state.document(
                    CertificateRecord.self, at: address.recordKey, deadline: deadline)
            else { return .some(nil) }
            guard record.claim.issuedAt <= limit else { return nil }
            let isTaken = try await unlessPreconditionFails {
                _ = try await unlessAbsent {
                    try await s3.deleteObject(
                        bucket: state.name, key: address.recordKey, ifMatch: etag, deadline: deadline)
                }
            }
            if isTaken { return record }
        }
        throw IssuanceError(
            .contention, "The record s3://\(state.name)/\(address.recordKey) keeps changing: try again.")
    }

    /// Writes down that a request was given this generation. With the first record goes the mark of when the generation
    /// is to be renewed.
    ///
    /// - Parameters:
    ///   - facts: as the bundle's metadata has them.
    ///   - names: what the certificate is for.
    ///   - copies: where else it is; nil leaves what is recorded.
    ///   - known: the copies that were recorded when these were made. If others are recorded by now, another delivery of
    ///     the request was faster, and CloudFormation has its answer: those stay.
    ///   - certificateID: how its authority calls it; nil leaves what is recorded.
    ///   - previous: chooses the previous public key from the facts as they are recorded.
    /// - Returns: the facts and the copies to answer with, and the claim that was there before. A request that is older
    ///   than that changes nothing.
    package func claim(
        _ address: CertificateAddress, of owner: CertificateOwner, settings: CertificateSettings, by claim: Claim,
        facts: CertificateFacts, names: [SubjectAlternativeName] = [], copies: CertificateCopies? = nil,
        insteadOf known: CertificateCopies? = nil, certificateID: String? = nil, deadline: UnixInstant,
        previous: (CertificateFacts) async throws -> PreviousPublicKey
    ) async throws -> (facts: CertificateFacts, copies: CertificateCopies?, replaced: Claim?) {
        for _ in 0..<5 {
            let existing = try await state.document(CertificateRecord.self, at: address.recordKey, deadline: deadline)
            // A record of another bundle under the same key is left from one that somebody removed by hand.
            let recorded = existing?.document.facts
            let current =
                recorded.flatMap { $0.certificateFingerprint == facts.certificateFingerprint ? $0 : nil } ?? facts
            let last = existing?.document.claim
            let recordedCopies = existing?.document.copies
            if let last, last.issuedAt > claim.issuedAt { return (current, copies ?? recordedCopies, last) }
            let record = CertificateRecord(
                address: address, owner: owner, settings: settings,
                facts: current.replacing(try await previous(current)),
                names: names.isEmpty ? existing?.document.names : names.map(\.description),
                copies: recordedCopies == known ? copies ?? recordedCopies : recordedCopies,
                certificateID: certificateID ?? existing?.document.certificateID, claim: claim)
            if record == existing?.document { return (record.facts, record.copies, last) }
            if recorded?.certificateFingerprint != facts.certificateFingerprint {
                try await writeAction(for: address, facts: facts, deadline: deadline)
            }
            let written = try await unlessPreconditionFails {
                try await state.write(
                    record, at: address.recordKey, ifNoneMatch: existing == nil, ifMatch: existing?.etag,
                    deadline: deadline)
            }
            if written { return (record.facts, record.copies, last) }
        }
        throw IssuanceError(
            .contention, "The record s3://\(state.name)/\(address.recordKey) keeps changing: try again.")
    }

    /// The key says all: one LIST finds what is due.
    private func writeAction(
        for address: CertificateAddress, facts: CertificateFacts, deadline: UnixInstant
    ) async throws {
        _ = try await s3.putObject(
            bucket: state.name, key: address.actionKey(facts), body: [], deadline: deadline)
    }

    func removeAction(
        of address: CertificateAddress, facts: CertificateFacts, deadline: UnixInstant
    ) async throws {
        _ = try await unlessAbsent {
            try await s3.deleteObject(
                bucket: state.name, key: address.actionKey(facts), deadline: deadline)
        }
    }
}
