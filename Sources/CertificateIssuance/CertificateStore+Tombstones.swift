internal import AWSClient
package import Timekeeping

extension CertificateStore {
    /// Leaves word that a Delete of the generation came, for a request that is still running or comes again. A Delete
    /// that is delivered late does not make an earlier one of a later.
    package func bury(_ address: CertificateAddress, issuedAt: UnixInstant, deadline: UnixInstant) async throws {
        for _ in 0..<5 {
            let existing = try await state.document(Tombstone.self, at: address.tombstoneKey, deadline: deadline)
            let tombstone = Tombstone(
                issuedAt: max(issuedAt, existing?.document.issuedAt ?? issuedAt), writtenAt: clock.now)
            let isWritten = try await unlessPreconditionFails {
                try await state.write(
                    tombstone, at: address.tombstoneKey, ifNoneMatch: existing == nil, ifMatch: existing?.etag,
                    deadline: deadline)
            }
            if isWritten { return }
        }
        throw IssuanceError(
            .contention, "The note s3://\(state.name)/\(address.tombstoneKey) keeps changing: try again.")
    }

    /// Stops a request that was issued before the last Delete of the generation, and removes what it may have written
    /// after that Delete, unless a request issued later has found it and counts on it.
    ///
    /// - Parameters:
    ///   - facts: of the bundle that the request found, if it found one.
    ///   - replaced: the claim in whose place the request's own was written.
    /// - Throws: ``IssuanceError/Code/cancelled``.
    package func stopIfBuried(
        _ address: CertificateAddress, of owner: CertificateOwner, claim: Claim, facts: CertificateFacts? = nil,
        replaced: Claim? = nil, deadline: UnixInstant
    ) async throws {
        guard let tombstone = try await tombstone(of: address, deadline: deadline) else { return }
        guard tombstone.stops(claim, at: clock.now) else {
            guard let facts, facts.issuedAt <= tombstone.issuedAt,
                (replaced?.issuedAt ?? facts.issuedAt) <= tombstone.issuedAt
            else { return }
            // That Delete came while the request ran, and need not have seen its claim.
            throw IssuanceError(.cancelled, "This certificate is being deleted by an earlier request: try again.")
        }
        try await remove(address, of: owner, issuedUpTo: tombstone.issuedAt, facts: facts, deadline: deadline)
        throw IssuanceError(
            .cancelled, "CloudFormation deleted this certificate while it was being made: nothing was kept.")
    }

    /// Whether a Delete of the generation may still be under way, or was given up: it was made before that Delete, and no
    /// request was given it since.
    package func isCondemned(
        _ address: CertificateAddress, facts: CertificateFacts, claim: Claim, deadline: UnixInstant
    ) async throws -> Bool {
        guard let tombstone = try await condemning(address, facts: facts, claim: claim, deadline: deadline) else {
            return false
        }
        let given = try await record(at: address, deadline: deadline)?.claim.issuedAt ?? facts.issuedAt
        return given <= tombstone.issuedAt
    }

    private func condemning(
        _ address: CertificateAddress, facts: CertificateFacts, claim: Claim, deadline: UnixInstant
    ) async throws -> Tombstone? {
        guard facts.issuedAt < claim.issuedAt,
            let tombstone = try await tombstone(of: address, deadline: deadline),
            facts.issuedAt <= tombstone.issuedAt, !tombstone.stops(claim, at: clock.now)
        else { return nil }
        return tombstone
    }

    /// Ends a Delete that may still be under way, or was given up: a generation that was made before it, and given to
    /// no request since, is not found again but made anew.
    ///
    /// - Returns: whether the generation was removed.
    package func removeIfCondemned(
        _ address: CertificateAddress, of owner: CertificateOwner, facts: CertificateFacts, claim: Claim,
        deadline: UnixInstant
    ) async throws -> Bool {
        guard
            let tombstone = try await condemning(address, facts: facts, claim: claim, deadline: deadline)
        else { return false }
        return try await remove(address, of: owner, issuedUpTo: tombstone.issuedAt, deadline: deadline)
    }

    /// Nil when there is none that still counts.
    private func tombstone(of address: CertificateAddress, deadline: UnixInstant) async throws -> Tombstone? {
        let tombstone = try await state.document(Tombstone.self, at: address.tombstoneKey, deadline: deadline)?.document
        return tombstone.flatMap { $0.counts(at: clock.now) ? $0 : nil }
    }
}
