package import AWSClient
package import Timekeeping

/// What a walk through the whole bucket needs: it never has more than a page of it in memory.
extension StateBucket {
    /// Objects below a prefix, in the order of their keys, those behind `key` only.
    package func page(
        below prefix: String, after key: String?, count: Int, deadline: UnixInstant
    ) async throws -> (objects: [ObjectSummary], isLast: Bool) {
        try await s3.listObjectsPage(
            bucket: name, prefix: prefix, startAfter: key, maxKeys: count, deadline: deadline)
    }

    package func exists(_ key: String, deadline: UnixInstant) async throws -> Bool {
        try await unlessAbsent { try await s3.headObject(bucket: name, key: key, deadline: deadline) } != nil
    }

    /// Writes a marker unless it is there.
    ///
    /// - Returns: whether it was missing.
    package func writeMarker(_ key: String, deadline: UnixInstant) async throws -> Bool {
        if try await exists(key, deadline: deadline) { return false }
        return try await unlessPreconditionFails {
            _ = try await s3.putObject(bucket: name, key: key, body: [], ifNoneMatch: true, deadline: deadline)
        }
    }
}

extension CertificateRecord {
    /// When the generation is to be renewed, as the marker's key says it. Nil for a record that is none of ours.
    package var actionKey: String? {
        guard let address else { return nil }
        return address.actionKey(facts)
    }
}
