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

    package var chainPEM: String { chain.map(\.pem).joined() }
    package var pem: String { certificate.pem + chainPEM }

    /// Whether a certificate of the chain, or the one itself, was issued by a certificate of this common name.
    func isIssued(below commonName: String) -> Bool {
        ([certificate] + chain).contains { $0.issuerCommonName == commonName }
    }
}
