internal import AWSClient
package import Timekeeping

/// What a server that reloads in place says of itself: which bundle it serves.
///
/// A load balancer trusts the current key and the one before. A server that is two rotations behind would be refused, so
/// that the second rotation waits for it. Kept in the state bucket as
/// `acknowledgements/<stack GUID>/<LogicalId>/<server>.json`; users' IAM policies name that prefix.
package struct Acknowledgement: Hashable, Sendable, Codable {
    static let root = "acknowledgements/"
    /// A server that was not heard of for so long is taken to be gone: it repeats what it says with every look.
    package static let lifetime = Duration.seconds(24 * 3600)

    /// The bundle's S3 key.
    package let bundle: String
    package let at: UnixInstant

    package init(bundle: String, at: UnixInstant) {
        self.bundle = bundle
        self.at = at
    }

    /// Where it is kept; nil when the bundle is none of StackCert's: it has no resource that could rotate it.
    ///
    /// - Parameter server: the instance's id; letters, digits and hyphens.
    package static func key(of bundle: String, server: String) -> String? {
        guard let address = CertificateAddress(bucket: "", key: bundle) else { return nil }
        return "\(root)\(address.stackGUID)/\(address.logicalResourceID)/\(server).json"
    }
}

/// A server that was heard of not long ago, and what it serves.
package struct ServerInUse: Hashable, Sendable {
    package let id: String
    package let logicalResourceID: String
    /// 64 lower-case hexadecimal digits; nil for a bundle that is none of ours.
    package let generation: String?
    package let lastHeardOf: UnixInstant
}

extension StateBucket {
    /// The servers of a stack that acknowledge what they serve. One LIST, and a GET for each of them.
    package func servers(
        stackGUID: String, at now: UnixInstant, deadline: UnixInstant
    ) async throws -> [ServerInUse] {
        var servers: [ServerInUse] = []
        for key in try await keys(below: "\(Acknowledgement.root)\(stackGUID)/", deadline: deadline) {
            let parts = key.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 4, parts[3].hasSuffix(".json"),
                let said = try await document(Acknowledgement.self, at: key, deadline: deadline)?.document,
                said.at.duration(to: now) < Acknowledgement.lifetime
            else { continue }
            servers.append(
                ServerInUse(
                    id: String(parts[3].dropLast(".json".count)), logicalResourceID: String(parts[2]),
                    generation: CertificateAddress(bucket: "", key: said.bundle)?.generation.description,
                    lastHeardOf: said.at))
        }
        return servers
    }
}
