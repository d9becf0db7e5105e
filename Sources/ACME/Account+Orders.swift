package import Timekeeping

extension Account {
    /// Orders a certificate (RFC 8555, section 7.4).
    ///
    /// - Parameters:
    ///   - profile: one of the directory's; nil leaves the choice to the server.
    ///   - replaces: the certificate that the new one takes the place of (RFC 9773, section 5). It is left out when the
    ///     server offers no renewal information, and in a second try when the server does not want it.
    package func newOrder(
        _ identifiers: [Identifier], profile: String? = nil, replaces: CertificateID? = nil, deadline: UnixInstant
    ) async throws -> Order {
        let replaces = server.directory.renewalInfo == nil ? nil : replaces
        do {
            return try await order(identifiers, profile, replaces, deadline)
        } catch let error as ACMEError where replaces != nil && error.mayBeAboutReplacement {
            return try await order(identifiers, profile, nil, deadline)
        }
    }

    /// The order as it is now, and when the server wants to be asked again.
    package func order(at url: ResourceURL, deadline: UnixInstant) async throws -> (order: Order, retryAt: UnixInstant?)
    {
        let answer = try await post(to: url, "the order", deadline: deadline)
        return (Order(try answer.decoded(Order.Body.self), at: url), answer.retryAt)
    }

    package func authorization(
        at url: ResourceURL, deadline: UnixInstant
    ) async throws -> (authorization: Authorization, retryAt: UnixInstant?) {
        let answer = try await post(to: url, "an authorization", deadline: deadline)
        return (Authorization(try answer.decoded(Authorization.Body.self), at: url), answer.retryAt)
    }

    /// Tells the server that the challenge's answer can be seen (section 7.5.1). The body is an empty object, exactly.
    package func start(_ challenge: Challenge, deadline: UnixInstant) async throws {
        _ = try await post(
            Array("{}".utf8), to: challenge.url, "the challenge \(challenge.type)",
            hiding: [challenge.token, key.thumbprint].compactMap { $0 }, deadline: deadline)
    }

    /// Gives up an authorization (section 7.5.2), so that it does not count as pending.
    package func deactivate(_ authorization: ResourceURL, deadline: UnixInstant) async throws {
        _ = try await post(
            Array(#"{"status":"deactivated"}"#.utf8), to: authorization, "a deactivation of an authorization",
            deadline: deadline)
    }

    /// Hands in the request for the certificate (section 7.4).
    ///
    /// - Parameter certificateRequest: PKCS#10 in DER.
    package func finalize(
        _ order: Order, with certificateRequest: [UInt8], deadline: UnixInstant
    ) async throws -> (order: Order, retryAt: UnixInstant?) {
        let payload = #"{"csr":"\#(Base64URL.encode(certificateRequest))"}"#
        let answer = try await post(Array(payload.utf8), to: order.finalize, "finalize", deadline: deadline)
        return (Order(try answer.decoded(Order.Body.self), at: order.url), answer.retryAt)
    }

    /// The certificate with its chain, in PEM, and the addresses of the same certificate with other chains (section
    /// 7.4.2).
    package func certificate(
        at url: ResourceURL, deadline: UnixInstant
    ) async throws -> (chain: String, alternates: [ResourceURL]) {
        let answer = try await post(to: url, "the certificate", deadline: deadline)
        return (String(decoding: answer.body, as: UTF8.self), answer.alternates)
    }

    private func order(
        _ identifiers: [Identifier], _ profile: String?, _ replaces: CertificateID?, _ deadline: UnixInstant
    ) async throws -> Order {
        let body = NewOrder(identifiers: identifiers, profile: profile, replaces: replaces?.description)
        let answer = try await post(
            Array(try json(body).utf8), to: server.directory.newOrder, "newOrder", deadline: deadline)
        return Order(try answer.decoded(Order.Body.self), at: try answer.requiredLocation())
    }

    private struct NewOrder: Encodable {
        let identifiers: [Identifier]
        let profile: String?
        let replaces: String?
    }
}

extension ACMEError {
    /// 409 alreadyReplaced, or a refusal that may well be about the certificate to be replaced: an order without it
    /// tells.
    fileprivate var mayBeAboutReplacement: Bool {
        guard case .problem(let type) = code else { return false }
        return [.alreadyReplaced, .malformed, ProblemType(rawValue: "urn:ietf:params:acme:error:unauthorized"), .none]
            .contains(type)
    }
}
