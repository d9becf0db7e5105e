internal import Crypto
internal import CryptoExtras
internal import SwiftASN1
internal import X509

/// The private half, in whichever of the libraries' types belongs to its algorithm.
enum PrivateKey: Sendable {
    case rsa(_RSA.Signing.PrivateKey)
    case p256(P256.Signing.PrivateKey)
    case p384(P384.Signing.PrivateKey)

    init(generating algorithm: KeyAlgorithm) throws {
        switch algorithm {
        case .rsa2048: self = .rsa(try _RSA.Signing.PrivateKey(keySize: .bits2048))
        case .rsa3072: self = .rsa(try _RSA.Signing.PrivateKey(keySize: .bits3072))
        case .rsa4096: self = .rsa(try _RSA.Signing.PrivateKey(keySize: .bits4096))
        case .ecP256: self = .p256(P256.Signing.PrivateKey())
        case .ecP384: self = .p384(P384.Signing.PrivateKey())
        }
    }

    /// From a PrivateKeyInfo of RFC 5208. The libraries read PKCS#1 and SEC 1 from the same call, so the outer
    /// structure is read here first, and its algorithm chooses the type.
    init(pkcs8 der: [UInt8]) throws {
        switch try PrivateKeyAlgorithm(pkcs8: der) {
        case .rsa: self = .rsa(try _RSA.Signing.PrivateKey(derRepresentation: der))
        case .p256: self = .p256(try P256.Signing.PrivateKey(derRepresentation: der))
        case .p384: self = .p384(try P384.Signing.PrivateKey(derRepresentation: der))
        }
    }

    /// nil for an RSA size that is not offered.
    var algorithm: KeyAlgorithm? {
        switch self {
        case .rsa(let key): KeyAlgorithm(rsaKeySizeInBits: key.keySizeInBits)
        case .p256: .ecP256
        case .p384: .ecP384
        }
    }

    /// PrivateKeyInfo of RFC 5208, byte for byte what OpenSSL writes for the same key.
    var pkcs8: [UInt8] {
        switch self {
        case .rsa(let key): Array(key.pkcs8DERRepresentation)
        case .p256(let key): Array(key.derRepresentation)
        case .p384(let key): Array(key.derRepresentation)
        }
    }

    var signing: Certificate.PrivateKey {
        switch self {
        case .rsa(let key): Certificate.PrivateKey(key)
        case .p256(let key): Certificate.PrivateKey(key)
        case .p384(let key): Certificate.PrivateKey(key)
        }
    }
}

/// The algorithm that a PrivateKeyInfo names.
private enum PrivateKeyAlgorithm {
    case rsa
    case p256
    case p384

    init(pkcs8 der: [UInt8]) throws {
        let identifier = try DER.sequence(DER.parse(der), identifier: .sequence) { nodes in
            guard try Int(derEncoded: &nodes) == 0, let identifier = nodes.next() else {
                throw PKIError(.invalidPrivateKey, "Only version 0 of PKCS#8 is supported.")
            }
            _ = try ASN1OctetString(derEncoded: &nodes)
            // Attributes may follow. They say nothing that is of use here.
            while nodes.next() != nil {}
            return identifier
        }
        self = try DER.sequence(identifier, identifier: .sequence) { nodes in
            let oid = try ASN1ObjectIdentifier(derEncoded: &nodes)
            let parameters = nodes.next()
            if oid == .AlgorithmIdentifier.rsaEncryption { return .rsa }
            if oid == .AlgorithmIdentifier.idEcPublicKey, let parameters {
                let curve = try ASN1ObjectIdentifier(derEncoded: parameters)
                if curve == .NamedCurves.secp256r1 { return .p256 }
                if curve == .NamedCurves.secp384r1 { return .p384 }
            }
            throw PKIError(.invalidPrivateKey, "Only RSA, P-256 and P-384 private keys are supported.")
        }
    }
}
