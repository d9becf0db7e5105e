package import Diagnostics
internal import X509

/// A private key with its public half.
///
/// Printing, interpolating, dumping and reflecting show the algorithm only.
package struct KeyPair: Sendable {
    package let algorithm: KeyAlgorithm
    package let publicKey: PublicKeyInfo
    let privateKey: PrivateKey

    /// Makes a new key. RSA takes from a tenth of a second to several seconds, so this leaves the caller's executor.
    ///
    /// - Throws: `keyGenerationFailed`.
    @concurrent
    package static func generate(_ algorithm: KeyAlgorithm) async throws(PKIError) -> KeyPair {
        do {
            return try KeyPair(PrivateKey(generating: algorithm), algorithm: algorithm)
        } catch {
            throw PKIError(
                .keyGenerationFailed, "The key of type \(algorithm.rawValue) could not be made.", cause: error)
        }
    }

    /// Reads `-----BEGIN PRIVATE KEY-----` (PKCS#8, not encrypted).
    ///
    /// - Throws: `invalidPEM`, `invalidPrivateKey`.
    package init(pkcs8PEM: String) throws(PKIError) {
        let bytes = try PEM(pkcs8PEM, label: KeyPair.pemLabel).bytes
        do {
            let privateKey = try PrivateKey(pkcs8: bytes)
            guard let algorithm = privateKey.algorithm else {
                throw PKIError(.invalidPrivateKey, "Only RSA keys of 2048, 3072 and 4096 bits are supported.")
            }
            try self.init(privateKey, algorithm: algorithm)
        } catch let error as PKIError {
            throw error
        } catch {
            throw PKIError(.invalidPrivateKey, "This is not a supported private key (PKCS#8).", cause: error)
        }
    }

    /// PKCS#8 in PEM with a newline at the end, byte for byte what OpenSSL writes for the same key.
    package var privateKeyPEM: Redacted<String> {
        Redacted(PEM(label: KeyPair.pemLabel, bytes: privateKey.pkcs8).text)
    }

    var signingKey: Certificate.PrivateKey { privateKey.signing }

    private init(_ privateKey: PrivateKey, algorithm: KeyAlgorithm) throws {
        self.algorithm = algorithm
        self.publicKey = try PublicKeyInfo(privateKey.signing.publicKey)
        self.privateKey = privateKey
    }

    private static let pemLabel = "PRIVATE KEY"
}

extension KeyPair: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "KeyPair(\(algorithm.rawValue), <redacted>)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["algorithm": algorithm.rawValue]) }
}
