package import AWSClient
internal import FoundationEssentials
package import Timekeeping

/// Keeps generations: their bundles in the certificate bucket, what is public about them in the state bucket.
///
/// Every method can be repeated: a second call finds the work of the first done.
package struct CertificateStore: Sendable {
    let s3: S3
    let stateBucket: String
    let keyARN: String
    let clock: any WallClock

    /// - Parameters:
    ///   - s3: with the owner that both buckets must have.
    ///   - stateBucket: the bucket without secrets.
    ///   - keyARN: the KMS key that encrypts bundles.
    package init(s3: S3, stateBucket: String, keyARN: String, clock: any WallClock) {
        self.s3 = s3
        self.stateBucket = stateBucket
        self.keyARN = keyARN
        self.clock = clock
    }
}

extension CertificateStore {
    /// Runs an operation whose "there is no such thing" is an answer, not an error.
    ///
    /// Only 404 counts: without s3:ListBucket S3 says 403 of a missing key, and taking that for absence would hide a
    /// surviving key behind a lost permission (case 11).
    func unlessAbsent<Value>(_ operation: () async throws -> Value) async throws -> Value? {
        do {
            return try await operation()
        } catch let error as AWSError where error.code.meansAbsent {
            return nil
        }
    }

    /// Runs a conditional write. False when its condition does not hold.
    func unlessPreconditionFails(_ write: () async throws -> Void) async throws -> Bool {
        do {
            try await write()
            return true
        } catch let error as AWSError where error.code == .preconditionFailed {
            return false
        }
    }

    func document<Document: Decodable>(
        _ type: Document.Type, at key: String, deadline: UnixInstant
    ) async throws -> (document: Document, etag: String)? {
        guard
            let (head, body) = try await unlessAbsent({
                try await s3.getObject(bucket: stateBucket, key: key, deadline: deadline)
            })
        else { return nil }
        do {
            return (try JSONDecoder().decode(Document.self, from: Data(body)), head.etag)
        } catch {
            throw IssuanceError(
                .unreadable, "s3://\(stateBucket)/\(key) is damaged: delete it, it will be made again.", cause: error)
        }
    }

    func write(
        _ document: some Encodable, at key: String, ifNoneMatch: Bool = false, ifMatch: String? = nil,
        deadline: UnixInstant
    ) async throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        _ = try await s3.putObject(
            bucket: stateBucket, key: key, body: Array(try encoder.encode(document)), contentType: "application/json",
            ifNoneMatch: ifNoneMatch, ifMatch: ifMatch, deadline: deadline)
    }
}

extension AWSError.Code {
    fileprivate var meansAbsent: Bool { [.noSuchKey, .noSuchBucket, .notFound, .noSuchVersion].contains(self) }
}
