internal import AWSClient
internal import CertificateIssuance
internal import CustomResource
internal import Logging
internal import PKI
internal import Timekeeping

/// What ACM and IAM have of a generation.
extension LetsEncryptCertificateHandler {
    func copiesInACM(_ target: Target) throws -> ACMCopies {
        try services.acm(region: target.properties.definition.importRegion)
    }

    /// The ARN that all generations share, when the properties ask for that and there is one already.
    func sharedARN(
        _ target: Target, current: CertificateAddress?, in context: ResourceContext
    ) async throws -> String? {
        guard target.properties.settings.order?.stableCertificateARN == true else { return nil }
        for address in [current, target.address].compactMap({ $0 }) {
            if let record = try await store.record(at: address, deadline: context.deadline),
                record.settings.order?.stableCertificateARN == true, let arn = record.copies?.certificateARN
            {
                return arn
            }
        }
        return nil
    }

    /// Nil when no copies are asked for.
    func putCopies(
        _ target: Target, _ contents: ObtainedCertificate, shared: String?, of owner: CertificateOwner,
        in context: ResourceContext
    ) async throws -> CertificateCopies? {
        let definition = target.properties.definition
        guard !definition.importTargets.isEmpty else { return nil }
        let copy = CertificateCopy(
            keyPair: contents.keyPair, certificate: contents.certificate, chain: contents.chain,
            label: label(of: target.address, owner: owner))
        let known = try await store.record(at: target.address, deadline: context.deadline)?.copies
        var arn: String?
        if definition.importTargets.contains(.acm) {
            let acm = try copiesInACM(target)
            if let shared {
                // A rollback to what has run out meanwhile must not fail over it: what the ARN shows stays.
                if try await !acm.restore(shared, to: copy, deadline: context.deadline) {
                    context.logger.warning(
                        "the certificate ran out and cannot be put back into ACM: change Rotation",
                        metadata: ["acm.arn": "\(shared)"])
                }
                arn = shared
            } else {
                arn = try await acm.importOnce(copy, knownARN: known?.certificateARN, deadline: context.deadline)
            }
        }
        guard definition.importTargets.contains(.iam) else { return CertificateCopies(certificateARN: arn) }
        let uploaded = try await services.iam(path: definition.importPath)
            .uploadOnce(copy, deadline: context.deadline)
        return CertificateCopies(
            certificateARN: arn, serverCertificateARN: uploaded.arn, serverCertificateName: uploaded.name)
    }

    /// Deletes the copies of a generation. An ARN that other generations share goes to the latest of them instead: with it
    /// the consumers go back to what was before.
    ///
    /// - Parameters:
    ///   - target: what was asked for, where copies may have been made and not written down: the request was
    ///   stopped in between. Nil where there can be none but those of the record.
    ///   - made: copies of which no record tells.
    ///   - patience: until when to wait for what still uses a copy, if not until the deadline.
    func removeCopies(
        of address: CertificateAddress, record: CertificateRecord?, made: CertificateCopies? = nil, target: Target?,
        owner: CertificateOwner, patience: UnixInstant? = nil, in context: ResourceContext
    ) async throws {
        let label = label(of: address, owner: owner)
        let known = record?.copies ?? made
        let wanted = known == nil ? target?.properties.definition.importTargets ?? [] : []
        let order = record?.settings.order ?? target?.properties.settings.order
        if known?.serverCertificateName != nil || wanted.contains(.iam) {
            try await services.iam(path: order?.importPath)
                .remove(label, patience: patience, deadline: context.deadline)
        }
        guard known?.certificateARN != nil || wanted.contains(.acm) else { return }
        let acm = try services.acm(region: order?.importRegion)
        if order?.stableCertificateARN == true {
            let heirs = try await store.records(of: owner, deadline: context.deadline).filter {
                $0.key != address.key && $0.settings.order?.stableCertificateARN == true
                    && $0.copies?.certificateARN != nil
                    && (known?.certificateARN == nil || $0.copies?.certificateARN == known?.certificateARN)
            }
            if let heir = heirs.max(by: { $0.claim.issuedAt < $1.claim.issuedAt }) {
                try await giveBack(to: heir, through: acm, owner: owner, in: context)
                return
            }
            if let arn = known?.certificateARN {
                return try await acm.remove(shared: arn, deadline: context.deadline)
            }
        }
        let names =
            try await store.contents(of: address, deadline: context.deadline)?.certificate.names
            ?? target?.properties.definition.names
        try await acm.remove(
            label, names: names, knownARN: known?.certificateARN, patience: patience, deadline: context.deadline)
    }

    /// Puts an earlier generation's certificate back under the ARN that all share.
    private func giveBack(
        to heir: CertificateRecord, through acm: ACMCopies, owner: CertificateOwner, in context: ResourceContext
    ) async throws {
        guard let address = heir.address, let arn = heir.copies?.certificateARN,
            let contents = try await store.contents(of: address, deadline: context.deadline)
        else { return }
        let copy = CertificateCopy(
            keyPair: contents.keyPair, certificate: contents.certificate, chain: contents.chain,
            label: label(of: address, owner: owner))
        if try await !acm.restore(arn, to: copy, deadline: context.deadline) {
            context.logger.warning(
                "what was there before ran out, or its ARN is gone: ACM shows what it did",
                metadata: ["acm.arn": "\(arn)"])
        }
    }

    private func label(of address: CertificateAddress, owner: CertificateOwner) -> CopyLabel {
        CopyLabel(generation: address.generation, owner: owner, appName: address.appName)
    }
}
