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
    private let key: AccountKey
    private let member: String

    static func key(_ key: AccountKey) -> RequestSigner {
        RequestSigner(key: key, member: #""jwk":\#(key.publicJWK)"#)
    }

    static func account(_ url: ResourceURL, _ key: AccountKey) -> RequestSigner {
        RequestSigner(key: key, member: #""kid":"\#(url)""#)
    }

    /// - Parameter nonce: nil in the inner JWS of a key change, which has none (section 7.3.5).
    func sign(_ payload: [UInt8], for url: ResourceURL, nonce: String?) throws -> String {
        let nonce = nonce.map { #""nonce":"\#($0)","# } ?? ""
        let jws = JWS(header: #"{"alg":"ES256",\#(member),\#(nonce)"url":"\#(url)"}"#, payload: payload)
        return jws.flattened(signature: try key.signature(for: jws.signingInput))
    }
}
