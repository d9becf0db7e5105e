internal import ACME
package import CertificateIssuance
package import CustomResource
internal import Diagnostics
internal import Logging
internal import PKI
package import Timekeeping

/// `Custom::LetsEncryptCertificate`: a certificate that everybody trusts, for what stands in front of an application.
///
/// Reading order: this file has the three requests; `+Obtain` orders a generation or finds it again; `+Copies` keeps what
/// ACM and IAM have of it.
package struct LetsEncryptCertificateHandler: ResourceHandler {
    let store: CertificateStore
    let services: LetsEncryptServices
    let deployments: any StackDeployments
    let defaults: ProviderDefaults
    let clock: any WallClock

    package init(
        store: CertificateStore, services: LetsEncryptServices, deployments: any StackDeployments,
        defaults: ProviderDefaults, clock: any WallClock
    ) {
        self.store = store
        self.services = services
        self.deployments = deployments
        self.defaults = defaults
        self.clock = clock
    }

    package func create(
        _ request: CustomResourceRequest, in context: ResourceContext
    ) async throws -> ResourceOutcome {
        try await obtain(try target(of: request), replacing: nil, for: request, in: context)
    }

    package func update(
        _ request: CustomResourceRequest, of physicalResourceID: String, in context: ResourceContext
    ) async throws -> ResourceOutcome {
        let target = try target(of: request)
        guard case .certificate(let current) = PhysicalResourceID(physicalResourceID) else {
            // Known by an id that is not ours: the old properties say which generation it is.
            let outcome = try await obtain(target, replacing: oldAddress(of: request), for: request, in: context)
            guard oldAddress(of: request) == target.address else { return outcome }
            return ResourceOutcome(physicalResourceID: physicalResourceID, attributes: outcome.attributes)
        }
        try check(current, belongsTo: request.owner)
        await removeAbandoned(by: request, current: current, target: target, in: context)
        return try await obtain(
            target, replacing: current == target.address ? nil : current, for: request, in: context)
    }

    package func delete(
        _ request: CustomResourceRequest, of physicalResourceID: String, in context: ResourceContext
    ) async throws {
        switch PhysicalResourceID(physicalResourceID) {
        case .certificate(let address):
            try check(address, belongsTo: request.owner)
            let cleanUp = CleanUp(deployments: deployments, store: store, clock: clock)
            guard try await cleanUp.allows(request, key: address.key, in: context) else { return }
            try await remove(address, asked: try? target(of: request), by: request, in: context)
        case .logStream, .unknown:
            // CloudFormation invents an id for a Create that it cancelled: the properties say what that Create makes.
            // Properties that cannot be read made nothing.
            guard let asked = try? target(of: request) else { return }
            try await remove(asked.address, asked: asked, by: request, in: context)
        }
    }
}

extension LetsEncryptCertificateHandler {
    /// What a request asks for.
    struct Target: Hashable, Sendable {
        let properties: LetsEncryptCertificateProperties
        let address: CertificateAddress
    }

    func target(of request: CustomResourceRequest) throws(CustomResourceError) -> Target {
        let properties = try LetsEncryptCertificateProperties(
            request.properties, defaults: defaults, account: request.stackID.account)
        return Target(
            properties: properties, address: CertificateAddress(properties.definition, of: request.owner))
    }

    /// Nil when there are no old properties or they cannot be read (case 12).
    func oldTarget(of request: CustomResourceRequest) -> Target? {
        request.oldProperties.flatMap {
            try? LetsEncryptCertificateProperties($0, defaults: defaults, account: request.stackID.account)
        }.map { Target(properties: $0, address: CertificateAddress($0.definition, of: request.owner)) }
    }

    func oldAddress(of request: CustomResourceRequest) -> CertificateAddress? { oldTarget(of: request)?.address }

    private func check(_ address: CertificateAddress, belongsTo owner: CertificateOwner) throws {
        guard address.kind == .letsEncrypt, address.belongs(to: owner), defaults.buckets.contains(address.bucket) else {
            throw IssuanceError(
                .foreignOwner,
                "The physical id names a certificate of another stack, resource or provider: it was left alone. If stack "
                    + "refactoring moved the resource here, move it back; or give it a DeletionPolicy of Retain, and take it "
                    + "out.")
        }
    }

    /// Deletes what a failed Update left behind: no Delete will ever name it (case 8). A rollback must not fail over it.
    private func removeAbandoned(
        by request: CustomResourceRequest, current: CertificateAddress, target: Target, in context: ResourceContext
    ) async {
        guard let abandoned = oldTarget(of: request), abandoned.address != current, abandoned.address != target.address
        else { return }
        do {
            try await remove(abandoned.address, asked: abandoned, by: request, in: context)
        } catch {
            context.logger.warning(
                "what a failed update left could not be removed", metadata: ["error.message": "\(Reason(error))"])
        }
    }

