package import ACME
internal import Crypto
package import PKI

/// What is to be ordered from a certificate authority.
package struct OrderRequest: Hashable, Sendable {
    /// Sorted, each once.
    package let names: [SubjectAlternativeName]
    package let authority: CertificateAuthority
    package let keyAlgorithm: KeyAlgorithm
    /// One of the authority's profiles; nil leaves the choice to it.
    package let profile: String?
    /// The common name of the issuer that some certificate of the chain must have; nil takes the authority's own choice.
    package let preferredChain: String?
    /// Whose certificate it is (an AWS account's number; empty without CloudFormation): what was kept from a deleted
    /// certificate is reused for the same one only.
    package let holder: String

    package init(
        names: [SubjectAlternativeName], authority: CertificateAuthority, keyAlgorithm: KeyAlgorithm,
        profile: String? = nil, preferredChain: String? = nil, holder: String = ""
    ) {
        self.names = Set(names).sorted { $0.description.utf8.lexicographicallyPrecedes($1.description.utf8) }
        self.authority = authority
        self.keyAlgorithm = keyAlgorithm
        self.profile = profile
        self.preferredChain = preferredChain
        self.holder = holder
    }

    /// The first that is no wildcard, if there is one.
    package var firstName: String {
        let names = names.map(\.description)
        return names.first { !$0.hasPrefix("*") } ?? names.first ?? ""
    }

    /// How messages call the certificate.
    package var title: String { names.count > 1 ? "\(firstName) and \(names.count - 1) more" : firstName }

    /// What the authority's limits and this request's order book go by: authority and names, as 64 lower-case hexadecimal
    /// digits.
    package var nameSetDigest: String {
        var form = CanonicalForm("stackcert/name-set/1")
        form.append(.directory, authority.directory.description)
        for name in names { form.append(.subjectAlternativeName, name.description) }
        return hexadecimal(SHA256.hash(data: form.bytes))
    }

    /// What challenges will be about: names without `*.`.
    var challengedDomains: Set<String> {
        Set(names.map(\.description).map { $0.hasPrefix("*.") ? String($0.dropFirst(2)) : $0 })
    }

    var identifiers: [Identifier] {
        names.map { name in
            switch name {
            case .dns(let domain): .dns(domain.description)
            case .ip(let address): .ip(address.description)
            }
        }
    }
}

/// A certificate authority, and who we are there.
package struct CertificateAuthority: Hashable, Sendable {
    package let directory: ResourceURL
    /// Where the authority may write to; nil when it shall not.
    package let contact: String?
    package let termsOfServiceAgreed: Bool

    package init(directory: ResourceURL, contact: String?, termsOfServiceAgreed: Bool) {
        self.directory = directory
        self.contact = contact
        self.termsOfServiceAgreed = termsOfServiceAgreed
    }

    /// - Parameter directory: `production` or `staging`, which are Let's Encrypt's, or the URL of another directory.
    /// - Throws: `ACMEError` with `invalidURL`.
    package static func directory(named directory: String) throws(ACMEError) -> ResourceURL {
        switch directory {
        case "production": try ResourceURL("https://acme-v02.api.letsencrypt.org/directory")
        case "staging": try ResourceURL("https://acme-staging-v02.api.letsencrypt.org/directory")
        default: try ResourceURL(directory)
        }
    }

    /// For trying things out: nobody trusts its certificates, and its limits are far away.
    var isStaging: Bool { directory.host.contains("staging") }

    /// One account for each directory and contact.
    var accountDigest: String {
        var form = CanonicalForm("stackcert/acme-account/1")
        form.append(.directory, directory.description)
        if let contact { form.append(.contact, contact) }
        return hexadecimal(SHA256.hash(data: form.bytes))
    }
}
