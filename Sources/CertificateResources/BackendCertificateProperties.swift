package import CertificateIssuance
package import CustomResource
internal import PKI

/// The properties of `Custom::ElbBackendCertificate`, checked.
package struct BackendCertificateProperties: Hashable, Sendable {
    package let definition: CertificateDefinition
    package let settings: CertificateSettings
    /// False after a compromise: the earlier key is not trusted a moment longer.
    package let trustPrevious: Bool

    static let names: Set<String> = [
        "AppDomain", "AppName", "AppS3Bucket", "KeyAlgorithm", "ValidityDays", "SubjectAlternativeNames", "Rotation",
        "RotationParameter", "TrustPrevious", "StableS3Key",
    ]

    /// Defaults are part of digest version 1: changing one would make new keys for templates that rely on it.
    private enum Default {
        static let keyAlgorithm = KeyAlgorithm.rsa2048
        static let validityDays = 365
        /// Nothing renews a certificate whose template has no Rotation.
        static let validityDaysWithoutRotation = 3650
        static let rotationParameter = "CertificateRotation"
    }

    /// - Throws: ``CustomResourceError/Code/invalidProperty(_:)`` with the first property that is against its rule.
    package init(_ bag: PropertyBag, defaults: ProviderDefaults) throws(CustomResourceError) {
        let rotation = try bag.optionalString("Rotation", maximumLength: 1024)
        let validityDays = try bag.integer("ValidityDays", in: 1...3650)
        let definition = CertificateDefinition(
            appDomain: try bag.appDomain(),
            appName: try bag.appName(),
            bucket: try bag.bucket(of: defaults.buckets),
            keyAlgorithm: try bag.keyAlgorithm() ?? Default.keyAlgorithm,
            validityDays: validityDays
                ?? (rotation == nil ? Default.validityDaysWithoutRotation : Default.validityDays),
            subjectAlternativeNames: try bag.subjectAlternativeNames(),
            rotation: rotation)
        try definition.checkNumberOfNames()
        self.definition = definition
        self.settings = CertificateSettings(
            rotationParameter: try bag.rotationParameter() ?? Default.rotationParameter,
            stableS3Key: try bag.boolean("StableS3Key") ?? defaults.stableS3Key)
        self.trustPrevious = try bag.boolean("TrustPrevious") ?? true
    }
}

extension CertificateDefinition {
    /// The certificate's own limit, told of the property that reaches it.
    fileprivate func checkNumberOfNames() throws(CustomResourceError) {
        guard let names = try? names, names.count > 100 else { return }
        let own = names.count - subjectAlternativeNames.count
        throw .invalid(
            "SubjectAlternativeNames",
            "has \(subjectAlternativeNames.count) names: a certificate has at most 100, and \(own) of them are AppDomain and "
                + "*.AppDomain. Give at most \(100 - own)")
    }
}

/// What the operator of the provider decides for every resource.
package struct ProviderDefaults: Hashable, Sendable {
    /// The buckets that templates may name in `AppS3Bucket`, the provider's own first.
    package let buckets: [String]
    package let stableS3Key: Bool

    package init(buckets: [String], stableS3Key: Bool) {
        self.buckets = buckets
        self.stableS3Key = stableS3Key
    }
}

extension PropertyBag {
    fileprivate func appDomain() throws(CustomResourceError) -> DomainName {
        let text = try string("AppDomain", maximumLength: 253)
        do {
            return try DomainName(text)
        } catch {
            throw .invalid("AppDomain", "is no domain name that a certificate can have: \(error.message)")
        }
    }

    fileprivate func subjectAlternativeNames() throws(CustomResourceError) -> [SubjectAlternativeName] {
        var names: [SubjectAlternativeName] = []
        for item in try list("SubjectAlternativeNames", maximumCount: 100) {
            do {
                names.append(try SubjectAlternativeName(item))
            } catch {
                throw .invalid(
                    "SubjectAlternativeNames",
                    "has an item that is neither a domain name nor an IP address: \(error.message)")
            }
        }
        return names
    }

}
