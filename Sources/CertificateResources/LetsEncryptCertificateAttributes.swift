internal import CertificateIssuance
internal import Timekeeping

/// What `Fn::GetAtt` gives for a certificate: every attribute, every time (case 16), none of them secret (case 24).
enum LetsEncryptCertificateAttributes {
    static func attributes(
        _ address: CertificateAddress, facts: CertificateFacts, copies: CertificateCopies?
    ) throws -> [String: String] {
        [
            "PublicKey": facts.publicKey,
            "PublicKeyFingerprint": String(try facts.publicKeyFingerprint.prefix(16)),
            "CertificateS3Key": address.key,
            "CertificateS3Prefix": address.prefix,
            "CertificateFingerprint": facts.certificateFingerprint,
            "SerialNumber": facts.serialNumber,
            "NotBefore": facts.notBefore.iso8601,
            "NotAfter": facts.notAfter.iso8601,
            // Empty without the copy, so that a template can ask for it in any case.
            "CertificateArn": copies?.certificateARN ?? "",
            "ServerCertificateArn": copies?.serverCertificateARN ?? "",
            "ServerCertificateName": copies?.serverCertificateName ?? "",
        ]
    }
}
