internal import Crypto
internal import Foundation
internal import HTTPTypes
internal import SigV4
internal import Timekeeping

struct InMemoryAnswer: Error {
    var status = 200
    var body = ""
    var fields: [String: String] = [:]

    static func problem(_ type: String, _ status: Int, _ detail: String) -> InMemoryAnswer {
        InMemoryAnswer(
            status: status,
            body: #"{"type":"urn:ietf:params:acme:error:\#(type)","detail":"\#(detail)","status":\#(status)}"#,
            fields: ["Content-Type": "application/problem+json"])
    }
}

struct InMemoryOrder {
    let identifiers: [InMemoryIdentifier]
    let authorizations: [Int]
    var isFinalized = false
    var pollsLeft: Int
    var certificate: Int?
}

struct InMemoryAuthorization {
    let identifier: InMemoryIdentifier
    let isWildcard: Bool
    let token: String
    var isStarted = false
    var pollsLeft: Int
    var verdict: Bool?
    var keyAuthorization = ""
}

struct InMemoryIdentifier: Codable, Hashable {
    let type: String
    let value: String
}

/// A JWS as it came, not yet believed.
struct InMemoryJWS: Decodable {
    let protected: String
    let payload: String
    let signature: String

    struct Header: Decodable {
        let alg: String
        let nonce: String?
        let url: String
        let kid: String?
        let jwk: Key?
    }

    struct Key: Decodable, Hashable {
        let kty: String
        let crv: String
        let x: String
        let y: String

        var publicKey: P256.Signing.PublicKey? {
            guard let x = bytes(x), let y = bytes(y) else { return nil }
            return try? P256.Signing.PublicKey(rawRepresentation: x + y)
        }

