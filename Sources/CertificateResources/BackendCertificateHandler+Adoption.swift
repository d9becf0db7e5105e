internal import CertificateIssuance
internal import CustomResource
internal import Diagnostics
internal import Logging
internal import Timekeeping

/// Resources that system A's function made: their stacks know them by the name of a log stream (case 26).
extension BackendCertificateHandler {
    /// Whether a resource whose id has no form that we know was made by system A's function: there is an object of its name,
    /// and no generation of ours that the old properties describe.
    func isMadeBySystemA(
        _ target: Target, of request: CustomResourceRequest, in context: ResourceContext
    ) async throws -> Bool {
        if try await store.adopted(by: request.owner, deadline: context.deadline) != nil { return true }
        let address = oldAddress(of: request) ?? target.address
        guard try await store.find(address, of: request.owner, deadline: context.deadline) == nil else { return false }
        return try await store.isThere(SystemAObject(of: address), deadline: context.deadline)
    }

    /// Keeps the key pair and echoes the id until a rotation: a new id would bring a Delete of the live object.
    func updateAdopted(
        _ physicalResourceID: String, to target: Target, for request: CustomResourceRequest,
        in context: ResourceContext
    ) async throws -> ResourceOutcome {
        // What is written down and cannot be read is not the object: its key is to stay trusted.
        let recorded = try await store.adopted(by: request.owner, deadline: context.deadline)
        let adopted: AdoptedCertificate?
        do {
            adopted = try await adoption(
                physicalResourceID, recorded: recorded, target: target, for: request, in: context)
        } catch let error as IssuanceError where error.code == .unreadable {
            // A rotation does not need the old certificate. Its public key is not known, so it cannot be trusted beside
            // the new one.
            guard let old = oldAddress(of: request), old.generation != target.address.generation else { throw error }
            context.logger.warning(
                "the earlier certificate cannot be read and is not trusted beside the new one",
                metadata: ["error.message": "\(Reason(error))"])
            return try await obtain(target, replacing: nil, own: SystemAObject(of: old), for: request, in: context)
        }
        guard let adopted else {
            return try await obtain(target, replacing: nil, for: request, in: context)
        }
        await removeAbandoned(
            by: request, current: Generation(adopted.generation), target: target, in: context)
        guard adopted.generation == target.address.generation.description else {
            let key = target.properties.trustPrevious ? adopted.facts.publicKey : nil
            return try await obtain(
                target, replacing: key, own: SystemAObject(adopted), for: request, in: context)
        }
        return try await keep(adopted, previous: adopted.facts.previous, for: request, target: target, in: context)
    }

    /// Rolls back to the adopted certificate; nil when that is not what the properties describe.
    func returnToAdopted(
        _ target: Target, from currentKey: String?, for request: CustomResourceRequest,
        in context: ResourceContext
    ) async throws -> ResourceOutcome? {
        guard let adopted = try await store.adopted(by: request.owner, deadline: context.deadline) else {
            try await stopReturnToUnreadable(target, for: request, in: context)
            return nil
        }
        guard adopted.generation == target.address.generation.description else { return nil }
        guard try await store.stillExists(adopted, deadline: context.deadline) else {
            throw cannotReturn(to: SystemAObject(adopted), request)
        }
        if target.properties.settings.stableS3Key {
            let isRestored = try await store.restoreStableCopy(
                of: target.address, owner: request.owner, adopted: adopted, for: request.claim,
                deadline: context.deadline)
            guard isRestored else { throw cannotReturn(to: SystemAObject(adopted), request) }
        }
        let previous = try await previousKey(target, currentKey: currentKey, recorded: adopted.facts.previous)
        return try await keep(adopted, previous: previous, for: request, target: target, in: context)
    }

    /// Stops the rollback of a rotation that went on without the earlier certificate because that could not be read: what
    /// the stack had before is not known, and a new key pair in its place would cut off the running servers.
    private func stopReturnToUnreadable(
        _ target: Target, for request: CustomResourceRequest, in context: ResourceContext
    ) async throws {
        // System A knew no Rotation. Everything else has a generation of ours to return to.
        guard target.properties.definition.rotation == nil, let id = request.physicalResourceID,
            case .certificate = PhysicalResourceID(id)
        else { return }
        let object = SystemAObject(of: target.address)
        guard try await store.uses(object, owner: request.owner, deadline: context.deadline) else { return }
        throw cannotReturn(to: object, request)
    }

    /// Removes system A's object, read or not, unless another resource uses it as well.
    func deleteAdopted(
        _ physicalResourceID: String, for request: CustomResourceRequest, in context: ResourceContext
    ) async throws {
        let target = try? target(of: request)
        let adopted = try await store.adopted(by: request.owner, deadline: context.deadline)
        if let adopted {
            // Another log stream's name stands for an object that system A itself has replaced since.
            guard adopted.physicalResourceID == physicalResourceID else { return }
            guard adopted.claim.issuedAt <= request.issuedAt else {
                context.logger.warning("late delete ignored: a later request was given this certificate")
                return
            }
        }
        // When the first that we hear of the resource is its Delete, system A left the object of its name.
        guard let object = adopted.map(SystemAObject.init) ?? target.map({ SystemAObject(of: $0.address) }) else {
            return
        }
        if let target {
            // An update that Lambda delivers again after this would find nothing, and make what was deleted anew.
            try await store.bury(target.address, issuedAt: request.issuedAt, deadline: context.deadline)
        }
        let others = try await store.remove(
            object, adopted: adopted, of: request.owner, deadline: context.deadline)
        if others > 0 {
            context.logger.notice(
                "private key kept: other resources with this AppName use it",
                metadata: ["s3.object": "\(object)", "resources": "\(others)"])
        }
    }

    private func keep(
        _ adopted: AdoptedCertificate, previous: PreviousPublicKey, for request: CustomResourceRequest,
        target: Target, in context: ResourceContext
    ) async throws -> ResourceOutcome {
        let claimed = try await store.claim(
            adopted, of: request.owner, by: request.claim, previous: previous, deadline: context.deadline)
        return ResourceOutcome(
            physicalResourceID: claimed.physicalResourceID,
            attributes: try BackendCertificateAttributes.attributes(
                key: claimed.key, prefix: target.address.prefix, facts: claimed.facts))
    }

    /// What is adopted under this id already, or the object that the old properties lead to.
    private func adoption(
        _ physicalResourceID: String, recorded: AdoptedCertificate?, target: Target,
        for request: CustomResourceRequest, in context: ResourceContext
    ) async throws -> AdoptedCertificate? {
        if let recorded {
            return try await store.stillExists(recorded, deadline: context.deadline) ? recorded : nil
        }
        // A late delivery must not use again what its Delete has let go.
        try await store.stopIfBuried(
            target.address, of: request.owner, claim: request.claim, deadline: context.deadline)
        let old = oldProperties(of: request).map(\.definition)
        return try await adopt(
            [old, target.properties.definition].compactMap { $0 }, physicalResourceID, target: target, for: request,
            in: context)
    }

    private func adopt(
        _ candidates: [CertificateDefinition], _ physicalResourceID: String, target: Target,
        for request: CustomResourceRequest, in context: ResourceContext
    ) async throws -> AdoptedCertificate? {
        try await store.adopt(
            candidates, as: physicalResourceID, by: request.owner, claim: request.claim, deadline: context.deadline
        ) {
            try await .discarded(like: target.properties.definition.keyAlgorithm)
        }
    }
}
