internal import Diagnostics

/// A problem document (RFC 7807) as ACME servers send it (RFC 8555, section 6.7). Fields and types that are not known
/// are let pass.
package struct Problem: Hashable, Sendable, Decodable {
    package let type: ProblemType
    /// The authority's words.
    package let detail: String?
    /// What is wrong with which name (section 6.7.1).
    package let subproblems: [Subproblem]

    package struct Subproblem: Hashable, Sendable, Decodable {
        package let type: ProblemType?
        package let detail: String?
        package let identifier: Identifier?
    }

    package init(type: ProblemType, detail: String? = nil, subproblems: [Subproblem] = []) {
        self.type = type
        self.detail = detail
        self.subproblems = subproblems
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        // RFC 7807 has a default for it.
        type = try container.decodeIfPresent(ProblemType.self, forKey: .type) ?? ProblemType(rawValue: "about:blank")
        detail = try container.decodeIfPresent(String.self, forKey: .detail)
        subproblems = (try? container.decodeIfPresent([Subproblem].self, forKey: .subproblems)) ?? []
    }

    private enum Key: String, CodingKey { case type, detail, subproblems }

    /// The type, and the words if there are any.
    package func summary(hiding secrets: [String] = []) -> String {
        let words = words(hiding: secrets)
        return words.isEmpty ? type.name : "\(type.name), \(words)"
    }

    /// The detail and those of the subproblems, each with its name, fit to be shown.
    package func words(hiding secrets: [String] = []) -> String {
        var words = detail.map { ForeignText.sanitized($0, hiding: secrets) } ?? ""
        for subproblem in subproblems.prefix(5) {
            guard let detail = subproblem.detail, detail != self.detail else { continue }
            let name = subproblem.identifier.map { "\($0.value): " } ?? ""
            words += (words.isEmpty ? "" : "; ") + ForeignText.sanitized(name + detail, hiding: secrets)
        }
        if subproblems.count > 5 { words += "; and \(subproblems.count - 5) more" }
        return words
    }
}

/// `urn:ietf:params:acme:error:…`; others are let pass.
package struct ProblemType: RawRepresentable, Hashable, Sendable, Decodable {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    private init(_ name: String) {
        self.init(rawValue: Self.namespace + name)
    }

    private static let namespace = "urn:ietf:params:acme:error:"

    package static let accountDoesNotExist = Self("accountDoesNotExist")
    /// RFC 9773, section 5.
    package static let alreadyReplaced = Self("alreadyReplaced")
    package static let alreadyRevoked = Self("alreadyRevoked")
    package static let badNonce = Self("badNonce")
    package static let externalAccountRequired = Self("externalAccountRequired")
    package static let invalidProfile = Self("invalidProfile")
    package static let malformed = Self("malformed")
    package static let orderNotReady = Self("orderNotReady")
    package static let rateLimited = Self("rateLimited")
    package static let rejectedIdentifier = Self("rejectedIdentifier")
    package static let serverInternal = Self("serverInternal")
    package static let unauthorized = Self("unauthorized")
    package static let userActionRequired = Self("userActionRequired")
    /// Not of the RFC: an answer without a problem document.
    package static let none = Self(rawValue: "about:blank")

    /// How messages call it.
    package var name: String {
        if self == .none { return "no reason given" }
        let name = rawValue.hasPrefix(Self.namespace) ? rawValue.dropFirst(Self.namespace.count) : rawValue[...]
        return ForeignText.sanitized(String(name), hiding: [], limit: 60)
    }
}