        var thumbprint: String {
            base64URL(SHA256.hash(data: Data(#"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#.utf8)))
        }
    }

    var header: Header? { bytes(protected).flatMap { try? JSONDecoder().decode(Header.self, from: Data($0)) } }
    /// What a revocation is about, in DER.
    var certificate: Data {
        struct Body: Decodable { let certificate: String }
        let body = try? JSONDecoder().decode(Body.self, from: Data(payloadText.utf8))
        return Data(body.flatMap { bytes($0.certificate) } ?? [])
    }
    var payloadText: String { bytes(payload).map { String(decoding: $0, as: UTF8.self) } ?? "" }

    func isSigned(by key: P256.Signing.PublicKey) -> Bool {
        guard let raw = bytes(signature), let signature = try? P256.Signing.ECDSASignature(rawRepresentation: raw)
        else {
            return false
        }
        return key.isValidSignature(signature, for: Data("\(protected).\(payload)".utf8))
    }
}

func base64URL(_ bytes: some Sequence<UInt8>) -> String {
    Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
        .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
}

private func bytes(_ base64URL: String) -> [UInt8]? {
    var text = base64URL.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
    while text.count % 4 != 0 { text += "=" }
    return Data(base64Encoded: text).map(Array.init)
}

extension InMemoryACMEServer {
    func respond(
        to request: HTTPRequest, path: String, jws: InMemoryJWS?, behaviour: Behaviour, state: inout State
    ) throws(InMemoryAnswer) -> InMemoryAnswer {
        let name = path.prefix { $0 != "/" }
        switch (request.method, name) {
        case (.get, "directory"): return directory(behaviour)
        case (.head, "nonce"): return InMemoryAnswer()
        case (.get, "renewal"):
            guard let window = behaviour.renewalWindow else { throw .problem("malformed", 404, "Nothing there.") }
            return InMemoryAnswer(
                body: #"{"suggestedWindow":{"start":"\#(window.start.iso8601)","end":"\#(window.end.iso8601)"}}"#,
                fields: ["Retry-After": "21600"])
        default: break
        }
        guard request.method == .post, let jws, let header = jws.header,
            request.headerFields[.contentType] == "application/jose+json"
        else { throw .problem("malformed", 400, "No JWS.") }
        let (key, thumbprint) = try authenticated(jws, header, path: path, behaviour: behaviour, state: &state)
        if name == "account" {
            return try newAccount(jws, header, key, thumbprint, path: path, behaviour, state: &state)
        }
        if name == "revoke", header.jwk != nil {
            // The certificate has the public key in it.
            guard jws.certificate.contains(key.rawRepresentation) else {
                throw .problem("unauthorized", 403, "Not the certificate's key.")
            }
            state.revoked.append(jws.payloadText)
            return InMemoryAnswer()
        }
        guard let kid = header.kid else { throw .problem("malformed", 400, "No kid.") }
        try refuseEnded(kid, state)
        let id = path.split(separator: "/").dropFirst().first.flatMap { Int($0) }
        switch name {
        case "order" where id == nil: return try newOrder(jws, behaviour, state: &state)
        case "order": return try order(id, state: &state)
        case "authorization": return try authorization(id, behaviour, state: &state)
        case "challenge": return try challenge(id, jws, thumbprint, behaviour, state: &state)
        case "finalize": return try finalize(id, jws, behaviour, state: &state)
        case "certificate":
            guard let id, let pem = state.certificates[id] else { throw .problem("malformed", 404, "No certificate.") }
            return InMemoryAnswer(body: pem)
        case "revoke":
            state.revoked.append(jws.payloadText)
            return InMemoryAnswer()
        case "key-change": return try keyChange(jws, header, thumbprint, state: &state)
        default: throw .problem("malformed", 404, "No such resource.")
        }
    }

    private func directory(_ behaviour: Behaviour) -> InMemoryAnswer {
        var members = [
            #""newNonce":"\#(Self.base)/nonce""#, #""newAccount":"\#(Self.base)/account""#,
            #""newOrder":"\#(Self.base)/order""#, #""revokeCert":"\#(Self.base)/revoke""#,
            #""keyChange":"\#(Self.base)/key-change""#, #""somethingNew":{"a":[1]}"#,
        ]
        if behaviour.renewalWindow != nil { members.append(#""renewalInfo":"\#(Self.base)/renewal""#) }
        var meta = [#""termsOfService":"https://ca.test/terms""#]
        if let profiles = behaviour.profiles {
            meta.append(
                #""profiles":{\#(profiles.map { #""\#($0.key)":"\#($0.value)""# }.joined(separator: ","))}"#)
        }
        members.append(#""meta":{\#(meta.joined(separator: ","))}"#)
        return InMemoryAnswer(body: "{\(members.joined(separator: ","))}")
    }

    private func authenticated(
        _ jws: InMemoryJWS, _ header: InMemoryJWS.Header, path: String, behaviour: Behaviour, state: inout State
    ) throws(InMemoryAnswer) -> (P256.Signing.PublicKey, String) {
        guard let nonce = header.nonce, state.nonces.remove(nonce) != nil,
            Int(nonce.dropFirst("nonce-".count)).map({ $0 % behaviour.nonceShare == 0 }) ?? false
        else { throw .problem("badNonce", 400, "This nonce is not known.") }
        guard header.alg == "ES256", header.url == "\(Self.base)/\(path)" else {
            throw .problem("unauthorized", 401, "The header does not belong to this request.")
        }
        if let jwk = header.jwk {
            guard header.kid == nil, let key = jwk.publicKey, jws.isSigned(by: key) else {
                throw .problem("malformed", 400, "The signature is wrong.")
            }
            return (key, jwk.thumbprint)
        }
        guard let kid = header.kid, let thumbprint = state.accounts.first(where: { $0.value == kid })?.key,
            let key = state.keys[thumbprint]
        else { throw .problem("accountDoesNotExist", 400, "No such account.") }
        guard jws.isSigned(by: key) else { throw .problem("malformed", 400, "The signature is wrong.") }
        return (key, thumbprint)
    }

    private func newAccount(
        _ jws: InMemoryJWS, _ header: InMemoryJWS.Header, _ key: P256.Signing.PublicKey, _ thumbprint: String,
        path: String, _ behaviour: Behaviour, state: inout State
    ) throws(InMemoryAnswer) -> InMemoryAnswer {
        if let kid = header.kid {
            guard kid == "\(Self.base)/\(path)" else { throw .problem("unauthorized", 403, "Not your account.") }
            if !behaviour.tellsStatus { try refuseEnded(kid, state) }
            if jws.payloadText.contains(#""status":"deactivated""#) { state.ended[kid] = "deactivated" }
            return InMemoryAnswer(body: #"{"status":"\#(state.ended[kid] ?? "valid")"}"#)
        }
        if let url = state.accounts[thumbprint] {
            try refuseEnded(url, state)
            return InMemoryAnswer(body: #"{"status":"valid"}"#, fields: ["Location": url])
        }
        if jws.payloadText.contains(#""onlyReturnExisting":true"#) {
            throw .problem("accountDoesNotExist", 400, "No such account.")
        }
        guard jws.payloadText.contains(#""termsOfServiceAgreed":true"#) else {
            throw .problem("userActionRequired", 403, "Agree to the terms.")
        }
        let url = "\(Self.base)/account/\(take(&state))"
        state.accounts[thumbprint] = url
        state.keys[thumbprint] = key
        return InMemoryAnswer(status: 201, body: #"{"status":"valid"}"#, fields: ["Location": url])
    }

    private func refuseEnded(_ url: String, _ state: State) throws(InMemoryAnswer) {
        guard let status = state.ended[url] else { return }
        throw .problem("unauthorized", 403, "Account has been \(status)")
    }

    private func keyChange(
        _ jws: InMemoryJWS, _ header: InMemoryJWS.Header, _ thumbprint: String, state: inout State
    ) throws(InMemoryAnswer) -> InMemoryAnswer {
        guard let inner = try? JSONDecoder().decode(InMemoryJWS.self, from: Data(jws.payloadText.utf8)),
            let jwk = inner.header?.jwk, inner.header?.nonce == nil, inner.header?.url == header.url,
            let key = jwk.publicKey, inner.isSigned(by: key), let url = state.accounts[thumbprint],
            inner.payloadText.contains(url)
        else { throw .problem("malformed", 400, "The inner JWS is wrong.") }
        state.accounts[thumbprint] = nil
        state.keys[thumbprint] = nil
        state.accounts[jwk.thumbprint] = url
        state.keys[jwk.thumbprint] = key
        return InMemoryAnswer()
    }

    func take(_ state: inout State) -> Int {
        state.nextID += 1
        return state.nextID
    }
}
