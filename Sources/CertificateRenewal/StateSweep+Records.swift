internal import AWSClient
internal import CertificateIssuance
internal import Logging
internal import Timekeeping

extension StateSweep {
    /// Records: those of bundles in use have their marker; those of nothing go.
    func sweepRecords(_ keys: [String], deadline: UnixInstant, logger: Logger) async throws -> SweepReport {
        // `records/<stack GUID>/…`: CloudFormation is asked once for all of a stack.
        let byStack = Dictionary(grouping: keys.filter { !$0.hasSuffix("/adopted.json") }) { key in
            String(key.split(separator: "/").dropFirst().first ?? "")
        }
        return try await forEach(Array(byStack.values)) { keys in
            var found = SweepReport(startedAt: now)
            var inventory: StackInventory?
            for key in keys {
                found.tally.records += 1
                guard let (record, etag) = try await record(at: key, logger: logger, deadline: deadline) else {
                    found.tally.unreadable += 1
                    continue
                }
                if inventory?.stackID != record.stackID {
                    inventory = try await StackInventory(
                        record.stackID, home: home, cloudFormation: environment.cloudFormation, deadline: deadline)
                }
                guard let inventory, let address = record.address, address.recordKey == key,
                    address.bucket == bundles.bucket
                else {
                    found.tally.undecided += 1
                    continue
                }
                let bundle = try await bundles.head(of: address, deadline: deadline)
                switch (bundle, try await inventory.standing(of: address, deadline: deadline)) {
                case (nil, .stackDeleted):
                    if try await remove(key, etag: etag, deadline: deadline) { found.tally.recordsRemoved += 1 }
                case (nil, _):
                    found.tally.undecided += 1
                case (.some, .named):
                    found.tally.markersWritten += try await mendMarker(of: record, deadline: deadline)
                case (.some, .undecided):
                    found.tally.undecided += 1
                    found.tally.markersWritten += try await mendMarker(of: record, deadline: deadline)
                case (.some(let bundle), .unnamed):
                    guard isOlder(bundle.writtenAt, than: Self.orphanAge) else { continue }
                    found.add(
                        Orphan(
                            address, stackID: record.stackID, facts: record.facts,
                            reason: "The stack's \(address.logicalResourceID) names another certificate."
                                + Self.copies(record)))
                    // Renewal would rotate the stack for a certificate that it has no more.
                    try await removeMarker(of: record, deadline: deadline)
                case (.some(let bundle), .stackDeleted):
                    guard isOlder(bundle.writtenAt, than: Self.orphanAge) else { continue }
                    found.add(
                        Orphan(
                            address, stackID: record.stackID, facts: record.facts,
                            reason: "Its stack is deleted, and left it."))
                    try await removeMarker(of: record, deadline: deadline)
                }
            }
            return found
        }
    }

    /// A clean-up leaves copies alone that are in use for long.
    private static func copies(_ record: CertificateRecord) -> String {
        let copies = [record.copies?.certificateARN, record.copies?.serverCertificateARN].compactMap { $0 }
        return copies.isEmpty ? "" : " Its copies may still be there: \(copies.joined(separator: ", "))."
    }

    /// Nil for a record that is gone, or that cannot be read: that is told, and the others are gone through.
    func record(
        at key: String, logger: Logger, deadline: UnixInstant
    ) async throws -> (document: CertificateRecord, etag: String)? {
        do {
            return try await state.record(at: key, deadline: deadline)
        } catch let error as IssuanceError {
            logger.error("a record cannot be read", metadata: ["error.message": "\(text(of: error))"])
            return nil
        }
    }

    /// Only as it was read: a request that is given the generation meanwhile writes the record anew.
    private func remove(_ key: String, etag: String, deadline: UnixInstant) async throws -> Bool {
        try await unlessPreconditionFails { try await state.delete(key, ifMatch: etag, deadline: deadline) }
    }

    /// - Returns: how many markers were missing.
    func mendMarker(of record: CertificateRecord, deadline: UnixInstant) async throws -> Int {
        guard let key = record.actionKey else { return 0 }
        return try await state.writeMarker(key, deadline: deadline) ? 1 : 0
    }

    private func removeMarker(of record: CertificateRecord, deadline: UnixInstant) async throws {
        guard let key = record.actionKey else { return }
        try await state.delete(key, deadline: deadline)
    }
}
