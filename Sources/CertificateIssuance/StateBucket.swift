package import AWSClient
internal import FoundationEssentials
package import Timekeeping

/// The bucket without secrets: records, actions, tombstones and the renewals that are under way.
package struct StateBucket: Sendable {
    let s3: S3
    package let name: String

    /// - Parameter s3: with the owner that the bucket must have.
    package init(_ name: String, s3: S3) {
        self.name = name
        self.s3 = s3
    }

    /// One JSON document; nil when there is none.
    package func document<Document: Decodable>(
        _ type: Document.Type, at key: String, deadline: UnixInstant
    ) async throws -> (document: Document, etag: String)? {
        guard
            let (head, body) = try await unlessAbsent({
                try await s3.getObject(bucket: name, key: key, deadline: deadline)
            })
        else { return nil }
        do {
            return (try JSONDecoder().decode(Document.self, from: Data(body)), head.etag)
        } catch {
            throw IssuanceError(
                .unreadable, "s3://\(name)/\(key) is damaged: delete it, it will be made again.", cause: error)
        }
    }

    /// - Parameters:
    ///   - ifNoneMatch: only if there is no such document yet.
    ///   - ifMatch: only if the document still has this ETag.
    /// - Returns: the new ETag.
    /// - Throws: ``AWSError`` with `preconditionFailed` when the condition does not hold.
    @discardableResult
    package func write(
        _ document: some Encodable, at key: String, ifNoneMatch: Bool = false, ifMatch: String? = nil,
        deadline: UnixInstant
    ) async throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try await s3.putObject(
            bucket: name, key: key, body: Array(try encoder.encode(document)), contentType: "application/json",
            ifNoneMatch: ifNoneMatch, ifMatch: ifMatch, deadline: deadline
        ).etag
    }

    /// Nothing happens when there is no such object.
    ///
    /// - Parameter ifMatch: only if the object still has this ETag, else ``AWSError`` with `preconditionFailed`.
    package func delete(_ key: String, ifMatch: String? = nil, deadline: UnixInstant) async throws {
        _ = try await unlessAbsent {
            try await s3.deleteObject(bucket: name, key: key, ifMatch: ifMatch, deadline: deadline)
        }
    }
}

/// Runs an operation whose "there is no such thing" is an answer, not an error.
///
/// Only 404 counts: without s3:ListBucket S3 says 403 of a missing key, and taking that for absence would hide a
/// surviving key behind a lost permission (case 11).
func unlessAbsent<Value>(_ operation: () async throws -> Value) async throws -> Value? {
    do {
        return try await operation()
    } catch let error as AWSError where error.isMissing {
        return nil
    }
}

/// Runs a conditional write. False when its condition does not hold.
package func unlessPreconditionFails(_ write: () async throws -> Void) async throws -> Bool {
    do {
        try await write()
        return true
    } catch let error as AWSError where error.code == .preconditionFailed {
        return false
    }
}
