internal import Crypto
internal import Foundation
internal import Timekeeping

extension InMemoryACMEServer {
    private struct NewOrder: Decodable {
        let identifiers: [InMemoryIdentifier]
        let profile: String?
        let replaces: String?
    }

    func newOrder(
        _ jws: InMemoryJWS, _ behaviour: Behaviour, state: inout State
    ) throws(InMemoryAnswer) -> InMemoryAnswer {
        guard let body = try? JSONDecoder().decode(NewOrder.self, from: Data(jws.payloadText.utf8)),
            !body.identifiers.isEmpty
        else { throw .problem("malformed", 400, "No order.") }
        if let profile = body.profile, behaviour.profiles?[profile] == nil {
            throw .problem("invalidProfile", 400, "No such profile.")
        }
        if body.replaces != nil, behaviour.refusesReplacement {
            throw .problem("alreadyReplaced", 409, "It has been replaced.")
        }
        let authorizations = body.identifiers.map { identifier in
            let id = take(&state)
            let isWildcard = identifier.value.hasPrefix("*.")
            state.authorizations[id] = InMemoryAuthorization(
                identifier: InMemoryIdentifier(
                    type: identifier.type, value: isWildcard ? String(identifier.value.dropFirst(2)) : identifier.value),
                isWildcard: isWildcard,
                token: base64URL(SHA256.hash(data: Data("token \(id)".utf8))), pollsLeft: behaviour.polls)
            return id
        }
        let id = take(&state)
        state.orders[id] = InMemoryOrder(
            identifiers: body.identifiers, authorizations: authorizations, pollsLeft: behaviour.polls)
        var answer = try order(id, state: &state)
        answer.status = 201
        answer.fields["Location"] = "\(Self.base)/order/\(id)"
        return answer
    }

    func order(_ id: Int?, state: inout State) throws(InMemoryAnswer) -> InMemoryAnswer {
        guard let id, var order = state.orders[id] else { throw .problem("malformed", 404, "No such order.") }
        let verdicts = order.authorizations.map { state.authorizations[$0]?.verdict }
        var status = "pending"
        if verdicts.contains(false) {
            status = "invalid"
        } else if order.isFinalized {
            status = order.pollsLeft > 0 ? "processing" : "valid"
            order.pollsLeft -= 1
            state.orders[id] = order
        } else if verdicts.allSatisfy({ $0 == true }) {
            status = "ready"
        }
        var members = [
            #""status":"\#(status)""#, #""finalize":"\#(Self.base)/finalize/\#(id)""#, #""unheardOf":1"#,
            #""identifiers":\#(text(of: order.identifiers))"#,
            #""authorizations":[\#(order.authorizations.map { #""\#(Self.base)/authorization/\#($0)""# }.joined(separator: ","))]"#,
        ]
        if status == "valid", let certificate = order.certificate {
            members.append(#""certificate":"\#(Self.base)/certificate/\#(certificate)""#)
        }
        return InMemoryAnswer(body: "{\(members.joined(separator: ","))}")
    }

    func authorization(
        _ id: Int?, _ behaviour: Behaviour, state: inout State
    ) throws(InMemoryAnswer) -> InMemoryAnswer {
        guard let id, var authorization = state.authorizations[id] else {
            throw .problem("malformed", 404, "No such authorization.")
        }
        if authorization.isStarted, authorization.verdict == nil {
            if authorization.pollsLeft > 0 {
                authorization.pollsLeft -= 1
            } else {
                authorization.verdict = behaviour.validates(
                    authorization.identifier.value, authorization.keyAuthorization)
            }
            state.authorizations[id] = authorization
        }
        let status = authorization.verdict.map { $0 ? "valid" : "invalid" } ?? "pending"
        let error =
            authorization.verdict == false
            ? #","error":{"type":"urn:ietf:params:acme:error:unauthorized","detail":"Wrong answer: \#(authorization.keyAuthorization)"}"#
            : ""
        func challenge(_ type: String) -> String {
            #"{"type":"\#(type)","url":"\#(Self.base)/challenge/\#(id)","token":"\#(authorization.token)","status":"\#(status)"\#(type == "dns-01" ? error : "")}"#
        }
        let challenges = [#"{"type":"unheard-of-99","odd":[1,2]}"#, challenge("http-01"), challenge("dns-01")]
        var answer = InMemoryAnswer(
            body:
                #"{"identifier":\#(text(of: authorization.identifier)),"status":"\#(status)","wildcard":\#(authorization.isWildcard),"challenges":[\#(challenges.joined(separator: ","))]}"#
        )
        if status == "pending", authorization.isStarted, let wait = behaviour.retryAfter {
            answer.fields["Retry-After"] = String(wait)
        }
        return answer
    }

    func challenge(
        _ id: Int?, _ jws: InMemoryJWS, _ thumbprint: String, _ behaviour: Behaviour, state: inout State
    ) throws(InMemoryAnswer) -> InMemoryAnswer {
        guard let id, var authorization = state.authorizations[id] else {
            throw .problem("malformed", 404, "No such challenge.")
        }
        guard jws.payloadText == "{}" else { throw .problem("malformed", 400, "The body must be an empty object.") }
        authorization.isStarted = true
        authorization.keyAuthorization = "\(authorization.token).\(thumbprint)"
        state.authorizations[id] = authorization
        return InMemoryAnswer(body: #"{"type":"dns-01","url":"\#(Self.base)/challenge/\#(id)"}"#)
    }

    private struct Finalize: Decodable { let csr: String }

    func finalize(
        _ id: Int?, _ jws: InMemoryJWS, _ behaviour: Behaviour, state: inout State
    ) throws(InMemoryAnswer) -> InMemoryAnswer {
        guard let id, var order = state.orders[id] else { throw .problem("malformed", 404, "No such order.") }
        guard !order.isFinalized, order.authorizations.allSatisfy({ state.authorizations[$0]?.verdict == true }) else {
            throw .problem("orderNotReady", 403, "The order is not ready.")
        }
        guard let body = try? JSONDecoder().decode(Finalize.self, from: Data(jws.payloadText.utf8)),
            let pem = try? authority.issue(
                base64URLRequest: body.csr, names: order.identifiers.map(\.value), from: clock.now,
                lifetime: behaviour.lifetime)
        else { throw .problem("badCSR", 400, "The request is wrong.") }
        let certificate = take(&state)
        state.certificates[certificate] = pem
        order.isFinalized = true
        order.certificate = certificate
        state.orders[id] = order
        return try self.order(id, state: &state)
    }

    private func text(of value: some Encodable) -> String {
        (try? JSONEncoder().encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
