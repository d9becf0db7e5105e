internal import ACME
package import CertificateIssuance
package import CustomResource
internal import PKI

/// The properties of `Custom::LetsEncryptCertificate`, checked.
package struct LetsEncryptCertificateProperties: Hashable, Sendable {
    /// How control of the names is proven.
    package enum Challenge: Hashable, Sendable {
        /// TXT records in Route 53; the zone and the role for it, when they are not found by the names.
        case dns(hostedZoneID: String?, roleARN: String?)
        /// Objects of a website bucket.
        case http(bucket: String)
    }

    package let definition: LetsEncryptDefinition
    package let settings: CertificateSettings
    package let challenge: Challenge
    package let contact: String?
    package let termsOfServiceAgreed: Bool

    static let names: Set<String> = [
        "AppName", "AppS3Bucket", "DomainNames", "Contact", "Directory", "TermsOfServiceAgreed", "Challenge",
        "HostedZoneId", "HostedZoneRoleArn", "ChallengeBucket", "KeyAlgorithm", "Profile", "PreferredChain", "Import",
        "ImportRegion", "ImportPath", "StableCertificateArn", "RevokeOnDelete", "Rotation", "RotationParameter",
    ]

    /// - Parameter account: the number of the stack's AWS account.
    /// - Throws: ``CustomResourceError/Code/invalidProperty(_:)`` with the first property that is against its rule.
    package init(_ bag: PropertyBag, defaults: ProviderDefaults, account: String) throws(CustomResourceError) {
        let names = try bag.domainNames()
        challenge = try bag.challenge(for: names)
        contact = try bag.contact()
        termsOfServiceAgreed = try bag.boolean("TermsOfServiceAgreed") ?? false
        let targets = try bag.importTargets()
        let stableARN = try bag.boolean("StableCertificateArn") ?? false
        guard !stableARN || targets.contains(.acm) else {
            throw .invalid("StableCertificateArn", "is true without a copy in ACM: set Import to ACM")
        }
        definition = LetsEncryptDefinition(
            appName: try bag.appName(),
            bucket: try bag.bucket(of: defaults.buckets),
            names: names,
            directory: try bag.directory(),
            keyAlgorithm: try bag.keyAlgorithm() ?? .ecP256,
            profile: try bag.optionalString("Profile", maximumLength: 64),
            preferredChain: try bag.optionalString("PreferredChain", maximumLength: 64),
            importTargets: targets,
            importRegion: try bag.importRegion(targets),
            importPath: try bag.importPath(targets),
            rotation: try bag.optionalString("Rotation", maximumLength: 1024))
        if definition.importPath?.hasPrefix("/cloudfront/") == true,
            [.rsa3072, .rsa4096].contains(definition.keyAlgorithm)
        {
            throw .invalid(
                "KeyAlgorithm",
                "is \(definition.keyAlgorithm.rawValue), of which CloudFront takes no certificates of IAM: choose another, "
                    + "or Import ACM with ImportRegion us-east-1")
        }
        settings = CertificateSettings(
            rotationParameter: try bag.rotationParameter() ?? "CertificateRotation", stableS3Key: false,
            order: OrderSettings(
                directory: definition.directory, contact: contact, profile: definition.profile,
                preferredChain: definition.preferredChain, holder: account,
                revokeOnDelete: try bag.boolean("RevokeOnDelete") ?? false, stableCertificateARN: stableARN,
                importRegion: definition.importRegion, importPath: definition.importPath))
    }

    /// What is to be ordered.
    var request: OrderRequest {
        OrderRequest(
            names: definition.names,
            authority: CertificateAuthority(
                directory: definition.directory, contact: contact, termsOfServiceAgreed: termsOfServiceAgreed),
            keyAlgorithm: definition.keyAlgorithm, profile: definition.profile,
            preferredChain: definition.preferredChain, holder: settings.order?.holder ?? "")
    }
}

