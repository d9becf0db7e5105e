internal import Crypto
package import Diagnostics

/// The account that a certificate authority knows a customer by outside of ACME (RFC 8555, section 7.3.4).
package struct ExternalAccount: Sendable {
    private let keyID: String
    private let key: Redacted<[UInt8]>

    /// - Parameters:
    ///   - keyID: as the authority gave it.
    ///   - hmacKey: as the authority gave it: in base64url or in base64, padded or not.
    /// - Throws: ``ACMEError/Code/invalidKey``.
    package init(keyID: String, hmacKey: Redacted<String>) throws(ACMEError) {
        guard (1...1024).contains(keyID.utf8.count),
            keyID.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
        else {
            throw ACMEError(.invalidKey, "The external account's key id must be visible ASCII without quotes.")
        }
        var text = hmacKey.exposed[...]
        while text.last == "=" { text.removeLast() }
        let letters = text.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }
        guard let bytes = Base64URL.decode(String(letters)) else {
            throw ACMEError(.invalidKey, "The external account's HMAC key is neither base64url nor base64.")
        }
        self.keyID = keyID
        self.key = Redacted(bytes)
    }

    /// A JWS over the account's public key, by HS256.
    func binding(of account: AccountKey, at newAccount: ResourceURL) -> String {
        let header = #"{"alg":"HS256","kid":"\#(keyID)","url":"\#(newAccount)"}"#
        let jws = JWS(header: header, payload: Array(account.publicJWK.utf8))
        let code = HMAC<SHA256>.authenticationCode(for: jws.signingInput, using: SymmetricKey(data: key.exposed))
        return jws.flattened(signature: Array(code))
    }
}
