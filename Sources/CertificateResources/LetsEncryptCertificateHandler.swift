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
    let defaults: ProviderDefaults
    let clock: any WallClock

    package init(
        store: CertificateStore, services: LetsEncryptServices, defaults: ProviderDefaults, clock: any WallClock
    ) {
        self.store = store
        self.services = services
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
            try await remove(address, by: request, in: context)
        case .logStream, .unknown:
            // CloudFormation invents an id for a Create that it cancelled: the properties say what that Create makes.
            // Properties that cannot be read made nothing.
            guard let address = (try? target(of: request))?.address else { return }
            try await remove(address, by: request, in: context)
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
    func oldAddress(of request: CustomResourceRequest) -> CertificateAddress? {
        request.oldProperties.flatMap {
            try? LetsEncryptCertificateProperties($0, defaults: defaults, account: request.stackID.account)
        }.map { CertificateAddress($0.definition, of: request.owner) }
    }

    private func check(_ address: CertificateAddress, belongsTo owner: CertificateOwner) throws {
        guard address.kind == .letsEncrypt, address.belongs(to: owner), defaults.buckets.contains(address.bucket) else {
            throw IssuanceError(
                .foreignOwner,
                "The physical id names a certificate of another stack, resource or provider: it was left alone.")
        }
    }

    /// Deletes what a failed Update left behind: no Delete will ever name it (case 8). A rollback must not fail over it.
    private func removeAbandoned(
        by request: CustomResourceRequest, current: CertificateAddress, target: Target, in context: ResourceContext
    ) async {
        guard let abandoned = oldAddress(of: request), abandoned != current, abandoned != target.address else { return }
        do {
            try await remove(abandoned, by: request, in: context)
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
    private func remove(
        _ address: CertificateAddress, by request: CustomResourceRequest, in context: ResourceContext
    ) async throws {
        try await store.bury(address, issuedAt: request.issuedAt, deadline: context.deadline)
        let record = try await store.record(at: address, deadline: context.deadline)
        if let record, record.claim.issuedAt > request.issuedAt {
            context.logger.warning("late delete ignored: a later request was given this certificate")
            return
        }
        let contents = try await store.contents(of: address, deadline: context.deadline)
        if let contents, let record, let order = record.settings.order {
            let mayReturn = try await !isReplaced(record, of: request.owner, in: context)
            try await part(with: contents, order, mayReturn: mayReturn, in: context)
        }
        // Copies are of a bundle, which goes after them.
        let asked = try? target(of: request)
        let mayHaveCopies = contents != nil && asked?.address == address
        try await removeCopies(
            of: address, record: record, target: mayHaveCopies ? asked : nil, owner: request.owner, in: context)
        try await store.remove(
            address, of: request.owner, issuedUpTo: request.issuedAt, deadline: context.deadline)
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
    private func part(
        with contents: ObtainedCertificate, _ settings: OrderSettings, mayReturn: Bool, in context: ResourceContext
    ) async throws {
        let request = OrderRequest(
            names: contents.certificate.names,
            authority: CertificateAuthority(
                directory: settings.directory, contact: settings.contact, termsOfServiceAgreed: true),
            keyAlgorithm: contents.keyPair.algorithm, profile: settings.profile,
            preferredChain: settings.preferredChain, holder: settings.holder)
        if settings.revokeOnDelete {
            let account = try await services.accounts.open(request.authority, deadline: context.deadline)
            // RFC 5280, section 5.3.1: cessationOfOperation.
            try await account.revoke(contents.certificate.der, reason: 5, deadline: context.deadline)
            return
        }
        guard mayReturn else { return }
        do {
            try await services.issuer.keep(
                contents.keyPair, pem: contents.pem, for: request, deadline: context.deadline)
        } catch {
            // Nothing depends on it but the authority's limits.
            context.logger.warning(
                "a deleted certificate could not be kept", metadata: ["error.message": "\(Reason(error))"])
        }
    }
}
