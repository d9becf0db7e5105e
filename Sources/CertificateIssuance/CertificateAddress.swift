/// Where a generation's bundle is, and with it whose it is.
///
/// Keys are public API: users' IAM policies name their prefix.
package struct CertificateAddress: Hashable, Sendable {
    /// Of which resource type a certificate is. The raw values are the first part of keys.
    package enum Kind: String, CaseIterable, Sendable {
        case backend = "backend-certificate"
        case letsEncrypt = "lets-encrypt"
    }

    package let kind: Kind
    package let bucket: String
    package let appName: String
    package let stackGUID: String
    package let logicalResourceID: String
    package let generation: Generation

    package init(_ definition: CertificateDefinition, of owner: CertificateOwner) {
        self.init(
            .backend, bucket: definition.bucket, appName: definition.appName, owner: owner,
            generation: Generation(definition, of: owner))
    }

    package init(_ definition: LetsEncryptDefinition, of owner: CertificateOwner) {
        self.init(
            .letsEncrypt, bucket: definition.bucket, appName: definition.appName, owner: owner,
            generation: Generation(definition, of: owner))
    }

    private init(
        _ kind: Kind, bucket: String, appName: String, owner: CertificateOwner, generation: Generation
    ) {
        self.kind = kind
        self.bucket = bucket
        self.appName = appName
        stackGUID = owner.stackGUID
        logicalResourceID = owner.logicalResourceID
        self.generation = generation
    }

    /// Reads ``key`` again.
    package init?(bucket: some StringProtocol, key: some StringProtocol) {
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 5, let kind = Kind(rawValue: String(parts[0])), parts[4].hasSuffix(".json"),
            !parts[1...3].contains(""),
            let generation = Generation(parts[4].dropLast(".json".count))
        else { return nil }
        self.kind = kind
        self.bucket = String(bucket)
        appName = String(parts[1])
        stackGUID = String(parts[2])
        logicalResourceID = String(parts[3])
        self.generation = generation
    }

    /// `<kind>/<AppName>/<stack GUID>/<LogicalId>/`: all generations of one resource. The attribute
    /// `CertificateS3Prefix`.
    package var prefix: String { "\(kind.rawValue)/\(appName)/\(stackGUID)/\(logicalResourceID)/" }

    /// The bundle's key. The attribute `CertificateS3Key`.
    package var key: String { "\(prefix)\(generation).json" }

    /// Where system A's templates look for the current bundle (`StableS3Key`).
    package var stableKey: String { Self.stableKey(appName: appName) }

    package static func stableKey(appName: String) -> String { "backend-certificate-\(appName).json" }

    /// Whether the address lies below this owner's part of the bucket.
    package func belongs(to owner: CertificateOwner) -> Bool {
        stackGUID == owner.stackGUID && logicalResourceID == owner.logicalResourceID
    }
}
