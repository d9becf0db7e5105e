internal import X509

/// The kinds of key that can be made. The raw values are those of the property `KeyAlgorithm`.
package enum KeyAlgorithm: String, CaseIterable, Sendable, Codable {
    case rsa2048 = "RSA_2048"
    case rsa3072 = "RSA_3072"
    case rsa4096 = "RSA_4096"
    case ecP256 = "EC_P256"
    case ecP384 = "EC_P384"
}

extension KeyAlgorithm {
    var isRSA: Bool {
        switch self {
        case .rsa2048, .rsa3072, .rsa4096: true
        case .ecP256, .ecP384: false
        }
    }

    /// SHA-384 only where SHA-256 would be the weaker half.
    var signatureAlgorithm: Certificate.SignatureAlgorithm {
        switch self {
        case .rsa2048, .rsa3072, .rsa4096: .sha256WithRSAEncryption
        case .ecP256: .ecdsaWithSHA256
        case .ecP384: .ecdsaWithSHA384
        }
    }

    init?(rsaKeySizeInBits bits: Int) {
        switch bits {
        case 2048: self = .rsa2048
        case 3072: self = .rsa3072
        case 4096: self = .rsa4096
        default: return nil
        }
    }
}
