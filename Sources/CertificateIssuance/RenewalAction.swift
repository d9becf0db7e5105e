internal import AWSClient
package import Timekeeping

/// A marker in the state bucket that says when a generation is to be renewed. Its key says all:
/// `actions/<due, ISO minute>/<stack GUID>.<LogicalId>.<generation>`.
package struct RenewalAction: Hashable, Sendable {
    package static let root = "actions/"

    package let key: String
    /// `2027-09-02T07:25Z`
    package let minute: String
    package let stackGUID: String
    package let logicalResourceID: String
    package let generation: Generation

    /// Nil for a key that is no marker of ours.
    package init?(key: String) {
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] + "/" == Self.root, parts[1].utf8.count == 17 else { return nil }
        let names = parts[2].split(separator: ".", omittingEmptySubsequences: false)
        guard names.count == 3, !names[0].isEmpty, !names[1].isEmpty, let generation = Generation(names[2]) else {
            return nil
        }
        self.key = key
        self.minute = String(parts[1])
        self.stackGUID = String(names[0])
        self.logicalResourceID = String(names[1])
        self.generation = generation
    }

    /// What the marker points at.
    package var recordKey: String { "records/\(stackGUID)/\(logicalResourceID)/\(generation).json" }
}

extension StateBucket {
    /// The markers that are due, the longest overdue first. One LIST for each thousand of them, however many there are
    /// in all.
    package func dueActions(at now: UnixInstant, deadline: UnixInstant) async throws -> [RenewalAction] {
        // `~` comes behind everything that a marker of this minute can go on with.
        let end = "\(RenewalAction.root)\(now.iso8601.prefix(16))Z~"
        return try await s3.listObjects(bucket: name, prefix: RenewalAction.root, before: end, deadline: deadline)
            .compactMap { RenewalAction(key: $0.key) }
    }

    /// What the marker stands for; nil when it points at nothing.
    package func record(of action: RenewalAction, deadline: UnixInstant) async throws -> CertificateRecord? {
        try await record(at: action.recordKey, deadline: deadline)?.document
    }

    /// A record that is what its key says.
    ///
    /// - Throws: ``IssuanceError/Code/unreadable`` also for one that names another stack, resource or generation: whoever
    ///   can write a record must not have another stack updated.
    package func record(
        at key: String, deadline: UnixInstant
    ) async throws -> (document: CertificateRecord, etag: String)? {
        guard let found = try await document(CertificateRecord.self, at: key, deadline: deadline) else { return nil }
        let record = found.document
        guard let address = record.address, address.recordKey == key,
            address.logicalResourceID == record.logicalResourceID,
            record.stackID.split(separator: "/").last.map(String.init) == address.stackGUID
        else {
            throw IssuanceError(
                .unreadable,
                "s3://\(name)/\(key) is the record of another certificate (\(record.logicalResourceID) of stack "
                    + "\(record.stackID)): delete it, it will be made again.")
        }
        return found
    }

    /// The records of all generations of one resource.
    package func records(
        stackGUID: String, logicalResourceID: String, deadline: UnixInstant
    ) async throws -> [CertificateRecord] {
        let keys = try await s3.listObjects(
            bucket: name, prefix: "records/\(stackGUID)/\(logicalResourceID)/", deadline: deadline)
        var records: [CertificateRecord] = []
        for key in keys.map(\.key) where !key.hasSuffix("/adopted.json") {
            if let record = try await document(CertificateRecord.self, at: key, deadline: deadline)?.document {
                records.append(record)
            }
        }
        return records
    }

    /// Writes a marker for another look at a generation.
    package func mark(
        _ address: CertificateAddress, at instant: UnixInstant, deadline: UnixInstant
    ) async throws {
        _ = try await s3.putObject(bucket: name, key: address.actionKey(at: instant), body: [], deadline: deadline)
    }

    package func remove(_ action: RenewalAction, deadline: UnixInstant) async throws {
        try await delete(action.key, deadline: deadline)
    }

    /// Keys below a prefix, in their order.
    package func keys(below prefix: String, deadline: UnixInstant) async throws -> [String] {
        try await s3.listObjects(bucket: name, prefix: prefix, deadline: deadline).map(\.key)
    }
}

extension CertificateRecord {
    /// Nil for a record whose key is not one of ours.
    package var address: CertificateAddress? { CertificateAddress(bucket: bucket, key: key) }
}
