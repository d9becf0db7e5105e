internal import SwiftASN1
internal import X509

extension KeyPair {
    /// A request for a certificate over this key (PKCS#10, RFC 2986), as RFC 8555, section 7.4, wants it: the names are in
    /// the alternative names only, and the subject is empty.
    ///
    /// - Returns: DER.
    /// - Throws: `signingFailed`.
    package func certificateRequest(for names: [SubjectAlternativeName]) throws(PKIError) -> [UInt8] {
        do {
            let extensions = try Certificate.Extensions { SubjectAlternativeNames(names.map(GeneralName.init)) }
            let request = try CertificateSigningRequest(
                version: .v1, subject: DistinguishedName(), privateKey: signingKey,
                attributes: CertificateSigningRequest.Attributes([.init(ExtensionRequest(extensions: extensions))]),
                signatureAlgorithm: algorithm.signatureAlgorithm)
            var serializer = DER.Serializer()
            try serializer.serialize(request)
            return serializer.serializedBytes
        } catch {
            throw PKIError(.signingFailed, "The request for the certificate could not be signed.", cause: error)
        }
    }
}
