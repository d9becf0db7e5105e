internal import AWSClient
internal import CertificateIssuance
internal import Logging
internal import Timekeeping

extension StateSweep {
    /// Bundles without a record, or with one that cannot be read: those in use get one again, of what their metadata says; the others are reported.
    func sweepBundles(
        _ objects: [ObjectSummary], deadline: UnixInstant, logger: Logger
    ) async throws -> SweepReport {
        var all = SweepReport(startedAt: now)
        var lost: [CertificateAddress] = []
        for object in objects {
            all.tally.bundles += 1
            guard let address = CertificateAddress(bucket: bundles.bucket, key: object.key) else {
                all.tally.unreadable += 1
                logger.warning("an object that is no bundle", metadata: ["sweep.key": "\(object.key)"])
                continue
            }
            do {
                // Bundles that have a record were looked at with it.
                if try await state.record(at: address.recordKey, deadline: deadline) != nil { continue }
                // A young bundle's record may be about to be written.
                guard isOlder(object.lastModified, than: Self.grace) else { continue }
            } catch let error as IssuanceError {
                // What a later version wrote is left to that version.
                guard error.code == .unreadable else { continue }
            }
            lost.append(address)
        }
        let stacks = try await stacks(of: lost, deadline: deadline, logger: logger)
        all.add(
            try await forEach(lost) { address in
                try await sweepBundle(
                    at: address, stackID: stacks[address.stackGUID], deadline: deadline, logger: logger)
            })
        return all
    }

    private func sweepBundle(
        at address: CertificateAddress, stackID: String?, deadline: UnixInstant, logger: Logger
    ) async throws -> SweepReport {
        var found = SweepReport(startedAt: now)
        guard let bundle = try await bundles.head(of: address, deadline: deadline) else { return found }
        guard let metadata = bundle.metadata, metadata.generation == address.generation else {
            found.tally.unreadable = 1
            logger.warning("an object that is no bundle of ours", metadata: ["sweep.key": "\(address.key)"])
            return found
        }
        func report(_ reason: String) {
            guard isOlder(bundle.writtenAt, than: Self.orphanAge) else { return }
            found.add(Orphan(address, stackID: stackID, facts: metadata.facts, reason: reason))
        }
        let owner = stackID.map {
            CertificateOwner(
                stackID: $0, stackGUID: address.stackGUID, logicalResourceID: address.logicalResourceID)
        }
        guard let owner, owner.digest == metadata.ownerDigest else {
            report("No stack of this account and region is known that it belongs to (\(address.stackGUID)).")
            return found
        }
        let inventory = try await StackInventory(
            owner.stackID, home: home, cloudFormation: environment.cloudFormation, deadline: deadline)
        switch try await inventory.standing(of: address, deadline: deadline) {
        case .named:
            try await restoreRecord(
                of: address, owner: owner, facts: metadata.facts, to: &found, logger: logger,
                deadline: deadline)
        case .undecided: found.tally.undecided = 1
        case .unnamed: report("The stack's \(address.logicalResourceID) names another certificate.")
        case .stackDeleted: report("Its stack is deleted, and left it.")
        }
        return found
    }

    private func restoreRecord(
        of address: CertificateAddress, owner: CertificateOwner, facts: CertificateFacts, to found: inout SweepReport,
        logger: Logger, deadline: UnixInstant
    ) async throws {
        var siblings: [CertificateRecord] = []
        let resource = "\(CertificateRecord.root)\(owner.stackGUID)/\(owner.logicalResourceID)/"
        for key in try await state.keys(below: resource, deadline: deadline) where !key.hasSuffix("/adopted.json") {
            if let sibling = try await record(at: key, logger: logger, deadline: deadline)?.document {
                siblings.append(sibling)
            }
        }
        let newest = siblings.max { $0.claim.issuedAt < $1.claim.issuedAt }
        let record = CertificateRecord(
            address: address, owner: owner, settings: newest?.settings ?? .assumed, facts: facts,
            claim: Claim(requestID: facts.requestID, issuedAt: facts.issuedAt))
        // The marker first, as when the record is first written: a record without one would never be renewed.
        found.tally.markersWritten += try await mendMarker(of: record, deadline: deadline)
        let damaged = try await state.etagOfDamaged(address.recordKey, deadline: deadline) {
            _ = try await state.record(at: address.recordKey, deadline: deadline)
        }
        let isWritten = try await unlessPreconditionFails {
            try await state.write(
                record, at: address.recordKey, ifNoneMatch: damaged == nil, ifMatch: damaged, deadline: deadline)
        }
        guard isWritten else { return }
        found.tally.recordsWritten += 1
        try await state.delete(UnreadableRecord.noteKey(recordKey: address.recordKey), deadline: deadline)
    }

    /// The ARNs of stacks, by their last parts, which are all that a bundle's key has: from another record of the stack,
    /// or else from CloudFormation's list.
    private func stacks(
        of addresses: [CertificateAddress], deadline: UnixInstant, logger: Logger
    ) async throws -> [String: String] {
        var found: [String: String] = [:]
        var wanted = Set(addresses.map(\.stackGUID))
        for guid in wanted {
            let page = try await state.page(
                below: "\(CertificateRecord.root)\(guid)/", after: nil, count: 10, deadline: deadline)
            for key in page.objects.map(\.key) where found[guid] == nil && !key.hasSuffix("/adopted.json") {
                found[guid] = try await record(at: key, logger: logger, deadline: deadline)?.document.stackID
            }
        }
        wanted.subtract(found.keys)
        guard !wanted.isEmpty else { return found }
        var token: String?
        repeat {
            let page = try await environment.cloudFormation.listStacks(after: token, deadline: deadline)
            for id in page.ids {
                guard let guid = id.split(separator: "/").last.map(String.init), wanted.remove(guid) != nil else {
                    continue
                }
                found[guid] = id
            }
            token = page.next
        } while token != nil && !wanted.isEmpty
        return found
    }
}
