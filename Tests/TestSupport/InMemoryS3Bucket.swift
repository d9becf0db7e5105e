internal import AWSClient
internal import Crypto
internal import HTTPTypes
internal import SigV4
internal import Timekeeping

/// A bucket of ``InMemoryS3``: its versions, and how it answers.
struct S3Bucket {
    let owner: String
    var versioning: BucketVersioning
    /// Oldest first.
    private var versions: [S3Version] = []

    init(owner: String, versioning: BucketVersioning) {
        self.owner = owner
        self.versioning = versioning
    }

    /// The latest version of each key, delete markers left out, by key.
    var current: [S3Version] {
        var latest: [String: S3Version] = [:]
        for version in versions { latest[version.key] = version }
        return latest.values.filter { !$0.isDeleteMarker }.sorted { $0.key.precedes($1.key) }
    }

    /// All versions as a listing has them: by key, the latest first.
    var listed: [ObjectVersion] {
        var result: [ObjectVersion] = []
        // The sort is stable, so that the versions of one key stay as they are: the latest first.
        for version in versions.reversed().sorted(by: { $0.key.precedes($1.key) }) {
            result.append(
                ObjectVersion(
                    key: version.key, versionID: version.id, isLatest: result.last?.key != version.key,
                    isDeleteMarker: version.isDeleteMarker))
        }
        return result
    }

    mutating func answer(_ request: S3Request, newVersionID: String, maxKeys: Int, now: UnixInstant) -> S3Answer {
        switch request.operation {
        case .putObject:
            put(request, versionID: versioning == .enabled ? newVersionID : "null", now: now)
        case .headObject, .getObject:
            read(request)
        case .deleteObject:
            delete(request, versionID: newVersionID, now: now)
        case .listObjects:
            S3Listing(request, maxKeys: maxKeys).objects(current)
        case .listObjectVersions:
            S3Listing(request, maxKeys: maxKeys).versions(listed)
        case .getBucketVersioning:
            .success(status: 200, body: Array(versioning.xml.utf8))
        case nil:
            .failure(.notImplemented)
        }
    }

    private mutating func put(_ request: S3Request, versionID: String, now: UnixInstant) -> S3Answer {
        let existing = current.first { $0.key == request.key }
        if let condition = request.fields[.ifNoneMatch] {
            guard condition == "*" else { return .failure(.notImplemented) }
            guard existing == nil else { return .failure(.preconditionFailed) }
        }
        if let condition = request.fields[.ifMatch] {
            guard let existing else { return .failure(.noSuchKey) }
            guard existing.etag == condition else { return .failure(.preconditionFailed) }
        }
        var kept: [String: String] = [:]
        for field in request.fields {
            let name = field.name.canonicalName
            if name.hasPrefix("x-amz-meta-") || name.hasPrefix("x-amz-server-side-encryption") || name == "content-type"
            {
                kept[name] = field.value
            }
        }
        let version = S3Version(
            key: request.key, id: versionID, body: request.body, fields: kept, lastModified: now, isDeleteMarker: false)
        store(version)
        // A PUT into a bucket whose versioning is suspended does not name the version; a HEAD does.
        let named = versioning == .enabled ? versionFields(version) : [:]
        return .success(status: 200, fields: named.merging(["etag": version.etag]) { old, _ in old })
    }

    private func read(_ request: S3Request) -> S3Answer {
        // With it S3 decrypts, and the backend's role may not.
        guard request.fields[named: "x-amz-checksum-mode"] == nil else { return .failure(.accessDenied) }
        let version: S3Version
        if let id = request.query["versionId"] {
            guard let found = versions.last(where: { $0.key == request.key && $0.id == id }) else {
                return .failure(.noSuchVersion)
            }
            guard !found.isDeleteMarker else {
                return .failure(.methodNotAllowed, fields: ["x-amz-delete-marker": "true"])
            }
            version = found
        } else {
            guard let found = versions.last(where: { $0.key == request.key }) else { return .failure(.noSuchKey) }
            guard !found.isDeleteMarker else {
                return .failure(.noSuchKey, fields: ["x-amz-delete-marker": "true", "x-amz-version-id": found.id])
            }
            version = found
        }
        var fields = version.fields.merging(versionFields(version)) { old, _ in old }
        fields["etag"] = version.etag
        fields["last-modified"] = version.lastModified.httpDate
        fields["content-length"] = String(version.body.count)
        return .success(status: 200, fields: fields, body: version.body)
    }

    mutating func vanish(_ key: String) {
        versions.removeAll { $0.key == key }
    }

    /// Conditions are evaluated for the current version only (User Guide, "How to perform conditional deletes"); beside a
    /// version id S3 answers 501 (measured: localstack/localstack#13894).
    private mutating func delete(_ request: S3Request, versionID: String, now: UnixInstant) -> S3Answer {
        if request.fields[.ifMatch] != nil, request.query["versionId"] != nil { return .failure(.notImplemented) }
        if let condition = request.fields[.ifMatch] {
            guard let existing = current.first(where: { $0.key == request.key }) else { return .failure(.noSuchKey) }
            guard existing.etag == condition else { return .failure(.preconditionFailed) }
        }
        if let id = request.query["versionId"] {
            let deleted = versions.first { $0.key == request.key && $0.id == id }
            versions.removeAll { $0.key == request.key && $0.id == id }
            let marker = deleted?.isDeleteMarker == true ? ["x-amz-delete-marker": "true"] : [:]
            return .success(status: 204, fields: marker.merging(["x-amz-version-id": id]) { old, _ in old })
        }
        guard versioning != .never else {
            versions.removeAll { $0.key == request.key }
            return .success(status: 204)
        }
        let markerID = versioning == .enabled ? versionID : "null"
        store(
            S3Version(
                key: request.key, id: markerID, body: [], fields: [:], lastModified: now, isDeleteMarker: true))
        return .success(status: 204, fields: ["x-amz-delete-marker": "true", "x-amz-version-id": markerID])
    }

    private mutating func store(_ version: S3Version) {
        if version.id == "null" { versions.removeAll { $0.key == version.key && $0.id == "null" } }
        versions.append(version)
    }

    private func versionFields(_ version: S3Version) -> [String: String] {
        versioning == .never ? [:] : ["x-amz-version-id": version.id]
    }
}

extension BucketVersioning {
    fileprivate var xml: String {
        let status =
            switch self {
            case .enabled: "<Status>Enabled</Status>"
            case .suspended: "<Status>Suspended</Status>"
            case .never: ""
            }
        let namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
        return #"<VersioningConfiguration xmlns="\#(namespace)">\#(status)</VersioningConfiguration>"#
    }
}

/// One version of an object, or a delete marker.
struct S3Version {
    let key: String
    let id: String
    let body: [UInt8]
    let fields: [String: String]
    let lastModified: UnixInstant
    let isDeleteMarker: Bool

    var etag: String {
        "\"" + Insecure.MD5.hash(data: body).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            + "\""
    }
}

extension String {
    /// The order of S3's listings.
    func precedes(_ other: String) -> Bool {
        utf8.lexicographicallyPrecedes(other.utf8)
    }
}
