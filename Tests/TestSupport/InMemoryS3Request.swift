internal import Crypto
internal import HTTPTypes
internal import SigV4
internal import Timekeeping

/// A request as S3 understands it.
struct S3Request {
    enum Operation: String {
        case putObject = "PutObject"
        case headObject = "HeadObject"
        case getObject = "GetObject"
        case deleteObject = "DeleteObject"
        case listObjects = "ListObjectsV2"
        case listObjectVersions = "ListObjectVersions"
        case getBucketVersioning = "GetBucketVersioning"
    }

    let method: HTTPRequest.Method
    /// Nil for what this S3 does not know.
    let operation: Operation?
    let bucket: String
    let key: String
    let query: [String: String]
    let fields: HTTPFields
    let body: [UInt8]

    init(_ request: HTTPRequest, body: [UInt8]) {
        let target = request.path ?? "/"
        let path = target.prefix { $0 != "?" }
        var query: [String: String] = [:]
        for pair in target.dropFirst(path.count + 1).split(separator: "&") {
            let name = pair.prefix { $0 != "=" }
            query[name.percentDecoded] = pair.dropFirst(name.count + 1).percentDecoded
        }
        // Virtual-hosted when the host is BUCKET.s3.REGION.SUFFIX, else the bucket is the first part of the path.
        let host = (request.authority ?? "").prefix { $0 != ":" }
        let names = host.split(separator: ".")
        if let service = names.firstIndex(of: "s3"), service > 0 {
            self.bucket = names[..<service].joined(separator: ".")
            self.key = path.dropFirst().percentDecoded
        } else {
            let first = path.dropFirst().prefix { $0 != "/" }
            self.bucket = first.percentDecoded
            self.key = path.dropFirst(first.count + 2).percentDecoded
        }
        self.method = request.method
        self.query = query
        self.fields = request.headerFields
        self.body = body
        self.operation = S3Request.operation(method: request.method, hasKey: !key.isEmpty, query: query)
    }

    private static func operation(
        method: HTTPRequest.Method, hasKey: Bool, query: [String: String]
    ) -> Operation? {
        guard Set(query.keys).isSubset(of: known) else { return nil }
        switch (method, hasKey) {
        case (.put, true): return query.isEmpty ? .putObject : nil
        case (.head, true): return .headObject
        case (.get, true): return .getObject
        case (.delete, true): return .deleteObject
        case (.get, false):
            if query["versioning"] != nil { return .getBucketVersioning }
            return query["list-type"] == "2" ? .listObjects : query["versions"] != nil ? .listObjectVersions : nil
        default: return nil
        }
    }

    private static let known: Set<String> = [
        "versionId", "list-type", "versioning", "versions", "prefix", "start-after", "continuation-token", "key-marker",
        "version-id-marker", "max-keys", "encoding-type",
    ]

    /// Why the request's signature cannot be right. The signature itself is held against botocore elsewhere.
    func signatureRefusal(now: UnixInstant) -> S3Failure? {
        guard let authorization = fields[.authorization],
            let date = fields[named: "x-amz-date"].flatMap({ UnixInstant(iso8601: $0) }),
            authorization.hasPrefix("AWS4-HMAC-SHA256 Credential="),
            authorization.contains("/\(date.basicISO8601.prefix(8))/"), authorization.contains("/s3/aws4_request, "),
            signsWhatMatters(authorization)
        else { return .accessDenied }
        let hash = SHA256.hash(data: body).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        guard fields[named: "x-amz-content-sha256"] == hash else { return .contentMismatch }
        let skew = now.duration(to: date)
        return skew > .seconds(300) || skew < .seconds(-300) ? .requestTimeTooSkewed : nil
    }

    /// Host, and every field that S3 acts on.
    private func signsWhatMatters(_ authorization: String) -> Bool {
        guard let part = authorization.split(separator: ", ").first(where: { $0.hasPrefix("SignedHeaders=") }) else {
            return false
        }
        let signed = Set(part.dropFirst("SignedHeaders=".count).split(separator: ";").map(String.init))
        let sent = fields.map(\.name.canonicalName).filter { $0.hasPrefix("x-amz-") || $0.hasPrefix("if-") }
        return signed.isSuperset(of: sent + ["host"])
    }
}

extension StringProtocol {
    /// Decoded as S3 does it: a `+` in a URL is a plus sign in a path. We never send one unencoded.
    fileprivate var percentDecoded: String {
        guard utf8.contains(UInt8(ascii: "%")) else { return String(self) }
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), let value = UInt8(digits, radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
