internal import CertificateIssuance
internal import CustomResource
internal import Logging
internal import PKI
internal import Timekeeping

extension BackendCertificateHandler {
    /// Makes the generation that is asked for, or finds it again.
    ///
    /// - Parameters:
    ///   - currentKey: the public key that the resource has until now, when it is another generation's.
    ///   - own: the object that system A made for the resource, when the update leaves that.
    func obtain(
        _ target: Target, replacing currentKey: String?, own: SystemAObject? = nil,
        for request: CustomResourceRequest, in context: ResourceContext
    ) async throws -> ResourceOutcome {
        let owner = request.owner
        if let facts = try await store.find(target.address, of: owner, deadline: context.deadline),
            try await !store.removeIfCondemned(
                target.address, of: owner, facts: facts, claim: request.claim, deadline: context.deadline)
        {
            return try await reuse(target, facts: facts, replacing: currentKey, for: request, in: context)
        }
        if request.requestType == .update, own == nil,
            let outcome = try await returnToAdopted(target, from: currentKey, for: request, in: context)
        {
            return outcome
        }
        try request.checkNames(BackendCertificateProperties.names)
        try await store.stopIfBuried(
            target.address, of: owner, claim: request.claim, deadline: context.deadline)
        let stable = target.properties.settings.stableS3Key
        if stable {
            try await store.checkStableKey(
                for: target.address, owner: owner, own: own, deadline: context.deadline)
        }

        // From here on another delivery of the request may succeed although this one fails: only under this id does the
        // rollback's Delete find what that one stored.
        context.progress.willStore(as: PhysicalResourceID.certificate(target.address).text)
        // A bundle that somebody removed by hand: servers still show its key.
        let lostKey =
            request.requestType == .update && currentKey == nil
            ? try await store.record(at: target.address, deadline: context.deadline)?.facts.publicKey : nil
        async let issued = issuer.issue(target.properties.definition, generation: target.address.generation)
        async let previous = previousKey(target, currentKey: currentKey ?? lostKey, recorded: nil)
        let bundle = try await issued
        let facts = CertificateFacts(
            bundle.certificate, previousPublicKey: try await previous, requestID: request.requestID,
            issuedAt: request.issuedAt)

        var copy: String?
        let stored: CertificateFacts?
        do {
            if stable {
                // Before the bundle: once that is there, a repeated delivery finds it and has no key to copy any more.
                copy = try await store.writeStableCopy(
                    of: bundle, at: target.address, owner: owner, facts: facts, deadline: context.deadline)
            }
            let isCreated = try await store.create(
                bundle, at: target.address, of: owner, facts: facts, deadline: context.deadline)
            // What is there may be our own, and only the answer to its write was lost.
            stored =
                isCreated ? facts : try await store.find(target.address, of: owner, deadline: context.deadline)
            if stored?.certificateFingerprint == facts.certificateFingerprint {
                return try await finish(target, facts: facts, for: request, in: context) { $0.previous }
            }
        } catch {
            await removeUnclaimed(target, for: request, in: context)
            throw error
        }
        guard let stored else {
            throw IssuanceError(.cancelled, "The certificate was deleted while it was being made: try again.")
        }
        // Another delivery of the request was faster.
        if let copy {
            try await store.removeStableCopy(of: target.address, versionID: copy, deadline: context.deadline)
        }
        return try await reuse(target, facts: stored, replacing: currentKey, for: request, in: context)
    }

    /// Returns a generation that is there already: a repeated request, a rollback, or an update of something else.
    private func reuse(
        _ target: Target, facts: CertificateFacts, replacing currentKey: String?,
        for request: CustomResourceRequest, in context: ResourceContext
    ) async throws -> ResourceOutcome {
        if facts.notAfter <= clock.now {
            guard request.requestType != .create || facts.requestID == request.requestID else {
                throw IssuanceError(
                    .expired,
                    "A certificate with these properties was kept from before and expired \(facts.notAfter): change "
                        + "Rotation to get a new one.")
            }
            context.logger.warning(
                "certificate has expired: change Rotation", metadata: ["certificate.not_after": "\(facts.notAfter)"])
        }
        // A key that was there before is not this Create's to clean up, should it fail.
        if facts.requestID == request.requestID {
            context.progress.willStore(as: PhysicalResourceID.certificate(target.address).text)
        }
        if target.properties.settings.stableS3Key {
            try await restoreStableCopy(
                of: target, facts: facts, isReturn: currentKey != nil, for: request, in: context)
        }
        return try await finish(target, facts: facts, for: request, in: context) { recorded in
            try await previousKey(target, currentKey: currentKey, recorded: recorded.previous)
        }
    }

