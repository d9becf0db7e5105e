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
        self.definition = definition
        self.settings = CertificateSettings(
            rotationParameter: try bag.rotationParameter() ?? Default.rotationParameter,
            stableS3Key: try bag.boolean("StableS3Key") ?? defaults.stableS3Key)
        self.trustPrevious = try bag.boolean("TrustPrevious") ?? true
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
            let domain = try DomainName(text)
            // The wildcard, which has two characters more, must be a name as well.
            _ = try DomainName(wildcardAllowed: "*.\(domain)")
            return domain
        } catch {
            throw .invalid("AppDomain", "is no domain name that a certificate can have: \(error.message)")
        }
    }

    fileprivate func appName() throws(CustomResourceError) -> String {
        let name = try string("AppName", maximumLength: 128)
        guard
            name.utf8.allSatisfy({ byte in
                isASCIILetter(byte) || isASCIIDigit(byte) || ".-_".utf8.contains(byte)
            })
        else {
            throw .invalid(
                "AppName",
                "has characters that are not allowed: it becomes part of ARNs, so only letters, digits, dot, underscore "
                    + "and hyphen may be used")
        }
        return name
    }

    fileprivate func bucket(of allowed: [String]) throws(CustomResourceError) -> String {
        let bucket = try string("AppS3Bucket", maximumLength: 63)
        guard allowed.contains(bucket) else {
            throw .invalid(
                "AppS3Bucket",
                "is not a bucket that this provider serves: use the provider stack's output CertificateBucketName")
        }
        return bucket
    }

    fileprivate func keyAlgorithm() throws(CustomResourceError) -> KeyAlgorithm? {
        guard let text = try optionalString("KeyAlgorithm", maximumLength: 64) else { return nil }
        guard let algorithm = KeyAlgorithm(rawValue: text) else {
            let allowed = KeyAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalid("KeyAlgorithm", "is \"\(printable(text))\": it must be one of \(allowed)")
        }
        return algorithm
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

    fileprivate func rotationParameter() throws(CustomResourceError) -> String? {
        guard let name = try optionalString("RotationParameter", maximumLength: 255) else { return nil }
        guard name.utf8.allSatisfy({ isASCIILetter($0) || isASCIIDigit($0) }) else {
            throw .invalid("RotationParameter", "must be a parameter's name: letters and digits only")
        }
        return name
    }
}

private func isASCIILetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
}

private func isASCIIDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}

/// What a message may echo: everything but ASCII's visible characters is escaped.
private func printable(_ text: String) -> String {
    text.unicodeScalars.map { $0.value > 0x20 && $0.value < 0x7f ? String($0) : $0.escaped(asASCII: true) }.joined()
}
