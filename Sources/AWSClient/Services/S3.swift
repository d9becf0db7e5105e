package import Diagnostics
internal import HTTPTransport
internal import HTTPTypes
internal import SigV4
package import Timekeeping

/// Amazon S3: the operations that keep certificates, with conditional writes.
///
/// Every call throws ``AWSError`` or `CancellationError` and is tried again as the client's policy says. A PUT whose
/// answer was lost may have been carried out: tried again, a conditional one then fails with
/// ``AWSError/Code/preconditionFailed``, and the caller looks at what is there.
package struct S3: Sendable {
    let client: AWSServiceClient
    private let expectedBucketOwner: String?

    /// - Parameter expectedBucketOwner: the account that must own every bucket: a bucket of the same name in somebody
    ///   else's account is then refused with ``AWSError/Code/accessDenied``.
    package init(_ client: AWSServiceClient, expectedBucketOwner: String?) {
        self.client = client
        self.expectedBucketOwner = expectedBucketOwner
    }

    /// Writes a whole object.
    ///
    /// - Parameters:
    ///   - metadata: names are case-insensitive; values are printable ASCII; 2,048 bytes in all at most.
    ///   - ifNoneMatch: write only if there is no object of this key (`If-None-Match: *`); if there is one, the call
    ///     fails with ``AWSError/Code/preconditionFailed``.
    ///   - ifMatch: write only over the object with this entity tag; if there is another one, or none any more, the call
    ///     fails with ``AWSError/Code/preconditionFailed``.
    ///   - secret: a text in the body, such as a private key, that an error must not show should S3 repeat it.
    /// - Throws: also ``AWSError/Code/invalidResponse`` for a success without an entity tag. S3 sends one with each: another
    ///   peer answered, and nothing need be stored.
    package func putObject(
        bucket: String, key: String, body: [UInt8], contentType: String? = nil, metadata: [String: String] = [:],
        encryption: ServerSideEncryption = .none, ifNoneMatch: Bool = false, ifMatch: String? = nil,
        secret: Redacted<String>? = nil, deadline: UnixInstant
    ) async throws -> (etag: String, versionID: String?) {
        var call = try call("PutObject", .put, bucket: bucket, key: key)
        call.body = body
        call.secrets = secret?.lines ?? []
        call.fields[.contentType] = contentType ?? "application/octet-stream"
        call.fields[.ifNoneMatch] = ifNoneMatch ? "*" : nil
        call.fields[.ifMatch] = ifMatch
        switch encryption {
        case .none:
            break
        case .aes256:
            call.fields[named: "x-amz-server-side-encryption"] = "AES256"
        case .kms(let keyID):
            call.fields[named: "x-amz-server-side-encryption"] = "aws:kms"
            call.fields[named: "x-amz-server-side-encryption-aws-kms-key-id"] = keyID
            // With a Bucket Key, which a bucket may have by default, KMS is told the bucket's name instead of the object's,
            // and the policies are about the object's.
            call.fields[named: "x-amz-server-side-encryption-bucket-key-enabled"] = "false"
        }
        try call.setMetadata(metadata)
        let answer: HTTPExchange
        do {
            answer = try await client.send(call, deadline: deadline)
        } catch let error as AWSError where ifMatch != nil && [.noSuchKey, .notFound].contains(error.code) {
            // S3 tells an object that has vanished from one that has changed: to whoever lost the race it is the same.
            throw error.asFailedPrecondition()
        }
        guard let etag = answer.response.headerFields[.eTag], !etag.isEmpty else {
            throw AWSError.notStored(answer, by: call)
        }
        return (
            etag: etag,
            versionID: answer.response.headerFields[named: "x-amz-version-id"]
        )
    }

    /// Metadata of an object, without asking to decrypt it. A missing key fails with ``AWSError/Code/notFound``.
    package func headObject(
        bucket: String, key: String, versionID: String? = nil, deadline: UnixInstant
    ) async throws -> ObjectHead {
        // Never with x-amz-checksum-mode: that would ask for kms:Decrypt.
        let call = try call("HeadObject", .head, bucket: bucket, key: key, versionID: versionID)
        return ObjectHead(try await client.send(call, deadline: deadline).response.headerFields)
    }

    /// An object and its metadata. A missing key fails with ``AWSError/Code/noSuchKey``.
    package func getObject(
        bucket: String, key: String, versionID: String? = nil, deadline: UnixInstant
    ) async throws -> (head: ObjectHead, body: [UInt8]) {
        var call = try call("GetObject", .get, bucket: bucket, key: key, versionID: versionID)
        call.answersWithData = true
        let answer = try await client.send(call, deadline: deadline)
        return (head: ObjectHead(answer.response.headerFields), body: answer.body)
    }

    /// Deletes the object; in a versioned bucket that only hides it. A key that is not there is a success.
    ///
    /// - Parameter ifMatch: delete only the object with this entity tag. If there is another one, the call fails with
    ///   ``AWSError/Code/preconditionFailed``; if there is none any more, with ``AWSError/Code/noSuchKey``.
    package func deleteObject(
        bucket: String, key: String, ifMatch: String? = nil, deadline: UnixInstant
    ) async throws {
        var call = try call("DeleteObject", .delete, bucket: bucket, key: key)
        call.fields[.ifMatch] = ifMatch
        _ = try await client.send(call, deadline: deadline)
    }

    /// Deletes one version for good, or without `versionID` the object. There is no `ifMatch` here: beside a version S3
    /// answers it with 501.
    package func deleteObject(bucket: String, key: String, versionID: String?, deadline: UnixInstant) async throws {
        let call = try call("DeleteObject", .delete, bucket: bucket, key: key, versionID: versionID)
        _ = try await client.send(call, deadline: deadline)
    }

    /// Whether the bucket keeps what is overwritten and deleted. An object's answer does not tell: a bucket whose
    /// versioning is suspended also says `x-amz-version-id`, and overwrites the version `null` all the same.
    package func getBucketVersioning(bucket: String, deadline: UnixInstant) async throws -> BucketVersioning {
        var call = try call("GetBucketVersioning", .get, bucket: bucket)
        call.query = [("versioning", nil)]
        let answer = try await client.send(call, deadline: deadline)
        do {
            switch try XMLElement(parsing: answer.body)["Status"] {
            case "Enabled": return .enabled
            case "Suspended": return .suspended
            default: return .never
            }
        } catch {
            throw error.during(call)
        }
    }

    /// A call on a bucket or, with `key`, on an object.
    func call(
        _ operation: String, _ method: HTTPRequest.Method, bucket: String, key: String? = nil, versionID: String? = nil
    ) throws(AWSError) -> AWSCall {
        var call = AWSCall(service: .s3, operation: operation, method: method)
        guard (3...255).contains(bucket.utf8.count), bucket.utf8.allSatisfy(\.isBucketByte) else {
            throw AWSError(.invalidRequest, "The bucket's name is none that S3 allows.").during(call)
        }
        let path: String
        if let key {
            guard (1...1024).contains(key.utf8.count) else {
                throw AWSError(.invalidRequest, "An object's key has 1 to 1,024 bytes.").during(call)
            }
            path = "/" + key.uriEncoded(keepingSlashes: true)
        } else {
            path = ""
        }
        // A certificate for *.s3.… covers one label, so that a bucket with dots needs its name in the path; so does
        // an endpoint of somebody's own, which may be an address.
        if bucket.isDNSLabel, !client.configuration.endpoint(for: .s3).isCustom {
            call.hostPrefix = bucket + "."
            call.path = path.isEmpty ? "/" : path
        } else {
            call.path = "/" + bucket + path
        }
        if let versionID {
            call.query.append((name: "versionId", value: versionID))
        }
        call.fields[named: "x-amz-expected-bucket-owner"] = expectedBucketOwner
        return call
    }
}