extension PropertyBag {
    fileprivate func domainNames() throws(CustomResourceError) -> [SubjectAlternativeName] {
        var names: [SubjectAlternativeName] = []
        for item in try list("DomainNames", maximumCount: 100) {
            let name: SubjectAlternativeName
            do {
                name = try SubjectAlternativeName(item)
            } catch {
                throw .invalid(
                    "DomainNames", "has an item that is neither a domain name nor an IP address: \(error.message)")
            }
            guard name == name.withoutMapping else {
                throw .invalid("DomainNames", "has the address \(name): write it as \(name.withoutMapping)")
            }
            names.append(name)
        }
        guard !names.isEmpty else {
            throw .invalid("DomainNames", "is missing: it must be a list of 1 to 100 names")
        }
        return names
    }

    fileprivate func contact() throws(CustomResourceError) -> String? {
        guard let contact = try optionalString("Contact", maximumLength: 254) else { return nil }
        let parts = contact.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty,
            contact.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !",:\"\\<>".utf8.contains($0) })
        else { throw .invalid("Contact", "must be one e-mail address") }
        return contact
    }

    fileprivate func directory() throws(CustomResourceError) -> ResourceURL {
        let text = try optionalString("Directory", maximumLength: 2048) ?? "production"
        do {
            return try CertificateAuthority.directory(named: text)
        } catch {
            throw .invalid("Directory", "must be production, staging, or the https URL of an ACME directory")
        }
    }

    fileprivate func challenge(
        for names: [SubjectAlternativeName]
    ) throws(CustomResourceError) -> LetsEncryptCertificateProperties.Challenge {
        let zone = try optionalString("HostedZoneId", maximumLength: 64)
        let role = try optionalString("HostedZoneRoleArn", maximumLength: 2048)
        let bucket = try optionalString("ChallengeBucket", maximumLength: 63)
        switch try optionalString("Challenge", maximumLength: 64) ?? "dns-01" {
        case "dns-01":
            guard bucket == nil else { throw .invalid("ChallengeBucket", "is given, but Challenge is not http-01") }
            for case .ip(let address) in names {
                throw .invalid("DomainNames", "has the IP address \(address): those need Challenge http-01")
            }
            return .dns(hostedZoneID: zone, roleARN: role)
        case "http-01":
            guard let bucket else {
                throw .invalid("ChallengeBucket", "is missing: http-01 needs the name of a website bucket")
            }
            guard zone == nil, role == nil else {
                throw .invalid(
                    zone != nil ? "HostedZoneId" : "HostedZoneRoleArn", "is given, but Challenge is not dns-01")
            }
            for name in names where name.description.hasPrefix("*.") {
                throw .invalid("DomainNames", "has the wildcard \(name): those need Challenge dns-01")
            }
            return .http(bucket: bucket)
        case let other:
            throw .invalid("Challenge", "is \"\(printable(other))\": it must be dns-01 or http-01")
        }
    }

    fileprivate func importTargets() throws(CustomResourceError) -> Set<LetsEncryptDefinition.ImportTarget> {
        var targets: Set<LetsEncryptDefinition.ImportTarget> = []
        for item in try list("Import", maximumCount: 2) {
            guard let target = LetsEncryptDefinition.ImportTarget(rawValue: item) else {
                throw .invalid("Import", "has the item \"\(printable(item))\": each must be ACM or IAM")
            }
            targets.insert(target)
        }
        return targets
    }

    fileprivate func importRegion(
        _ targets: Set<LetsEncryptDefinition.ImportTarget>
    ) throws(CustomResourceError) -> String? {
        guard let region = try optionalString("ImportRegion", maximumLength: 32) else { return nil }
        guard region.utf8.allSatisfy({ isLowerCaseLetterOrDigit($0) || $0 == UInt8(ascii: "-") }) else {
            throw .invalid("ImportRegion", "must be the name of a region, such as us-east-1")
        }
        guard targets.contains(.acm) else {
            throw .invalid("ImportRegion", "is given, but Import does not name ACM")
        }
        return region
    }

    fileprivate func importPath(
        _ targets: Set<LetsEncryptDefinition.ImportTarget>
    ) throws(CustomResourceError) -> String? {
        guard let path = try optionalString("ImportPath", maximumLength: 512) else { return nil }
        guard path.hasPrefix("/"), path.hasSuffix("/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .invalid("ImportPath", "must begin and end with a slash, such as /cloudfront/shop/")
        }
        guard targets.contains(.iam) else { throw .invalid("ImportPath", "is given, but Import does not name IAM") }
        return path
    }
}

private func isLowerCaseLetterOrDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}
