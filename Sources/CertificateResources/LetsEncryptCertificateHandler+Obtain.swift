internal import ACME
internal import AWSClient
internal import CertificateIssuance
internal import CustomResource
internal import Logging
internal import PKI
internal import Timekeeping

extension LetsEncryptCertificateHandler {
    /// Orders the generation that is asked for, or finds it again.
    ///
    /// - Parameter current: the generation that the resource has until now, when it is another one.
    func obtain(
        _ target: Target, replacing current: CertificateAddress?, for request: CustomResourceRequest,
        in context: ResourceContext
    ) async throws -> ResourceOutcome {
        let (owner, address) = (request.owner, target.address)
        let shared = try await sharedARN(target, current: current, in: context)
        if let facts = try await store.find(address, of: owner, deadline: context.deadline),
            try await !removeIfCondemned(target, facts: facts, for: request, in: context)
        {
            return try await reuse(target, facts, replacing: current, shared: shared, for: request, in: context)
        }
        try request.checkNames(LetsEncryptCertificateProperties.names)
        // A delivery of this request that was killed after its Delete may have made copies.
        try await stopIfBuried(target, for: request, in: context)
        if let shared {
            try await copiesInACM(target).checkReplaceable(
                shared, by: target.properties.definition.keyAlgorithm, deadline: context.deadline)
        }
        // From here on another delivery of the request may succeed although this one fails: only under this id does the
        // rollback's Delete find what that one stored.
        context.progress.willStore(as: PhysicalResourceID.certificate(address).text)
        let facts = try await order(
            target, replaces: certificateID(of: current, for: target, in: context), for: request, in: context)
        return try await finish(target, facts, replacing: current, shared: shared, for: request, in: context)
    }

    /// Ends a Delete that was given up. Its copies go first, and what was ordered is kept: it is wanted again.
    private func removeIfCondemned(
        _ target: Target, facts: CertificateFacts, for request: CustomResourceRequest, in context: ResourceContext
    ) async throws -> Bool {
        let (owner, address, deadline) = (request.owner, target.address, context.deadline)
        guard
            try await store.isCondemned(
                address, facts: facts, claim: request.claim, deadline: deadline),
            let contents = try await store.contents(of: address, deadline: deadline)
        else { return false }
        let record = try await store.record(at: address, deadline: deadline)
        try await removeCopies(of: address, record: record, target: target, owner: owner, in: context)
        if let order = target.properties.settings.order, !order.revokeOnDelete {
            try await part(with: contents, order, mayReturn: true, in: context)
        }
        return try await store.removeIfCondemned(
            address, of: owner, facts: facts, claim: request.claim, deadline: deadline)
    }

    /// Orders the certificate and stores its bundle.
    private func order(
        _ target: Target, replaces: CertificateID?, for request: CustomResourceRequest, in context: ResourceContext
    ) async throws -> CertificateFacts {
        let store = store
        let (owner, address, deadline) = (request.owner, target.address, context.deadline)
        let definition = target.properties.definition
        let order = target.properties.request
        let origin = (requestID: request.requestID, issuedAt: request.issuedAt)
        return try await services.issuer.obtain(
            order, for: address.key, solver: services.solver(for: target.properties.challenge), replaces: replaces,
            deadline: deadline,
            find: { try await store.find(address, of: owner, deadline: deadline) },
            save: { obtained in
                // Nobody verifies a front end by its key, so there is no key to be trusted beside it.
                let facts = CertificateFacts(
                    obtained.certificate, previousPublicKey: .trusted(obtained.keyPair.publicKey.base64),
                    requestID: origin.requestID, issuedAt: origin.issuedAt)
                let bundle = CertificateBundle(
                    keyPair: obtained.keyPair, certificate: obtained.certificate, chainPEM: obtained.chainPEM,
                    appName: definition.appName, appDomain: order.firstName,
                    generation: address.generation.description)
                let isCreated = try await store.create(
                    bundle, at: address, of: owner, facts: facts, deadline: deadline)
                if isCreated { return facts }
                guard let stored = try await store.find(address, of: owner, deadline: deadline) else {
                    throw IssuanceError(.cancelled, "The certificate was deleted while it was being made: try again.")
                }
                return stored
            })
    }

    /// What the new certificate takes the place of: an authority may let such an order through its limits (RFC 9773,
    /// section 5). Nil when another account has ordered it.
    private func certificateID(
        of current: CertificateAddress?, for target: Target, in context: ResourceContext
    ) async throws -> CertificateID? {
        guard let current, let order = target.properties.settings.order,
            let record = try await store.record(at: current, deadline: context.deadline),
            record.settings.order?.directory == order.directory, record.settings.order?.contact == order.contact
        else { return nil }
        return record.certificateID.flatMap { CertificateID($0) }
    }

