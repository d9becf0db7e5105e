package import CertificateIssuance
package import CustomResource
internal import Diagnostics
internal import Logging
package import Timekeeping

/// `Custom::ElbBackendCertificate`: a key pair and a self-signed certificate for the servers behind a load balancer.
///
/// Reading order: this file has the three requests; `+Obtain` makes or finds a generation; `+Adoption` keeps what
/// system A made.
package struct BackendCertificateHandler: ResourceHandler {
    let store: CertificateStore
    let issuer: SelfSignedIssuer
    let deployments: any StackDeployments
    let defaults: ProviderDefaults
    let clock: any WallClock

    package init(
        store: CertificateStore, issuer: SelfSignedIssuer, deployments: any StackDeployments,
        defaults: ProviderDefaults, clock: any WallClock
    ) {
        self.store = store
        self.issuer = issuer
        self.deployments = deployments
        self.defaults = defaults
        self.clock = clock
    }

    package func create(
        _ request: CustomResourceRequest, in context: ResourceContext
    ) async throws -> ResourceOutcome {
        let target = try target(of: request)
        return try await obtain(target, replacing: nil, for: request, in: context)
    }

    package func update(
        _ request: CustomResourceRequest, of physicalResourceID: String, in context: ResourceContext
    ) async throws -> ResourceOutcome {
        let target = try target(of: request)
        switch PhysicalResourceID(physicalResourceID) {
        case .certificate(let current):
            try check(current, belongsTo: request.owner)
            await removeAbandoned(by: request, current: current.generation, target: target, in: context)
            let currentKey = try await publicKey(of: current, unless: target, owner: request.owner, in: context)
            return try await obtain(target, replacing: currentKey, for: request, in: context)
        case .logStream:
            return try await updateAdopted(physicalResourceID, to: target, for: request, in: context)
        case .unknown:
            // The resource is known by an id that is not ours, so the old properties say what it is: an object of system A,
            // whose function may have had ids of another form, or a generation.
            if try await isMadeBySystemA(target, of: request, in: context) {
                return try await updateAdopted(physicalResourceID, to: target, for: request, in: context)
            }
            let current = oldAddress(of: request)
            let currentKey = try await publicKey(of: current, unless: target, owner: request.owner, in: context)
            let outcome = try await obtain(target, replacing: currentKey, for: request, in: context)
            guard current == target.address else { return outcome }
            return ResourceOutcome(physicalResourceID: physicalResourceID, attributes: outcome.attributes)
        }
    }

    package func delete(
        _ request: CustomResourceRequest, of physicalResourceID: String, in context: ResourceContext
    ) async throws {
        switch PhysicalResourceID(physicalResourceID) {
        case .certificate(let address):
            try check(address, belongsTo: request.owner)
            guard try await mayRemove(address.key, by: request, in: context) else { return }
            try await bury(address, by: request, in: context)
        case .logStream:
            let object = (try? target(of: request)).map { SystemAObject(of: $0.address) }
            guard try await mayRemove(object?.key ?? "", by: request, in: context) else { return }
            try await deleteAdopted(physicalResourceID, for: request, in: context)
        case .unknown:
            // CloudFormation invents an id for a Create that it cancelled: the properties say what that Create makes.
            // Properties that cannot be read made nothing.
            guard let address = (try? target(of: request))?.address else { return }
            if try await store.adopted(by: request.owner, deadline: context.deadline) != nil {
                return try await deleteAdopted(physicalResourceID, for: request, in: context)
            }
            try await bury(address, by: request, in: context)
            let object = SystemAObject(of: address)
            if try await store.isThere(object, deadline: context.deadline) {
                context.logger.warning(
                    "a private key of the earlier provider was left: the physical id is not one of its log streams",
                    metadata: ["s3.object": "\(object)"])
            }
        }
    }
}

