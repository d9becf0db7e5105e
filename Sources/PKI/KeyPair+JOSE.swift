internal import Crypto
internal import CryptoExtras

/// What JSON Web Signatures by this key consist of (RFC 7515), not yet encoded.
extension KeyPair {
    /// `alg` (RFC 7518, section 3.1).
    package var joseAlgorithm: String {
        switch algorithm {
        case .rsa2048, .rsa3072, .rsa4096: "RS256"
        case .ecP256: "ES256"
        case .ecP384: "ES384"
        }
    }

    /// The public half (RFC 7518, section 6).
    package enum JOSEPublicKey: Hashable, Sendable {
        case ec(curve: String, x: [UInt8], y: [UInt8])
        case rsa(modulus: [UInt8], exponent: [UInt8])
    }

    /// - Throws: `invalidPublicKey`.
    package func josePublicKey() throws(PKIError) -> JOSEPublicKey {
        switch privateKey {
        case .rsa(let key):
            do {
                let primitives = try key.publicKey.getKeyPrimitives()
                return .rsa(modulus: Array(primitives.modulus), exponent: Array(primitives.publicExponent))
            } catch {
                throw PKIError(.invalidPublicKey, "The RSA key's modulus cannot be read.", cause: error)
            }
        case .p256(let key):
            let point = Array(key.publicKey.rawRepresentation)
            return .ec(curve: "P-256", x: Array(point.prefix(32)), y: Array(point.dropFirst(32)))
        case .p384(let key):
            let point = Array(key.publicKey.rawRepresentation)
            return .ec(curve: "P-384", x: Array(point.prefix(48)), y: Array(point.dropFirst(48)))
        }
    }

    /// By ``joseAlgorithm``: R and S of a curve's order each, or PKCS #1 v1.5.
    ///
    /// - Throws: `signingFailed`.
    package func joseSignature(for bytes: [UInt8]) throws(PKIError) -> [UInt8] {
        do {
            return switch privateKey {
            case .rsa(let key):
                Array(
                    try key.signature(for: SHA256.hash(data: bytes), padding: .insecurePKCS1v1_5).rawRepresentation)
            case .p256(let key): Array(try key.signature(for: SHA256.hash(data: bytes)).rawRepresentation)
            case .p384(let key): Array(try key.signature(for: SHA384.hash(data: bytes)).rawRepresentation)
            }
        } catch {
            throw PKIError(.signingFailed, "The key could not sign.", cause: error)
        }
    }
}
