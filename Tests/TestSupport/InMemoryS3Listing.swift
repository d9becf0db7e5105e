internal import AWSClient
internal import SigV4
internal import Timekeeping

/// The pages of a bucket's listings.
struct S3Listing {
    private let request: S3Request
    private let maxKeys: Int

    init(_ request: S3Request, maxKeys: Int) {
        self.request = request
        self.maxKeys = min(maxKeys, request.query["max-keys"].flatMap { Int($0) } ?? 1000)
    }

    func objects(_ objects: [S3Version]) -> S3Answer {
        let behind =
            request.query["continuation-token"].map { String($0.dropFirst(tokenPrefix.count)) }
            ?? request.query["start-after"] ?? ""
        let matching = objects.filter { $0.key.hasPrefix(prefix) && behind.precedes($0.key) }
        let page = matching.prefix(maxKeys)
        var xml = head("ListBucketResult", isTruncated: page.count < matching.count)
        if page.count < matching.count, let last = page.last {
            xml += element("NextContinuationToken", tokenPrefix + last.key)
        }
        for object in page {
            xml +=
                "<Contents>" + element("Key", encoded(object.key))
                + element("LastModified", object.lastModified.iso8601.replacing("Z", with: ".000Z"))
                + element("ETag", object.etag) + element("Size", String(object.body.count))
                + "<StorageClass>STANDARD</StorageClass></Contents>"
        }
        return .success(status: 200, fields: xmlType, body: Array((xml + "</ListBucketResult>").utf8))
    }

    func versions(_ versions: [ObjectVersion]) -> S3Answer {
        var matching = versions.filter { $0.key.hasPrefix(prefix) }[...]
        if let marker = request.query["key-marker"] {
            if let id = request.query["version-id-marker"],
                let last = matching.firstIndex(where: { $0.key == marker && $0.versionID == id })
            {
                matching = matching[(last + 1)...]
            } else {
                matching = matching.drop { !marker.precedes($0.key) }
            }
        }
        let page = matching.prefix(maxKeys)
        var xml = head("ListVersionsResult", isTruncated: page.count < matching.count)
        if page.count < matching.count, let last = page.last {
            xml += element("NextKeyMarker", encoded(last.key)) + element("NextVersionIdMarker", last.versionID)
        }
        for version in page {
            let tag = version.isDeleteMarker ? "DeleteMarker" : "Version"
            xml +=
                "<\(tag)>" + element("Key", encoded(version.key)) + element("VersionId", version.versionID)
                + element("IsLatest", String(version.isLatest)) + "</\(tag)>"
        }
        return .success(status: 200, fields: xmlType, body: Array((xml + "</ListVersionsResult>").utf8))
    }

    private var prefix: String { request.query["prefix"] ?? "" }

    private func head(_ name: String, isTruncated: Bool) -> String {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<\(name) xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            + element("Name", request.bucket) + element("Prefix", encoded(prefix))
            + element("IsTruncated", String(isTruncated)) + (isURLEncoded ? element("EncodingType", "url") : "")
    }

    private var isURLEncoded: Bool { request.query["encoding-type"] == "url" }

    private func encoded(_ key: String) -> String {
        isURLEncoded
            ? key.uriEncoded(keepingSlashes: true).replacing("%20", with: "+") : key
    }
}

private let tokenPrefix = "after:"
private let xmlType = ["content-type": "application/xml"]

private func element(_ name: String, _ text: String) -> String {
    let escaped = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
    return "<\(name)>\(escaped)</\(name)>"
}
