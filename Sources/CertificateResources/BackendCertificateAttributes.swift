internal import CertificateIssuance
internal import Timekeeping

/// What `Fn::GetAtt` gives for a certificate: every attribute, every time (case 16), none of them secret (case 24).
enum BackendCertificateAttributes {
    static func attributes(key: String, prefix: String, facts: CertificateFacts) throws -> [String: String] {
        [
            "PublicKey": facts.publicKey,
            "PreviousPublicKey": facts.previousPublicKey,
            "CertificateS3Key": key,
            "CertificateS3Prefix": prefix,
            // Policy names of a Classic Load Balancer take a short one.
            "PublicKeyFingerprint": String(try facts.publicKeyFingerprint.prefix(16)),
            "CertificateFingerprint": facts.certificateFingerprint,
            "SerialNumber": facts.serialNumber,
            "NotBefore": facts.notBefore.iso8601,
            "NotAfter": facts.notAfter.iso8601,
        ]
    }
}
