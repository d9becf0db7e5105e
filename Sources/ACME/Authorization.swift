/// What a server asks for before it believes that an account controls one name (RFC 8555, section 7.1.4).
package struct Authorization: Hashable, Sendable {
    package let url: ResourceURL
    /// Without `*.`, which ``isWildcard`` says.
    package let identifier: Identifier
    package let isWildcard: Bool
    package let status: Status
    /// Any one of them is enough.
    package let challenges: [Challenge]

    /// Section 7.1.6; what comes later is let pass.
    package struct Status: RawRepresentable, Hashable, Sendable, Decodable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }
        package static let pending = Status(rawValue: "pending")
        package static let valid = Status(rawValue: "valid")
        package static let invalid = Status(rawValue: "invalid")
    }

    /// How people write the name.
    package var name: String { isWildcard ? "*.\(identifier.value)" : identifier.value }

    /// Why the server does not believe it: what it says of the challenge that was tried.
    package var failure: (challenge: Challenge, problem: Problem)? {
        for challenge in challenges {
            if let problem = challenge.error { return (challenge, problem) }
        }
        return nil
    }
}

/// One way to prove control of a name (section 7.1.5). Types that are not known are let pass, and not chosen.
package struct Challenge: Hashable, Sendable, Decodable {
    /// `dns-01`, `http-01`, …
    package let type: String
    package let url: ResourceURL
    /// Base64url; nil in challenges of other kinds.
    package let token: String?
    package let status: Authorization.Status?
    package let error: Problem?
}

extension Authorization {
    struct Body: Decodable {
        let identifier: Identifier
        let wildcard: Bool?
        let status: Status
        let challenges: [Lenient<Challenge>]
    }

    init(_ body: Body, at url: ResourceURL) {
        self.init(
            url: url, identifier: body.identifier, isWildcard: body.wildcard ?? false, status: body.status,
            challenges: body.challenges.compactMap(\.value))
    }
}

/// An item of a list that may be of a kind nobody has heard of yet.
struct Lenient<Value: Decodable>: Decodable {
    let value: Value?

    init(from decoder: any Decoder) throws {
        value = try? Value(from: decoder)
    }
}