    /// Returns a generation that is there already: a repeated request, a rollback, or an update of something else.
    private func reuse(
        _ target: Target, _ facts: CertificateFacts, replacing current: CertificateAddress?, shared: String?,
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
        // A certificate that was there before is not this Create's to clean up, should it fail.
        if facts.requestID == request.requestID {
            context.progress.willStore(as: PhysicalResourceID.certificate(target.address).text)
        }
        return try await finish(target, facts, replacing: current, shared: shared, for: request, in: context)
    }

    /// Puts copies where they are asked for, writes down what belongs to the bundle, and answers with it.
    private func finish(
        _ target: Target, _ facts: CertificateFacts, replacing current: CertificateAddress?, shared: String?,
        for request: CustomResourceRequest, in context: ResourceContext
    ) async throws -> ResourceOutcome {
        let address = target.address
        guard let contents = try await store.contents(of: address, deadline: context.deadline) else {
            throw IssuanceError(.cancelled, "The certificate was deleted while it was being stored: try again.")
        }
        let settled: Settled
        do {
            settled = try await settle(target, facts, contents, shared: shared, for: request, in: context)
        } catch {
            // A Delete that ended meanwhile did not see what was written since, and no other will come.
            try await stopIfBuried(target, contents, facts: facts, for: request, in: context)
            throw error
        }
        // Last of all: a Delete leaves its tombstone before it looks for what to remove, so one of the two sees the other.
        try await stopIfBuried(target, contents, facts: facts, settled: settled, for: request, in: context)
        return ResourceOutcome(
            physicalResourceID: PhysicalResourceID.certificate(address).text,
            attributes: try LetsEncryptCertificateAttributes.attributes(
                address, facts: settled.facts, copies: settled.copies))
    }

    /// What has been written down of a generation.
    private struct Settled {
        let facts: CertificateFacts
        let replaced: Claim?
        let copies: CertificateCopies?
    }

    /// Copies the certificate and writes the record. The first time one request after the other: nothing tells ACM that two
    /// imports are the same.
    private func settle(
        _ target: Target, _ facts: CertificateFacts, _ contents: ObtainedCertificate, shared: String?,
        for request: CustomResourceRequest, in context: ResourceContext
    ) async throws -> Settled {
        let address = target.address
        let existing = try await store.record(at: address, deadline: context.deadline)
        // Only the account that has ordered it may revoke it, whatever the properties say now.
        let isKnown = existing?.facts.certificateFingerprint == facts.certificateFingerprint
        let settings = target.properties.settings.ordered(by: isKnown ? existing?.settings.order : nil)
        let work: @Sendable () async throws -> Settled = {
            let copies = try await putCopies(target, contents, shared: shared, of: request.owner, in: context)
            let (claimed, recorded, replaced) = try await store.claim(
                address, of: request.owner, settings: settings, by: request.claim, facts: facts,
                names: target.properties.definition.names, copies: copies, insteadOf: existing?.copies,
                certificateID: contents.certificateID, deadline: context.deadline
            ) { $0.previous }
            return Settled(facts: claimed, replaced: replaced, copies: recorded)
        }
        guard !target.properties.definition.importTargets.isEmpty, existing?.copies == nil else {
            return try await work()
        }
        return try await services.issuer.alone(target.properties.request, deadline: context.deadline, work)
    }

    /// Stops a request whose generation was deleted while it ran. That Delete may not have seen the copies that were made
    /// since, nor the certificate itself, which the next try shall have.
    private func stopIfBuried(
        _ target: Target, _ contents: ObtainedCertificate? = nil, facts: CertificateFacts? = nil,
        settled: Settled? = nil, for request: CustomResourceRequest, in context: ResourceContext
    ) async throws {
        let (owner, address) = (request.owner, target.address)
        do {
            try await store.stopIfBuried(
                address, of: owner, claim: request.claim, facts: facts, replaced: settled?.replaced,
                deadline: context.deadline)
        } catch let error as IssuanceError where error.code == .cancelled {
            if try await store.find(address, of: owner, deadline: context.deadline) == nil {
                try await removeCopies(
                    of: address, record: nil, made: settled?.copies, target: target, owner: owner, in: context)
                if let contents, let order = target.properties.settings.order {
                    try await part(with: contents, order, mayReturn: true, in: context)
                }
            }
            throw error
        }
    }
}
