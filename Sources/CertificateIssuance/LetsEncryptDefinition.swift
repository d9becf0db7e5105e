package import ACME
package import PKI

/// The properties that define a Let's Encrypt certificate: a change in any of them makes a new generation.
package struct LetsEncryptDefinition: Hashable, Sendable {
    /// Where a copy is put, for load balancers and CloudFront.
    package enum ImportTarget: String, CaseIterable, Sendable {
        case acm = "ACM"
        case iam = "IAM"
    }

    /// `[A-Za-z0-9._-]`, 1–128 characters.
    package let appName: String
    package let bucket: String
    /// Sorted, each once, so that their order in the template does not matter.
    package let names: [SubjectAlternativeName]
    package let directory: ResourceURL
    package let keyAlgorithm: KeyAlgorithm
    package let profile: String?
    package let preferredChain: String?
    /// In the order of their names.
    package let importTargets: [ImportTarget]
    package let importRegion: String?
    package let importPath: String?
    package let rotation: String?

    package init(
        appName: String, bucket: String, names: [SubjectAlternativeName], directory: ResourceURL,
        keyAlgorithm: KeyAlgorithm, profile: String?, preferredChain: String?, importTargets: Set<ImportTarget>,
        importRegion: String?, importPath: String?, rotation: String?
    ) {
        self.appName = appName
        self.bucket = bucket
        self.names = Set(names).sorted { $0.description.utf8.lexicographicallyPrecedes($1.description.utf8) }
        self.directory = directory
        self.keyAlgorithm = keyAlgorithm
        self.profile = profile
        self.preferredChain = preferredChain
        self.importTargets = importTargets.sorted { $0.rawValue < $1.rawValue }
        self.importRegion = importRegion
        self.importPath = importPath
        self.rotation = rotation
    }
}
