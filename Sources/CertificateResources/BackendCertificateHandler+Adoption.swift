internal import CertificateIssuance
internal import CustomResource
internal import Logging
internal import Timekeeping

/// Resources that system A's function made: their stacks know them by the name of a log stream (case 26).
extension BackendCertificateHandler {
    /// Keeps the key pair and echoes the id until a rotation: a new id would bring a Delete of the live object.
    func updateAdopted(
        _ physicalResourceID: String, to target: Target, for request: CustomResourceRequest,
        in context: ResourceContext
    ) async throws -> ResourceOutcome {
        let adopted = try await adoption(physicalResourceID, target: target, for: request, in: context)
        guard let adopted else {
            return try await obtain(target, replacing: nil, for: request, in: context)
        }
        await removeAbandoned(
            by: request, current: Generation(adopted.generation), target: target, in: context)
        guard adopted.generation == target.address.generation.description else {
            let key = target.properties.trustPrevious ? adopted.facts.publicKey : nil
            return try await obtain(target, replacing: key, adopted: adopted, for: request, in: context)
        }
        return try await keep(adopted, previous: adopted.facts.previous, for: request, target: target, in: context)
    }

    /// Rolls back to the adopted certificate; nil when that is not what the properties describe.
    func returnToAdopted(
        _ target: Target, from currentKey: String?, for request: CustomResourceRequest,
        in context: ResourceContext
    ) async throws -> ResourceOutcome? {
        guard let adopted = try await store.adopted(by: request.owner, deadline: context.deadline),
            adopted.generation == target.address.generation.description,
            try await store.stillExists(adopted, deadline: context.deadline)
        else { return nil }
        if target.properties.settings.stableS3Key {
            _ = try await store.restoreStableCopy(
                of: target.address, owner: request.owner, adopted: adopted, for: request.claim,
                deadline: context.deadline)
        }
        let previous = try await previousKey(target, currentKey: currentKey, recorded: adopted.facts.previous)
        return try await keep(adopted, previous: previous, for: request, target: target, in: context)
    }

    func deleteAdopted(
        _ physicalResourceID: String, for request: CustomResourceRequest, in context: ResourceContext
    ) async throws {
        let target = try? target(of: request)
        var adopted = try await store.adopted(by: request.owner, deadline: context.deadline)
        if adopted == nil, let target {
            // The first that we hear of the resource is its Delete: what system A left is the object of its name.
            adopted = try await adopt(
                [target.properties.definition], physicalResourceID, target: target, for: request, in: context)
        }
        // Another log stream's name stands for an object that system A itself has replaced since.
        guard let adopted, adopted.physicalResourceID == physicalResourceID else { return }
        guard adopted.claim.issuedAt <= request.issuedAt else {
            context.logger.warning("late delete ignored: a later request was given this certificate")
            return
        }
        if let target {
            // An update that Lambda delivers again after this would find nothing, and make what was deleted anew.
            try await store.bury(target.address, issuedAt: request.issuedAt, deadline: context.deadline)
        }
        try await store.remove(adopted, of: request.owner, deadline: context.deadline)
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
        _ physicalResourceID: String, target: Target, for request: CustomResourceRequest, in context: ResourceContext
    ) async throws -> AdoptedCertificate? {
        if let adopted = try await store.adopted(by: request.owner, deadline: context.deadline) {
            return try await store.stillExists(adopted, deadline: context.deadline) ? adopted : nil
        }
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
