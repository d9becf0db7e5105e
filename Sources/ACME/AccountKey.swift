internal import Crypto
package import Diagnostics
internal import FoundationEssentials

/// The key of an ACME account: P-256, for ES256 (RFC 7518, section 3.4). Prints redacted.
package struct AccountKey: Sendable {
    private let key: P256.Signing.PrivateKey

    /// A new one.
    package static func generate() -> AccountKey {
        AccountKey(key: P256.Signing.PrivateKey())
    }

    private init(key: P256.Signing.PrivateKey) {
        self.key = key
    }

    /// From a private JSON Web Key (RFC 7517) of the curve P-256.
    ///
    /// - Throws: ``ACMEError/Code/invalidKey``.
    package init(jwk: Redacted<String>) throws(ACMEError) {
        guard let members = try? JSONDecoder().decode(PrivateJWK.self, from: Data(jwk.exposed.utf8)),
            members.kty == "EC", members.crv == "P-256", let bytes = Base64URL.decode(members.d),
            let key = try? P256.Signing.PrivateKey(rawRepresentation: bytes)
        else {
            throw ACMEError(.invalidKey, "The account key is not a private JSON Web Key of the curve P-256.")
        }
        self.key = key
        guard members.x == coordinates.x, members.y == coordinates.y else {
            throw ACMEError(.invalidKey, "The account key's public half does not belong to its private half.")
        }
    }

    /// The private JSON Web Key.
    package var jwk: Redacted<String> {
        let (x, y) = coordinates
        let d = Base64URL.encode(key.rawRepresentation)
        return Redacted(#"{"crv":"P-256","d":"\#(d)","kty":"EC","x":"\#(x)","y":"\#(y)"}"#)
    }

    /// In the form whose hash is the thumbprint: members in alphabetical order, no white space (RFC 7638, section 3).
    var publicJWK: String {
        let (x, y) = coordinates
        return #"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#
    }

    /// SHA-256 of the public key's canonical form, in base64url.
    package var thumbprint: String { Base64URL.encode(SHA256.hash(data: Array(publicJWK.utf8))) }

    /// What proves control of a name, together with the account (RFC 8555, section 8.1).
    ///
    /// - Returns: nil when the token is not one that the RFC allows: it becomes part of paths and records.
    package func keyAuthorization(token: String) -> Redacted<String>? {
        guard Base64URL.isValid(token), token.utf8.count <= 256 else { return nil }
        return Redacted("\(token).\(thumbprint)")
    }

    /// R and S, 32 bytes each (RFC 7518, section 3.4).
    func signature(for bytes: [UInt8]) throws -> [UInt8] {
        Array(try key.signature(for: bytes).rawRepresentation)
    }

    private var coordinates: (x: String, y: String) {
        let point = key.publicKey.rawRepresentation
        return (Base64URL.encode(point.prefix(32)), Base64URL.encode(point.dropFirst(32)))
    }

    private struct PrivateJWK: Decodable {
        let kty: String
        let crv: String
        let d: String
        let x: String
        let y: String
    }
}

extension AccountKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "AccountKey(<redacted>)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [Mirror.Child]()) }
}
