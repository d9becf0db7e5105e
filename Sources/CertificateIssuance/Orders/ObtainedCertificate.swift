internal import ACME
internal import Diagnostics
internal import FoundationEssentials
package import PKI

/// A key and the certificate that an authority gave for it.
package struct ObtainedCertificate: Sendable {
    package let keyPair: KeyPair
    package let certificate: IssuedCertificate
    /// From the issuer of ``certificate`` upwards, without the root.
    package let chain: [IssuedCertificate]

    /// - Parameter pem: the certificate first, then its chain.
    /// - Throws: ``IssuanceError/Code/unusableCertificate`` when it is not for this key and these names.
    init(pem: String, keyPair: KeyPair, names: [SubjectAlternativeName]) throws {
        let certificates = try IssuedCertificate.chain(pem: pem)
        guard let certificate = certificates.first, certificate.publicKey == keyPair.publicKey,
            Set(names).isSubset(of: certificate.names)
        else {
            throw IssuanceError(
                .unusableCertificate,
                "The certificate authority's answer is not a certificate for the key and the names that it was asked for."
            )
        }
        self.keyPair = keyPair
        self.certificate = certificate
        self.chain = Array(certificates.dropFirst())
    }

    /// From a bundle's JSON.
    ///
    /// - Throws: ``IssuanceError/Code/unreadable``, `PKIError`; no member's value is quoted.
    init(bundle: Redacted<[UInt8]>) throws {
        guard let members = try? JSONDecoder().decode(BundleMembers.self, from: Data(bundle.exposed)) else {
            throw IssuanceError(.unreadable, "The bundle is no JSON with a private key and a certificate.")
        }
        try self.init(
            pem: members.certificate + (members.chain ?? ""), keyPair: KeyPair(pkcs8PEM: members.private_key), names: []
        )
    }

    package var chainPEM: String { chain.map(\.pem).joined() }
    package var pem: String { certificate.pem + chainPEM }

    /// How the authority calls the certificate (RFC 9773, section 4.1); nil when it has no authority key identifier.
    package var certificateID: String? {
        certificate.authorityKeyIdentifier.map {
            CertificateID(authorityKeyIdentifier: $0, serialNumber: certificate.serialNumberContent).description
        }
    }

    /// Whether a certificate of the chain, or the one itself, was issued by a certificate of this common name.
    func isIssued(below commonName: String) -> Bool {
        ([certificate] + chain).contains { $0.issuerCommonName == commonName }
    }
}

// Named as they are read.
// swift-format-ignore: AlwaysUseLowerCamelCase
private struct BundleMembers: Decodable {
    let private_key: String
    let certificate: String
    let chain: String?
}
