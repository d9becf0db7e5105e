package import PKI
package import Timekeeping

/// The public facts of one generation. They are kept twice: as the bundle's metadata, which the function can read
/// without reading the key, and in the record.
package struct CertificateFacts: Hashable, Sendable, Codable {
    /// Base64 SubjectPublicKeyInfo.
    package let publicKey: String
    /// The other key that servers may show for now; of nobody's key when `previousKeyDiscarded`.
    package let previousPublicKey: String
    /// Whether the previous public key's private half was thrown away when it was made.
    package let previousKeyDiscarded: Bool
    /// Lower-case hexadecimal SHA-256 of the certificate.
    package let certificateFingerprint: String
    /// Lower-case hexadecimal.
    package let serialNumber: String
    package let notBefore: UnixInstant
    package let notAfter: UnixInstant
    /// The CloudFormation request that made the generation.
    package let requestID: String
    /// When that request was issued.
    package let issuedAt: UnixInstant

    package init(
        _ certificate: IssuedCertificate, previousPublicKey: PreviousPublicKey, requestID: String,
        issuedAt: UnixInstant
    ) {
        self.init(
            publicKey: certificate.publicKey.base64, previousPublicKey: previousPublicKey.base64,
            previousKeyDiscarded: previousPublicKey.isDiscarded, certificateFingerprint: certificate.fingerprint,
            serialNumber: certificate.serialNumber, notBefore: certificate.notBefore,
            notAfter: certificate.notAfter, requestID: requestID, issuedAt: issuedAt)
    }

    package init(
        publicKey: String, previousPublicKey: String, previousKeyDiscarded: Bool, certificateFingerprint: String,
        serialNumber: String, notBefore: UnixInstant, notAfter: UnixInstant, requestID: String, issuedAt: UnixInstant
    ) {
        self.publicKey = publicKey
        self.previousPublicKey = previousPublicKey
        self.previousKeyDiscarded = previousKeyDiscarded
        self.certificateFingerprint = certificateFingerprint
        self.serialNumber = serialNumber
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.requestID = requestID
        self.issuedAt = issuedAt
    }

    package func replacing(_ previousPublicKey: PreviousPublicKey) -> CertificateFacts {
        CertificateFacts(
            publicKey: publicKey, previousPublicKey: previousPublicKey.base64,
            previousKeyDiscarded: previousPublicKey.isDiscarded, certificateFingerprint: certificateFingerprint,
            serialNumber: serialNumber, notBefore: notBefore, notAfter: notAfter, requestID: requestID,
            issuedAt: issuedAt)
    }
}

/// A key that the load balancer trusts beside the current one.
package struct PreviousPublicKey: Hashable, Sendable {
    /// Base64 SubjectPublicKeyInfo.
    package let base64: String
    package let isDiscarded: Bool

    /// The key that servers show until they have changed over.
    package static func trusted(_ base64: String) -> PreviousPublicKey {
        PreviousPublicKey(base64: base64, isDiscarded: false)
    }

    /// A fresh key whose private half is thrown away at once: two policies of a load balancer with one key are
    /// unproven, so there is always a second, different one.
    ///
    /// - Parameter algorithm: the current key's; any RSA key is stood for by the smallest, which is made fastest.
    package static func discarded(like algorithm: KeyAlgorithm) async throws -> PreviousPublicKey {
        let smallest: KeyAlgorithm =
            switch algorithm {
            case .rsa2048, .rsa3072, .rsa4096: .rsa2048
            case .ecP256, .ecP384: algorithm
            }
        return PreviousPublicKey(base64: try await KeyPair.generate(smallest).publicKey.base64, isDiscarded: true)
    }
}

extension CertificateFacts {
    package var previous: PreviousPublicKey {
        PreviousPublicKey(base64: previousPublicKey, isDiscarded: previousKeyDiscarded)
    }
}

extension CertificateFacts {
    /// Lower-case hexadecimal SHA-256 of the public key's SubjectPublicKeyInfo.
    package var publicKeyFingerprint: String {
        get throws { try PublicKeyInfo(base64: publicKey).fingerprint }
    }

    package var previousPublicKeyFingerprint: String {
        get throws { try PublicKeyInfo(base64: previousPublicKey).fingerprint }
    }
}
