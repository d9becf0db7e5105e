package import AWSClient
package import Diagnostics
internal import FoundationEssentials
package import Timekeeping

/// Where accounts' keys and the orders that are under way are kept. All of it is secret.
///
/// Every write is conditional, so that of two processes one learns that the other was faster.
package protocol ACMEStorage: Sendable {
    /// - Parameter name: letters, digits, `-`, `.` and `/` between its parts.
    /// - Returns: nil when there is nothing; the tag names this very content.
    func read(_ name: String, deadline: UnixInstant) async throws -> (bytes: Redacted<[UInt8]>, tag: String)?

    /// - Parameter tag: of the content that is replaced; nil when there must be none.
    /// - Returns: the new content's tag; nil when something else is there, and nothing was written.
    func write(
        _ bytes: Redacted<[UInt8]>, as name: String, replacing tag: String?, deadline: UnixInstant
    ) async throws -> String?
}

/// Below `acme/` in the certificate bucket, encrypted with its key.
package struct BucketACMEStorage: ACMEStorage {
    private let s3: S3
    private let bucket: String
    private let keyARN: String

    package init(s3: S3, bucket: String, keyARN: String) {
        self.s3 = s3
        self.bucket = bucket
        self.keyARN = keyARN
    }

    package func read(
        _ name: String, deadline: UnixInstant
    ) async throws -> (bytes: Redacted<[UInt8]>, tag: String)? {
        try await unlessAbsent {
            let (head, body) = try await s3.getObject(bucket: bucket, key: key(name), deadline: deadline)
            return (Redacted(body), head.etag)
        }
    }

    package func write(
        _ bytes: Redacted<[UInt8]>, as name: String, replacing tag: String?, deadline: UnixInstant
    ) async throws -> String? {
        do {
            return try await s3.putObject(
                bucket: bucket, key: key(name), body: bytes.exposed, contentType: "application/json",
                encryption: .kms(keyARN), ifNoneMatch: tag == nil, ifMatch: tag,
                secret: Redacted(String(decoding: bytes.exposed, as: UTF8.self)), deadline: deadline
            ).etag
        } catch let error as AWSError where error.code == .preconditionFailed {
            // An answer may have been lost on the way, and what is there be our own.
            guard let found = try await read(name, deadline: deadline), found.bytes == bytes else { return nil }
            return found.tag
        }
    }

    private func key(_ name: String) -> String { "acme/\(name)" }
}

extension ACMEStorage {
    /// One JSON document.
    ///
    /// - Throws: ``IssuanceError/Code/unreadable`` without a word of what is in it.
    package func document<Document: Decodable>(
        _ type: Document.Type, at name: String, deadline: UnixInstant
    ) async throws -> (document: Document, tag: String)? {
        guard let (bytes, tag) = try await read(name, deadline: deadline) else { return nil }
        do {
            return (try JSONDecoder().decode(type, from: Data(bytes.exposed)), tag)
        } catch {
            throw IssuanceError(
                .unreadable, "What is stored as acme/\(name) is damaged: delete it, it will be made again.",
                cause: error)
        }
    }

    package func write(
        _ document: some Encodable, as name: String, replacing tag: String?, deadline: UnixInstant
    ) async throws -> String? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try await write(
            Redacted(Array(try encoder.encode(document))), as: name, replacing: tag, deadline: deadline)
    }
}
