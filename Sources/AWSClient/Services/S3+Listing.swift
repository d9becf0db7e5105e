internal import HTTPTransport
internal import HTTPTypes
package import Timekeeping

extension S3 {
    /// The objects whose keys begin with `prefix`, in the order of their keys' bytes; all pages of them.
    ///
    /// - Parameters:
    ///   - startAfter: only keys behind this one.
    ///   - before: only keys before this one: later pages are not asked for.
    ///   - limit: with more objects the call fails with ``AWSError/Code/tooManyResults``: nobody should take a part
    ///     for the whole.
    package func listObjects(
        bucket: String, prefix: String, startAfter: String? = nil, before end: String? = nil, limit: Int = 100_000,
        deadline: UnixInstant
    ) async throws -> [ObjectSummary] {
        var call = try call("ListObjectsV2", .get, bucket: bucket)
        call.query = [("encoding-type", "url"), ("list-type", "2"), ("prefix", prefix)]
        if let startAfter {
            call.query.append(("start-after", startAfter))
        }
        var objects: [ObjectSummary] = []
        try await followPages(of: call, deadline: deadline) { page throws(AWSError) in
            for element in page.children where element.name == "Contents" {
                let object = try ObjectSummary(element, page.keyEncoding)
                if let end, !object.key.utf8.lexicographicallyPrecedes(end.utf8) { return nil }
                objects.append(object)
            }
            guard objects.count <= limit else { throw .tooMany(limit) }
            guard page["IsTruncated"] == "true" else { return nil }
            return [("continuation-token", try page.required("NextContinuationToken"))]
        }
        return objects
    }

    /// One page of such a listing, for walks through more objects than fit into memory.
    ///
    /// - Parameter maxKeys: 1,000 at most.
    /// - Returns: the page, and whether nothing comes behind it.
    package func listObjectsPage(
        bucket: String, prefix: String, startAfter: String?, maxKeys: Int, deadline: UnixInstant
    ) async throws -> (objects: [ObjectSummary], isLast: Bool) {
        var call = try call("ListObjectsV2", .get, bucket: bucket)
        call.query = [
            ("encoding-type", "url"), ("list-type", "2"), ("max-keys", String(maxKeys)), ("prefix", prefix),
        ]
        if let startAfter {
            call.query.append(("start-after", startAfter))
        }
        let answer = try await client.send(call, deadline: deadline)
        do {
            let page = try XMLElement(parsing: answer.body)
            var objects: [ObjectSummary] = []
            for element in page.children where element.name == "Contents" {
                objects.append(try ObjectSummary(element, page.keyEncoding))
            }
            return (objects, page["IsTruncated"] != "true")
        } catch {
            throw error.during(call)
        }
    }

    /// Every version and delete marker of the keys that begin with `prefix`: versions by key, the latest first, and
    /// markers likewise; how S3 mixes the two is not to be relied on.
    package func listObjectVersions(
        bucket: String, prefix: String, limit: Int = 100_000, deadline: UnixInstant
    ) async throws -> [ObjectVersion] {
        var call = try call("ListObjectVersions", .get, bucket: bucket)
        call.query = [("encoding-type", "url"), ("prefix", prefix), ("versions", nil)]
        var versions: [ObjectVersion] = []
        try await followPages(of: call, deadline: deadline) { page throws(AWSError) in
            for element in page.children where element.name == "Version" || element.name == "DeleteMarker" {
                versions.append(try ObjectVersion(element, page.keyEncoding))
            }
            guard versions.count <= limit else { throw .tooMany(limit) }
            guard page["IsTruncated"] == "true" else { return nil }
            var next = [("key-marker", try page.keyEncoding.decode(page.required("NextKeyMarker")))]
            if let marker = page["NextVersionIdMarker"], !marker.isEmpty {
                next.append(("version-id-marker", marker))
            }
            return next
        }
        return versions
    }

    /// Sends a call again and again with what `read` says leads to the next page, until it says nil.
    private func followPages(
        of first: AWSCall, deadline: UnixInstant,
        _ read: (XMLElement) throws(AWSError) -> [(name: String, value: String)]?
    ) async throws {
        var call = first
        var last: [(name: String, value: String)] = []
        while true {
            do {
                let answer = try await client.send(call, deadline: deadline)
                guard let next = try read(XMLElement(parsing: answer.body)) else { return }
                // A page that leads to itself would be read for ever.
                guard !next.elementsEqual(last, by: ==) else {
                    throw AWSError(.invalidResponse, "The listing leads back to where it was.")
                }
                last = next
                call.query = first.query + next.map { (name: $0.name, value: $0.value) }
            } catch let error as AWSError {
                throw error.during(call)
            }
        }
    }
}

extension ObjectSummary {
    fileprivate init(_ element: XMLElement, _ encoding: KeyEncoding) throws(AWSError) {
        self.init(
            key: try encoding.decode(element.required("Key")),
            size: element["Size"].flatMap { Int($0) } ?? 0,
            etag: element["ETag"] ?? "",
            lastModified: element["LastModified"].flatMap { UnixInstant(iso8601: $0) })
    }
}

extension ObjectVersion {
    fileprivate init(_ element: XMLElement, _ encoding: KeyEncoding) throws(AWSError) {
        self.init(
            key: try encoding.decode(element.required("Key")),
            versionID: try element.required("VersionId"),
            isLatest: element["IsLatest"] == "true",
            isDeleteMarker: element.name == "DeleteMarker")
    }
}

extension AWSError {
    fileprivate static func tooMany(_ limit: Int) -> AWSError {
        AWSError(.tooManyResults, "The listing has more than \(limit) entries.")
    }
}

/// How a page writes keys: we ask for `url`, since XML cannot hold every key, and believe what the page says.
private enum KeyEncoding {
    case url
    case plain

    func decode(_ key: String) throws(AWSError) -> String {
        switch self {
        case .url: try key.urlDecoded()
        case .plain: key
        }
    }
}

extension XMLElement {
    fileprivate var keyEncoding: KeyEncoding { self["EncodingType"] == "url" ? .url : .plain }
}

extension String {
    /// Undoes `encoding-type=url`, in which a space may be a `+`.
    fileprivate func urlDecoded() throws(AWSError) -> String {
        var decoded: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"):
                decoded.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst()?.hexDigitValue, let low = rest.popFirst()?.hexDigitValue else {
                    throw AWSError(.invalidResponse, "A key in the listing is not encoded as asked for.")
                }
                decoded.append(high << 4 | low)
            default:
                decoded.append(byte)
            }
        }
        guard let text = String(validating: decoded, as: UTF8.self) else {
            throw AWSError(.invalidResponse, "A key in the listing is not UTF-8.")
        }
        return text
    }
}

extension UInt8 {
    fileprivate var hexDigitValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x41 + 10
        case 0x61...0x66: self - 0x61 + 10
        default: nil
        }
    }
}
