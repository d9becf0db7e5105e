package import Diagnostics
package import Timekeeping

/// Proves to a CA that we control names, by one type of challenge (RFC 8555, section 8).
///
/// Three steps, so that a process that dies at any moment leaves nothing behind: where the answers will stand is found
/// out first and can be written down; then they are put there; whoever reads what was written down takes them back.
/// Another DNS provider is one more conforming type.
package protocol ChallengeSolver: Sendable {
    /// `dns-01` or `http-01`.
    var challengeType: String { get }

    /// Finds out, before anything is ordered, whether there are places for answers, and changes nothing.
    ///
    /// - Parameter domains: A-labels without `*.`, or IP addresses.
    /// - Throws: ``IssuanceError/Code/noPlaceForAnswer`` with what to do.
    func checkPlaces(for domains: Set<String>, deadline: UnixInstant) async throws

    /// Finds out where answers have to stand, and changes nothing. One placement for each answer, in their order.
    func placements(
        for answers: [ChallengeAnswer], deadline: UnixInstant
    ) async throws -> [ChallengePlacement]

    /// Publishes answers and returns when every validator can see them.
    ///
    /// - Returns: those that stand now, at least one: the others have no room beside them, and are to be presented after
    ///   these have been taken back.
    /// - Throws: also when some of them stand already: clean up in any case.
    func present(
        _ placements: [ChallengePlacement], deadline: UnixInstant
    ) async throws -> [ChallengePlacement]

    /// Takes answers back, those included that were never put up or have been taken back before.
    func cleanUp(_ placements: [ChallengePlacement], deadline: UnixInstant) async throws
}

/// What a CA wants to be shown, as a challenge asks for it (RFC 8555, section 8.1).
package struct ChallengeAnswer: Hashable, Sendable {
    /// A-labels, without `*.`; for `http-01` also an IP address.
    package let domain: String
    package let token: String
    /// The token and the account key's thumbprint.
    package let keyAuthorization: Redacted<String>

    package init(domain: String, token: String, keyAuthorization: Redacted<String>) {
        self.domain = domain
        self.token = token
        self.keyAuthorization = keyAuthorization
    }
}

/// One answer, and all that is needed to put it in its place or to take it back, by any process.
///
/// What is shown to a CA is shown to everybody: nothing in it is secret, though it is of no use in a log.
package struct ChallengePlacement: Hashable, Sendable, Codable {
    package let domain: String
    package let token: String
    /// A hosted zone's id, a bucket: what holds the place.
    package let container: String
    /// A record's name, an object's key.
    package let name: String
    package let value: String

    package init(domain: String, token: String, container: String, name: String, value: String) {
        self.domain = domain
        self.token = token
        self.container = container
        self.name = name
        self.value = value
    }
}

extension ChallengePlacement: CustomStringConvertible {
    package var description: String { "\(name) in \(container)" }
}
