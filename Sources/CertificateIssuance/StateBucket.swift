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
        guard let (body, etag) = try await body(at: key, deadline: deadline) else { return nil }
        if let version = (try? JSONDecoder().decode(Format.self, from: Data(body)))?.version, version > Format.known {
            throw IssuanceError(
                .laterFormat,
                "s3://\(name)/\(key) has format version \(version), and this version of StackCert reads version "
                    + "\(Format.known): update the provider stack and the command to the version that wrote it.")
        }
        do {
            return (try JSONDecoder().decode(Document.self, from: Data(body)), etag)
        } catch {
            throw damaged(key, cause: error)
        }
    }

    /// The ETag of a document that cannot be read, with which it can be replaced; nil when it is gone, or when `read`
    /// can read it after all.
    ///
    /// - Parameter read: reads the document. It runs after the ETag is known: what somebody writes meanwhile has another
    ///   one, and stays.
    package func etagOfDamaged(
        _ key: String, deadline: UnixInstant, read: () async throws -> Void
    ) async throws -> String? {
        guard
            let head = try await unlessAbsent({
                try await s3.headObject(bucket: name, key: key, deadline: deadline)
            })
        else { return nil }
        do {
            try await read()
            return nil
        } catch let error as IssuanceError where error.code == .unreadable {
            return head.etag
        }
    }

    /// What every document begins with.
    private struct Format: Decodable {
        static let known = 1

        let version: Int?
    }

    private func body(at key: String, deadline: UnixInstant) async throws -> (body: [UInt8], etag: String)? {
        do {
            return try await unlessAbsent {
                let (head, body) = try await s3.getObject(bucket: name, key: key, deadline: deadline)
                return (body, head.etag)
            }
        } catch let error as AWSError where error.code == .invalidResponse {
            // Such as more than a document can be.
            throw damaged(key, cause: error)
        }
    }

    private func damaged(_ key: String, cause: any Error) -> IssuanceError {
        IssuanceError(.unreadable, "s3://\(name)/\(key) is damaged: delete it, it will be made again.", cause: cause)
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
        let body = Array(try encoder.encode(document))
        do {
            return try await s3.putObject(
                bucket: name, key: key, body: body, contentType: "application/json", ifNoneMatch: ifNoneMatch,
                ifMatch: ifMatch, deadline: deadline
            ).etag
        } catch let error as AWSError where error.code == .preconditionFailed && error.mayHaveBeenCarriedOut {
            // The first try's response was lost: what the second one runs into may be the first one's document.
            guard let written = try await self.body(at: key, deadline: deadline), written.body == body else {
                throw error
            }
            return written.etag
        }
    }

    /// Nothing happens when there is no such object, or none any more: somebody else was faster, and it is gone.
    ///
    /// - Parameter ifMatch: only if the object still has this ETag; if there is another one, ``AWSError`` with `preconditionFailed`.
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
