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
            // Policy names of a Classic Load Balancer take a short one. The previous key needs its own: a rollback changes
            // it while the current one stays, and a policy can only be replaced under another name.
            "PublicKeyFingerprint": String(try facts.publicKeyFingerprint.prefix(16)),
            "PreviousPublicKeyFingerprint": String(try facts.previousPublicKeyFingerprint.prefix(16)),
            "CertificateFingerprint": facts.certificateFingerprint,
            "SerialNumber": facts.serialNumber,
            "NotBefore": facts.notBefore.iso8601,
            "NotAfter": facts.notAfter.iso8601,
        ]
    }
}