    /// The key cannot be read back, so a copy that was never written can never be.
    ///
    /// - Parameter isReturn: whether the resource has another generation until now: this is a rollback.
    private func restoreStableCopy(
        of target: Target, facts: CertificateFacts, isReturn: Bool, for request: CustomResourceRequest,
        in context: ResourceContext
    ) async throws {
        guard
            try await !store.restoreStableCopy(
                of: target.address, facts: facts, owner: request.owner, for: request.claim,
                deadline: context.deadline)
        else { return }
        guard let record = try await store.record(at: target.address, deadline: context.deadline) else {
            // Nobody was told of this certificate yet. Servers would go on with the key before it.
            throw IssuanceError(
                .stableKeyUnavailable,
                "The copy of the new certificate for StableS3Key could not be written: try again, with another Rotation."
            )
        }
        guard !isReturn || !record.settings.stableS3Key else {
            throw cannotReturn(to: SystemAObject(of: target.address), request)
        }
        context.logger.warning("no stable copy of this certificate: change Rotation to get one")
    }

    /// A rollback to a key that is gone must not be called a success: the load balancer would trust what nobody has.
    func cannotReturn(to object: SystemAObject, _ request: CustomResourceRequest) -> IssuanceError {
        IssuanceError(
            .unrestorable,
            "The key that the stack rolls back to is not at \(object) any more. Restore that object and continue the "
                + "rollback, or continue without this resource and then set a new Rotation: aws cloudformation "
                + "continue-update-rollback --stack-name \(request.stackID) --resources-to-skip "
                + request.logicalResourceID)
    }

    /// Writes down what belongs to a bundle that is there, and answers with it.
    private func finish(
        _ target: Target, facts: CertificateFacts, for request: CustomResourceRequest, in context: ResourceContext,
        previous: (CertificateFacts) async throws -> PreviousPublicKey
    ) async throws -> ResourceOutcome {
        let owner = request.owner
        let claimed: CertificateFacts
        let replaced: Claim?
        do {
            (claimed, _, replaced) = try await store.claim(
                target.address, of: owner, settings: target.properties.settings, by: request.claim, facts: facts,
                names: try target.properties.definition.names, deadline: context.deadline, previous: previous)
        } catch {
            // A Delete that ended meanwhile did not see what was written since, and no other will come.
            try await store.stopIfBuried(
                target.address, of: owner, claim: request.claim, facts: facts, deadline: context.deadline)
            throw error
        }
        // Last of all: a Delete leaves its tombstone before it looks for what to remove, so one of the two sees the
        // other.
        try await store.stopIfBuried(
            target.address, of: owner, claim: request.claim, facts: facts, replaced: replaced,
            deadline: context.deadline)
        return ResourceOutcome(
            physicalResourceID: PhysicalResourceID.certificate(target.address).text,
            attributes: try BackendCertificateAttributes.attributes(
                key: target.address.key, prefix: target.address.prefix, facts: claimed))
    }

    /// The key to trust beside the certificate's own.
    ///
    /// - Parameters:
    ///   - currentKey: of the generation that the resource leaves; nil when it leaves none.
    ///   - recorded: what an earlier answer for the same generation said.
    func previousKey(
        _ target: Target, currentKey: String?, recorded: PreviousPublicKey?
    ) async throws -> PreviousPublicKey {
        if target.properties.trustPrevious {
            if let currentKey { return .trusted(currentKey) }
            if let recorded { return recorded }
        } else if let recorded, recorded.isDiscarded {
            return recorded
        }
        return try await .discarded(like: target.properties.definition.keyAlgorithm)
    }

    /// After a failed Update nothing names what it wrote, so that is removed at once, as well as can be: unless another
    /// delivery of the request has been given it. A Create leaves this to the rollback's Delete.
    private func removeUnclaimed(
        _ target: Target, for request: CustomResourceRequest, in context: ResourceContext
    ) async {
        guard request.requestType == .update else { return }
        do {
            // Whoever is given the generation from now on sees this and stops.
            try await store.bury(target.address, issuedAt: request.issuedAt, deadline: context.deadline)
            guard try await store.record(at: target.address, deadline: context.deadline) == nil else { return }
            try await store.remove(
                target.address, of: request.owner, issuedUpTo: request.issuedAt, deadline: context.deadline)
        } catch {
            // The rollback's Update tries again, and the sweep reports what is left.
            context.logger.warning("what a failed update wrote could not be removed")
        }
    }
}
