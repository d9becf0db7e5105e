internal import FoundationEssentials
internal import SwiftASN1
internal import Timekeeping
internal import X509

extension KeyPair {
    /// A server certificate over this key, signed with this key, in the profile of RFC 5280:
    ///
    /// version 3; CA:FALSE; key usage digitalSignature, with RSA also keyEncipherment; extended key usage serverAuth;
    /// subject key identifier by method 1 of 4.2.1.2, and the authority's equal to it; SHA-256, with P-384 SHA-384.
    ///
    /// - Throws: `invalidProfile`, `signingFailed`.
    package func selfSigned(
        _ profile: SelfSignedProfile, serialNumber: SerialNumber = .random()
    ) throws(PKIError) -> IssuedCertificate {
        try profile.validate()
        let der: [UInt8]
        do {
            var serializer = DER.Serializer()
            try serializer.serialize(certificate(profile, serialNumber: serialNumber))
            der = serializer.serializedBytes
        } catch {
            throw PKIError(.signingFailed, "The certificate could not be signed.", cause: error)
        }
        return try IssuedCertificate(der: der)
    }

    private func certificate(_ profile: SelfSignedProfile, serialNumber: SerialNumber) throws -> Certificate {
        let signingKey = signingKey
        let subject = try DistinguishedName { CommonName(profile.commonName) }
        let keyIdentifier = SubjectKeyIdentifier(hash: signingKey.publicKey)
        let names = SubjectAlternativeNames(profile.names.map(GeneralName.init))
        let extensions = try Certificate.Extensions {
            Critical(BasicConstraints.notCertificateAuthority)
            Critical(KeyUsage(digitalSignature: true, keyEncipherment: algorithm.isRSA))
            try ExtendedKeyUsage([.serverAuth])
            keyIdentifier
            AuthorityKeyIdentifier(keyIdentifier: keyIdentifier.keyIdentifier)
            names
        }
        // UTCTime or GeneralizedTime is chosen underneath, by the year.
        return try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(bytes: serialNumber.bytes),
            publicKey: signingKey.publicKey,
            notValidBefore: Date(profile.notBefore),
            notValidAfter: Date(profile.notAfter),
            issuer: subject,
            subject: subject,
            signatureAlgorithm: algorithm.signatureAlgorithm,
            extensions: extensions,
            issuerPrivateKey: signingKey
        )
    }
}

extension GeneralName {
    init(_ name: SubjectAlternativeName) {
        switch name {
        case .dns(let domain): self = .dnsName(domain.description)
        case .ip(let address): self = .ipAddress(ASN1OctetString(contentBytes: address.bytes[...]))
        }
    }
}

extension Date {
    fileprivate init(_ instant: UnixInstant) {
        self.init(timeIntervalSince1970: Double(instant.seconds))
    }
}
