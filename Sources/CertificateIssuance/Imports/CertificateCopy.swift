package import PKI

/// A certificate with its key, to be copied to where load balancers and CloudFront look for it. Prints redacted.
package struct CertificateCopy: Sendable {
    package let keyPair: KeyPair
    package let certificate: IssuedCertificate
    /// What it is signed by, its issuer first; empty for a self-signed one.
    package let chain: [IssuedCertificate]
    package let label: CopyLabel

    package init(keyPair: KeyPair, certificate: IssuedCertificate, chain: [IssuedCertificate], label: CopyLabel) {
        self.keyPair = keyPair
        self.certificate = certificate
        self.chain = chain
        self.label = label
    }

    var chainPEM: String? { chain.isEmpty ? nil : chain.map(\.pem).joined() }
}

extension CertificateCopy: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "CertificateCopy(\(label.generation), <redacted>)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["generation": label.generation.description]) }
}

/// Of which generation something is a copy: by this it is found again, whatever else has been forgotten.
package struct CopyLabel: Hashable, Sendable {
    package let generation: Generation
    package let owner: CertificateOwner
    package let appName: String

    package init(generation: Generation, owner: CertificateOwner, appName: String) {
        self.generation = generation
        self.owner = owner
        self.appName = appName
    }

    static let generationTag = "stackcert:generation"

    var tags: [String: String] {
        [
            Self.generationTag: generation.description, "stackcert:stack": owner.stackID,
            "stackcert:resource": owner.logicalResourceID,
            // What consoles show.
            "Name": appName,
        ]
    }

    /// The name in IAM, which allows 128 characters.
    package var serverCertificateName: String {
        "stackcert-\(appName.prefix(101))-\(generation.description.prefix(16))"
    }
}