extension AWSCall {
    /// S3 would take other values as well, encode them in its own way in the answer, and count them differently.
    fileprivate mutating func setMetadata(_ metadata: [String: String]) throws(AWSError) {
        guard metadata.reduce(0, { $0 + $1.key.utf8.count + $1.value.utf8.count }) <= 2048 else {
            throw AWSError(.invalidRequest, "The object's metadata has more than 2,048 bytes.").during(self)
        }
        for (name, value) in metadata.sorted(by: { $0.key < $1.key }) {
            guard let field = HTTPField.Name("x-amz-meta-" + name), fields[field] == nil else {
                throw AWSError(.invalidRequest, "A name in the object's metadata is no field name, or is repeated.")
                    .during(self)
            }
            guard value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), !value.hasPrefix(" "), !value.hasSuffix(" ")
            else {
                throw AWSError(
                    .invalidRequest,
                    "The value of \(field.canonicalName) must be printable ASCII without spaces at its ends."
                ).during(self)
            }
            fields[field] = value
        }
    }
}

extension ObjectHead {
    fileprivate init(_ fields: HTTPFields) {
        let prefix = "x-amz-meta-"
        var metadata: [String: String] = [:]
        for field in fields where field.name.canonicalName.hasPrefix(prefix) {
            metadata[String(field.name.canonicalName.dropFirst(prefix.count))] = field.value
        }
        self.init(
            contentLength: fields[.contentLength].flatMap { Int($0) } ?? 0,
            etag: fields[.eTag] ?? "",
            versionID: fields[named: "x-amz-version-id"],
            lastModified: fields[.lastModified].flatMap { UnixInstant(httpDate: $0) },
            metadata: metadata)
    }
}

extension String {
    /// A bucket's name that can be one label of a host name.
    fileprivate var isDNSLabel: Bool {
        utf8.count <= 63 && !hasPrefix("-") && !hasSuffix("-")
            && utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }
}

extension UInt8 {
    /// Old buckets in us-east-1 may have capitals and underscores.
    fileprivate var isBucketByte: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
            || self == UInt8(ascii: "-") || self == UInt8(ascii: ".") || self == UInt8(ascii: "_")
    }
}
