internal import PKI

/// A JSON Web Signature in the flattened JSON form (RFC 7515, section 7.2.2), which is all that ACME uses.
struct JWS {
    private let protected: String
    private let payload: String

    /// - Parameters:
    ///   - header: the protected header as JSON.
    ///   - payload: empty for a POST-as-GET (RFC 8555, section 6.3).
    init(header: String, payload: [UInt8]) {
        protected = Base64URL.encode(header.utf8)
        self.payload = Base64URL.encode(payload)
    }

    var signingInput: [UInt8] { Array("\(protected).\(payload)".utf8) }

    func flattened(signature: [UInt8]) -> String {
        #"{"protected":"\#(protected)","payload":"\#(payload)","signature":"\#(Base64URL.encode(signature))"}"#
    }
}

/// Who signs a request: the key itself before there is an account, the account's URL afterwards (RFC 8555, section 6.2).
struct RequestSigner {
    private enum Key {
        case account(AccountKey)
        case certificate(KeyPair)
    }

    private let key: Key
    private let member: String

    static func key(_ key: AccountKey) -> RequestSigner {
        RequestSigner(key: .account(key), member: #""jwk":\#(key.publicJWK)"#)
    }

    static func account(_ url: ResourceURL, _ key: AccountKey) -> RequestSigner {
        RequestSigner(key: .account(key), member: #""kid":"\#(url)""#)
    }

    /// A certificate's own key, which may revoke it (section 7.6).
    static func certificate(_ keyPair: KeyPair) throws -> RequestSigner {
        let jwk =
            switch try keyPair.josePublicKey() {
            case .ec(let curve, let x, let y):
                #"{"crv":"\#(curve)","kty":"EC","x":"\#(Base64URL.encode(x))","y":"\#(Base64URL.encode(y))"}"#
            case .rsa(let modulus, let exponent):
                #"{"e":"\#(Base64URL.encode(exponent))","kty":"RSA","n":"\#(Base64URL.encode(modulus))"}"#
            }
        return RequestSigner(key: .certificate(keyPair), member: #""jwk":\#(jwk)"#)
    }

    /// - Parameter nonce: nil in the inner JWS of a key change, which has none (section 7.3.5).
    func sign(_ payload: [UInt8], for url: ResourceURL, nonce: String?) throws -> String {
        let nonce = nonce.map { #""nonce":"\#($0)","# } ?? ""
        let algorithm =
            switch key {
            case .account: "ES256"
            case .certificate(let keyPair): keyPair.joseAlgorithm
            }
        let jws = JWS(header: #"{"alg":"\#(algorithm)",\#(member),\#(nonce)"url":"\#(url)"}"#, payload: payload)
        let signature =
            switch key {
            case .account(let key): try key.signature(for: jws.signingInput)
            case .certificate(let keyPair): try keyPair.joseSignature(for: jws.signingInput)
            }
        return jws.flattened(signature: signature)
    }
}
