internal import HTTPTypes

/// The form of a request that both sides hash: the same text from every spelling of the same request.
///
/// Source: AWS, "Create a signed AWS API request", step 1.
struct CanonicalRequest {
    /// The names of the signed fields, lower case, sorted and joined with `;`.
    let signedFieldNames: String
    let text: String

    /// - Parameters:
    ///   - request: its path and query are percent-encoded already, as they will be sent.
    ///   - payloadHash: the body's SHA-256 in hexadecimal, or `UNSIGNED-PAYLOAD`.
    ///   - keepsPath: S3 signs the path as it is sent; every other service its normalised form, encoded again.
    init(_ request: HTTPRequest, payloadHash: String, keepsPath: Bool) {
        let target = request.path ?? "/"
        let path = target.prefix { $0 != "?" }
        let query = target.dropFirst(path.count + 1)
        let fields = CanonicalRequest.fields(of: request)

        self.signedFieldNames = fields.map(\.name).joined(separator: ";")
        self.text = [
            request.method.rawValue,
            keepsPath ? String(path) : CanonicalRequest.normalized(path).uriEncoded(keepingSlashes: true),
            CanonicalRequest.sorted(query: query),
            fields.map { "\($0.name):\($0.value)\n" }.joined(),
            signedFieldNames,
            payloadHash,
        ].joined(separator: "\n")
    }

    /// Every field that is sent, but for those that proxies change on the way.
    private static func fields(of request: HTTPRequest) -> [(name: String, value: String)] {
        var values: [String: [String]] = [:]
        for field in request.headerFields where !unsigned.contains(field.name.canonicalName) {
            values[field.name.canonicalName, default: []].append(field.value.singleSpaced)
        }
        if values["host"] == nil {
            values["host"] = [host(of: request)]
        }
        return values.map { (name: $0.key, value: $0.value.joined(separator: ",")) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    private static let unsigned: Set<String> = [
        "authorization", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id",
    ]

    /// The `Host` field as clients send it: a scheme's default port is left out.
    private static func host(of request: HTTPRequest) -> String {
        let authority = (request.authority ?? "").lowercased()
        let defaultPort = request.scheme?.lowercased() == "http" ? ":80" : ":443"
        return authority.hasSuffix(defaultPort) ? String(authority.dropLast(defaultPort.count)) : authority
    }

    /// Dot segments and repeated slashes removed (RFC 3986, section 5.2.4).
    private static func normalized(_ path: some StringProtocol) -> String {
        var kept: [Substring] = []
        for segment in Substring(path).split(separator: "/") where segment != "." {
            if segment == ".." {
                _ = kept.popLast()
            } else {
                kept.append(segment)
            }
        }
        return "/" + kept.joined(separator: "/") + (path.hasSuffix("/") && !kept.isEmpty ? "/" : "")
    }

    /// By name, then by value, in the order of the encoded bytes; a name without `=` gets one.
    private static func sorted(query: some StringProtocol) -> String {
        query.split(separator: "&", omittingEmptySubsequences: query.isEmpty)
            .map { pair in
                let name = pair.prefix { $0 != "=" }
                return (name: name, value: pair.dropFirst(name.count + 1))
            }
            .sorted {
                $0.name == $1.name
                    ? $0.value.utf8.lexicographicallyPrecedes($1.value.utf8)
                    : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
            }
            .map { "\($0.name)=\($0.value)" }
            .joined(separator: "&")
    }
}

extension String {
    /// Without white space at the ends, and one space for each run of it inside.
    fileprivate var singleSpaced: String {
        split { $0 == " " || $0 == "\t" }.joined(separator: " ")
    }
}