    /// Removes a generation for good. Its key is kept for whoever wants the same within a week, unless it is revoked or
    /// a later generation took its place.
    ///
    /// The tombstone is there before anybody looks for what to remove, so of this request and one that makes or finds the
    /// generation at the same time one sees the other. The bundle goes last: a repeated removal finds there what else
    /// belongs to it.
    ///
    /// - Parameter asked: what the generation was made for, as far as properties tell it. A request that failed half-way
    ///   has left no record.
    private func remove(
        _ address: CertificateAddress, asked: Target?, by request: CustomResourceRequest, in context: ResourceContext
    ) async throws {
        try await store.bury(address, issuedAt: request.issuedAt, deadline: context.deadline)
        let record = try await store.record(at: address, deadline: context.deadline)
        if let record, record.claim.issuedAt > request.issuedAt {
            context.logger.warning("late delete ignored: a later request was given this certificate")
            return
        }
        let contents = try await store.contents(of: address, deadline: context.deadline)
        // Copies are of a bundle, which goes after them.
        let asked = contents != nil && asked?.address == address ? asked : nil
        do {
            try await removeCopies(
                of: address, record: record, target: asked, owner: request.owner,
                patience: min(context.deadline, clock.now.advanced(by: Self.patience)), in: context)
        } catch let error as IssuanceError where error.code == .inUse {
            if try await isOneOfSeveral(address, of: request.owner, in: context) {
                // While CloudFormation waits for a clean-up nobody can update the stack. The bundle and its record stay as
                // well: by them the sweep knows of it, and reports it.
                context.logger.warning(
                    "a replaced certificate was kept: its copy is still in use",
                    metadata: ["s3.key": "\(address.key)", "error.message": "\(Reason(error))"])
                return
            }
            // With its stack a certificate has time.
            try await removeCopies(of: address, record: record, target: asked, owner: request.owner, in: context)
        }
        // Only now: as long as something shows it, it must not be revoked, nor be given to anybody else.
        if let contents, let order = record?.settings.order ?? asked?.properties.settings.order {
            var mayReturn = true
            if let record { mayReturn = try await !isReplaced(record, of: request.owner, in: context) }
            try await part(with: contents, order, mayReturn: mayReturn, in: context)
        }
        try await store.remove(
            address, of: request.owner, issuedUpTo: request.issuedAt, deadline: context.deadline)
    }

    /// How long an update's clean-up waits for what still uses a copy. CloudFront may need longer to give one up.
    private static let patience: Duration = .seconds(120)

    /// Whether the resource has another certificate, so that this one goes without its stack.
    private func isOneOfSeveral(
        _ address: CertificateAddress, of owner: CertificateOwner, in context: ResourceContext
    ) async throws -> Bool {
        try await store.records(of: owner, deadline: context.deadline).contains { $0.key != address.key }
    }

    /// Whether it goes because a later one came. That may have been asked for because somebody knows its key, so a
    /// further rotation must not bring it back. What a failed update made has no later one.
    private func isReplaced(
        _ record: CertificateRecord, of owner: CertificateOwner, in context: ResourceContext
    ) async throws -> Bool {
        try await store.records(of: owner, deadline: context.deadline).contains {
            $0.key != record.key && $0.facts.issuedAt > record.facts.issuedAt
        }
    }

    /// Revokes the certificate, or keeps it for the next who wants the same.
    func part(
        with contents: ObtainedCertificate, _ settings: OrderSettings, mayReturn: Bool, in context: ResourceContext
    ) async throws {
        let request = OrderRequest(
            names: contents.certificate.names,
            authority: CertificateAuthority(
                directory: settings.directory, contact: settings.contact, termsOfServiceAgreed: true),
            keyAlgorithm: contents.keyPair.algorithm, profile: settings.profile,
            preferredChain: settings.preferredChain, holder: settings.holder)
        if settings.revokeOnDelete {
            // Nobody trusts it any more, and no authority revokes it.
            guard contents.certificate.notAfter > clock.now else { return }
            return try await revoke(contents, by: request.authority, in: context)
        }
        guard mayReturn else { return }
        do {
            // Another order for the same names may be under way for long.
            try await services.issuer.keep(
                contents.keyPair, pem: contents.pem, for: request,
                deadline: min(context.deadline, clock.now.advanced(by: .seconds(60))))
        } catch {
            // Nothing depends on it but the authority's limits.
            context.logger.warning(
                "a deleted certificate could not be kept", metadata: ["error.message": "\(Reason(error))"])
        }
    }

    /// A stack must not be stuck over a certificate that its CA does not know any more.
    private func revoke(
        _ contents: ObtainedCertificate, by authority: CertificateAuthority, in context: ResourceContext
    ) async throws {
        do {
            // RFC 5280, section 5.3.1: cessationOfOperation.
            try await services.accounts.revoke(
                contents.certificate, with: contents.keyPair, reason: 5, of: authority, deadline: context.deadline)
        } catch let error as ACMEError
            where [.problem(.unauthorized), .problem(.accountDoesNotExist)].contains(error.code)
        {
            context.logger.error("a certificate could not be revoked", metadata: ["error.message": "\(Reason(error))"])
        }
    }
}
