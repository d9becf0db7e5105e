package import Diagnostics
package import Timekeeping

/// AWS Identity and Access Management: its store of server certificates, nothing else of it.
///
/// Every call throws ``AWSError`` or `CancellationError` and is tried again as the client's policy says. What was
/// uploaded may not be found for some seconds.
package struct IAM: Sendable {
    package struct ServerCertificate: Hashable, Sendable {
        /// Unique in the account: `[A-Za-z0-9_+=,.@-]`, at most 128 characters.
        package let name: String
        /// Begins and ends with a slash.
        package let path: String
        package let arn: String
        package let expiration: UnixInstant?
    }

    private let client: AWSServiceClient

    package init(_ client: AWSServiceClient) {
        self.client = client
    }

    /// - Parameters:
    ///   - certificate: the leaf alone, PEM.
    ///   - chain: what it is signed by, PEM, without the leaf.
    ///   - path: CloudFront takes those below `/cloudfront/` only.
    /// - Throws: ``AWSError/Code/entityAlreadyExists`` when the account has one of this name.
    package func uploadServerCertificate(
        _ certificate: String, chain: String?, privateKey: Redacted<String>, name: String, path: String = "/",
        tags: [String: String] = [:], deadline: UnixInstant
    ) async throws -> ServerCertificate {
        var parameters: [(key: String, value: String?)] = [
            ("Path", path), ("ServerCertificateName", name), ("CertificateBody", certificate),
            ("PrivateKey", privateKey.exposed), ("CertificateChain", chain),
        ]
        for (index, tag) in tags.sorted(by: { $0.key < $1.key }).enumerated() {
            parameters.append(("Tags.member.\(index + 1).Key", tag.key))
            parameters.append(("Tags.member.\(index + 1).Value", tag.value))
        }
        var call = call("UploadServerCertificate", parameters)
        call.secrets = privateKey.lines
        return try await client.send(call, deadline: deadline) { result throws(AWSError) in
            try ServerCertificate(result.first("ServerCertificateMetadata"))
        }
    }

    /// A server certificate with its body, PEM.
    ///
    /// - Throws: ``AWSError/Code/noSuchEntity``.
    package func getServerCertificate(
        _ name: String, deadline: UnixInstant
    ) async throws -> (certificate: ServerCertificate, body: String) {
        try await client.send(
            call("GetServerCertificate", [("ServerCertificateName", name)]), deadline: deadline
        ) { result throws(AWSError) in
            guard let found = result.first("ServerCertificate") else {
                throw AWSError(.invalidResponse, "The answer has no server certificate.")
            }
            return (
                try ServerCertificate(found.first("ServerCertificateMetadata")),
                try found.required("CertificateBody")
            )
        }
    }

    /// All server certificates whose paths begin with `pathPrefix`.
    package func listServerCertificates(
        pathPrefix: String = "/", deadline: UnixInstant
    ) async throws -> [ServerCertificate] {
        var found: [ServerCertificate] = []
        var marker: String?
        while true {
            let call = call("ListServerCertificates", [("PathPrefix", pathPrefix), ("Marker", marker)])
            let page = try await client.send(call, deadline: deadline) { result throws(AWSError) in
                var page: [ServerCertificate] = []
                for member in result.members("ServerCertificateMetadataList") {
                    page.append(try ServerCertificate(member))
                }
                return (page, result["IsTruncated"] == "true" ? result["Marker"] : nil)
            }
            found += page.0
            guard let next = page.1, !next.isEmpty else { return found }
            guard next != marker, found.count <= 100_000 else {
                throw AWSError(.invalidResponse, "The listing leads back to where it was.").during(call)
            }
            marker = next
        }
    }

    /// - Throws: ``AWSError/Code/noSuchEntity``, ``AWSError/Code/deleteConflict`` while something uses it.
    package func deleteServerCertificate(_ name: String, deadline: UnixInstant) async throws {
        // Its success has no result element.
        _ = try await client.send(
            call("DeleteServerCertificate", [("ServerCertificateName", name)]), deadline: deadline)
    }

    private func call(_ action: String, _ parameters: [(key: String, value: String?)]) -> AWSCall {
        QueryEncoder(version: "2010-05-08").call(.iam, action, parameters)
    }
}

extension IAM.ServerCertificate {
    fileprivate init(_ metadata: XMLElement?) throws(AWSError) {
        guard let metadata else {
            throw AWSError(.invalidResponse, "The answer has nothing about a server certificate.")
        }
        self.init(
            name: try metadata.required("ServerCertificateName"), path: try metadata.required("Path"),
            arn: try metadata.required("Arn"), expiration: metadata["Expiration"].flatMap { UnixInstant(iso8601: $0) })
    }
}

extension AWSError.Code {
    /// Something uses what was to be deleted.
    package static let deleteConflict = Self(rawValue: "DeleteConflict")
    package static let entityAlreadyExists = Self(rawValue: "EntityAlreadyExists")
    /// So many server certificates are not allowed.
    package static let entityQuota = Self(rawValue: "LimitExceeded")
    package static let noSuchEntity = Self(rawValue: "NoSuchEntity")
}