extension BackendCertificateHandler {
    private func mayRemove(
        _ key: String, by request: CustomResourceRequest, in context: ResourceContext
    ) async throws -> Bool {
        try await CleanUp(deployments: deployments, store: store, clock: clock).allows(
            request, key: key, in: context)
    }

    /// What a request asks for.
    struct Target: Hashable, Sendable {
        let properties: BackendCertificateProperties
        let address: CertificateAddress
    }

    func target(of request: CustomResourceRequest) throws(CustomResourceError) -> Target {
        let properties = try BackendCertificateProperties(request.properties, defaults: defaults)
        return Target(
            properties: properties, address: CertificateAddress(properties.definition, of: request.owner))
    }

    /// Nil when there are none or they cannot be read (case 12).
    func oldProperties(of request: CustomResourceRequest) -> BackendCertificateProperties? {
        request.oldProperties.flatMap { try? BackendCertificateProperties($0, defaults: defaults) }
    }

    /// The generation of the old properties.
    func oldAddress(of request: CustomResourceRequest) -> CertificateAddress? {
        oldProperties(of: request).map { CertificateAddress($0.definition, of: request.owner) }
    }

    private func check(_ address: CertificateAddress, belongsTo owner: CertificateOwner) throws {
        guard address.belongs(to: owner) else {
            throw IssuanceError(
                .foreignOwner,
                "The physical id names a certificate of another stack or resource: it was left alone. If stack refactoring "
                    + "moved the resource here, move it back; or give it a DeletionPolicy of Retain, and take it out.")
        }
        guard defaults.buckets.contains(address.bucket) else {
            throw IssuanceError(
                .foreignOwner,
                "The certificate is in bucket \(address.bucket), which this provider does not serve: update the provider "
                    + "stack with CertificateBucketName and UseExistingBucket for that bucket.")
        }
    }

    /// The public key of the generation that an update leaves, also when its bundle is lost; nil when it stays.
    private func publicKey(
        of current: CertificateAddress?, unless target: Target, owner: CertificateOwner, in context: ResourceContext
    ) async throws -> String? {
        guard let current, current != target.address else { return nil }
        if let facts = try await store.find(current, of: owner, deadline: context.deadline) { return facts.publicKey }
        return try await store.record(at: current, deadline: context.deadline)?.facts.publicKey
    }

    /// Deletes what a failed Update left behind: CloudFormation still knows the resource by the id from before it, and
    /// no Delete will ever name what that Update wrote (case 8).
    ///
    /// A rollback must not fail over it: what cannot be removed is told in the log.
    func removeAbandoned(
        by request: CustomResourceRequest, current: Generation?, target: Target, in context: ResourceContext
    ) async {
        guard let abandoned = oldAddress(of: request), abandoned.generation != current,
            abandoned.generation != target.address.generation
        else { return }
        do {
            // Lambda may still deliver the failed Update again: it must not bring back what is removed here.
            try await bury(abandoned, by: request, in: context)
        } catch {
            context.logger.warning(
                "what a failed update left could not be removed", metadata: ["error.message": "\(Reason(error))"])
        }
    }

    /// Removes a generation for good: its tombstone is there before anybody looks for what to remove, so of this request
    /// and one that makes or finds the generation at the same time one sees the other.
    func bury(
        _ address: CertificateAddress, by request: CustomResourceRequest, in context: ResourceContext
    ) async throws {
        try await store.bury(address, issuedAt: request.issuedAt, deadline: context.deadline)
        let isRemoved = try await store.remove(
            address, of: request.owner, issuedUpTo: request.issuedAt, deadline: context.deadline)
        if !isRemoved {
            context.logger.warning("late delete ignored: a later request was given this certificate")
        }
    }
}

extension CustomResourceRequest {
    var owner: CertificateOwner {
        CertificateOwner(
            stackID: stackID.description, stackGUID: stackID.guid, logicalResourceID: logicalResourceID)
    }

    var claim: Claim { Claim(requestID: requestID, issuedAt: issuedAt) }
}
