package import Timekeeping

extension CertificateStore {
    /// Leaves word that a Delete of the generation came, for a Create that is still running or comes again.
    package func bury(_ address: CertificateAddress, issuedAt: UnixInstant, deadline: UnixInstant) async throws {
        try await write(
            Tombstone(issuedAt: issuedAt, writtenAt: clock.now), at: address.tombstoneKey, deadline: deadline)
    }

    /// Stops a request that was issued before the last Delete of the generation, and removes what it may have written
    /// after that Delete, unless a request issued later has found it and counts on it.
    ///
    /// - Throws: ``IssuanceError/Code/cancelled``.
    package func stopIfBuried(
        _ address: CertificateAddress, of owner: CertificateOwner, claim: Claim, deadline: UnixInstant
    ) async throws {
        guard
            let tombstone = try await document(Tombstone.self, at: address.tombstoneKey, deadline: deadline)?.document,
            tombstone.stops(claim, at: clock.now)
        else { return }
        try await remove(address, of: owner, issuedUpTo: tombstone.issuedAt, deadline: deadline)
        throw IssuanceError(
            .cancelled, "CloudFormation deleted this certificate while it was being made: nothing was kept.")
    }
}
