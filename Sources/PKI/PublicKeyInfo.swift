internal import Crypto
internal import SwiftASN1
internal import X509

/// A public key as the DER of its SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).
///
/// Reading accepts RSA keys of at least 2048 bits, the NIST curves and Ed25519, in their one canonical encoding.
package struct PublicKeyInfo: Hashable, Sendable {
    package let der: [UInt8]

    /// - Throws: `invalidPublicKey`.
    package init(der: [UInt8]) throws(PKIError) {
        guard der.count <= PublicKeyInfo.maximumLength else {
            throw PKIError(.invalidPublicKey, "A public key of this size is not supported.")
        }
        do {
            let key = try Certificate.PublicKey(derEncoded: der)
            // Another encoding of the same key would have another fingerprint.
            guard try PublicKeyInfo(key).der == der else {
                throw PKIError(.invalidPublicKey, "The public key is not in its canonical encoding.")
            }
        } catch let error as PKIError {
            throw error
        } catch {
            throw PKIError(
                .invalidPublicKey, "This is not a supported public key (SubjectPublicKeyInfo).", cause: error)
        }
        self.der = der
    }

    /// Nil for a key of a kind that is not made here. In the canonical encoding each kind has a length of its own.
    package var keyAlgorithm: KeyAlgorithm? {
        switch der.count {
        case 91: .ecP256
        case 120: .ecP384
        case 294: .rsa2048
        case 422: .rsa3072
        case 550: .rsa4096
        default: nil
        }
    }

    /// From the form of the attribute `PublicKey`: base64 on one line.
    ///
    /// - Throws: `invalidBase64`, `invalidPublicKey`.
    package init(base64: String) throws(PKIError) {
        guard base64.utf8.count <= 2 * PublicKeyInfo.maximumLength else {
            throw PKIError(.invalidPublicKey, "A public key of this size is not supported.")
        }
        guard let der = Base64.decode(base64.utf8) else {
            throw PKIError(.invalidBase64, "The public key is not base64 on one line.")
        }
        try self.init(der: der)
    }

    /// From `-----BEGIN PUBLIC KEY-----`.
    ///
    /// - Throws: `invalidPEM`, `invalidPublicKey`.
    package init(pem: String) throws(PKIError) {
        try self.init(der: PEM(pem, label: PublicKeyInfo.pemLabel).bytes)
    }

    init(_ key: Certificate.PublicKey) throws {
        var serializer = DER.Serializer()
        try serializer.serialize(key)
        self.der = serializer.serializedBytes
    }

    /// One line without armour, the form of the attribute `PublicKey` and of Classic ELB's public-key policy.
    package var base64: String { Base64.encode(der) }

    package var pem: String { PEM(label: PublicKeyInfo.pemLabel, bytes: der).text }

    /// SHA-256 of the DER, lower-case hexadecimal, 64 digits.
    package var fingerprint: String { hexadecimal(SHA256.hash(data: der)) }

    /// An RSA key of 16,384 bits, the largest there is, takes 2086 bytes.
    private static let maximumLength = 4096
    private static let pemLabel = "PUBLIC KEY"
}
