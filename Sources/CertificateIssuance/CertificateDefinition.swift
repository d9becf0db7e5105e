package import PKI

/// The properties that define a certificate: a change in any of them makes a new generation.
package struct CertificateDefinition: Hashable, Sendable {
    package let appDomain: DomainName
    /// `[A-Za-z0-9._-]`, 1–128 characters.
    package let appName: String
    package let bucket: String
    package let keyAlgorithm: KeyAlgorithm
    /// 1–3650.
    package let validityDays: Int
    /// More names than the domain's own; sorted, each once, so that their order in the template does not matter.
    package let subjectAlternativeNames: [SubjectAlternativeName]
    package let rotation: String?

    package init(
        appDomain: DomainName, appName: String, bucket: String, keyAlgorithm: KeyAlgorithm, validityDays: Int,
        subjectAlternativeNames: [SubjectAlternativeName], rotation: String?
    ) {
        self.appDomain = appDomain
        self.appName = appName
        self.bucket = bucket
        self.keyAlgorithm = keyAlgorithm
        self.validityDays = validityDays
        self.subjectAlternativeNames = Set(subjectAlternativeNames)
            .sorted { $0.description.utf8.lexicographicallyPrecedes($1.description.utf8) }
        self.rotation = rotation
    }

    /// All names that the certificate is for: the domain, everything right below it, and the others. Nothing is below a
    /// domain of 252 or 253 characters: a longer name is no domain name (RFC 1035, 2.3.4).
    package var names: [SubjectAlternativeName] {
        get throws(PKIError) {
            var own: [SubjectAlternativeName] = [.dns(appDomain)]
            if appDomain.description.utf8.count <= 251 {
                own.append(.dns(try DomainName(wildcardAllowed: "*.\(appDomain)")))
            }
            return own + subjectAlternativeNames.filter { !own.contains($0) }
        }
    }
}
