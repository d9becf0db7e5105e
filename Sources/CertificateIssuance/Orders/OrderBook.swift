internal import ACME
internal import PKI
internal import Timekeeping

/// What is remembered of the orders for one set of names: the one under way, how often certificates were issued and
/// refused lately, and a certificate that was deleted and may be wanted again. Secret: it holds keys.
struct OrderBook: Codable, Sendable {
    var version = 1
    var open: OpenOrder?
    var kept: KeptCertificate?
    /// The last seven days'.
    var issuances: [Issuance] = []
    /// Answers to challenges that could not be taken back yet.
    var leftovers: [Leftover] = []
    /// Failed validations of the last hour.
    var failures: [UnixInstant] = []
    /// The authority wants to hear nothing of these names before.
    var refusedUntil: UnixInstant?

    /// An order that was begun: another process goes on with it.
    struct OpenOrder: Codable, Sendable {
        let url: ResourceURL
        let account: ResourceURL
        let holder: String
        let kind: Kind
        /// PKCS#8.
        let privateKeyPEM: String
        var challengeType: String
        /// Where answers stand or are about to stand.
        var placements: [ChallengePlacement] = []
        /// Where its certificate was stored, or was about to be: nobody else may be given the same key.
        var destination: String?
    }

    /// An answer that a process left behind.
    struct Leftover: Codable, Hashable, Sendable {
        let challengeType: String
        let placement: ChallengePlacement
        let since: UnixInstant
    }

    /// A certificate whose generation was deleted. Whoever wants the same within seven days gets it again: a stack that
    /// is created and rolled back over and over must not use up the authority's limits.
    struct KeptCertificate: Codable, Sendable {
        let holder: String
        let kind: Kind
        let privateKeyPEM: String
        /// The certificate first.
        let chainPEM: String
        let until: UnixInstant
        /// As of an open order.
        var destination: String?
    }

    struct Issuance: Codable, Sendable {
        let at: UnixInstant
        /// When that certificate is to be renewed.
        let due: UnixInstant
    }

    /// What else makes two orders the same, beside the names.
    struct Kind: Codable, Hashable, Sendable {
        let keyAlgorithm: String
        let profile: String?
        let preferredChain: String?

        init(_ request: OrderRequest) {
            keyAlgorithm = request.keyAlgorithm.rawValue
            profile = request.profile
            preferredChain = request.preferredChain
        }
    }

    /// For so long a deleted certificate is kept, and certificates of the same names are counted.
    static let memory = Duration.days(7)

    /// Forgets what is too old to matter.
    mutating func tidy(at now: UnixInstant) {
        issuances.removeAll { $0.at.duration(to: now) >= Self.memory }
        leftovers.removeAll { $0.since.duration(to: now) >= Self.memory }
        failures.removeAll { $0.duration(to: now) >= .seconds(3600) }
        if let until = refusedUntil, until <= now { refusedUntil = nil }
        if let kept, kept.until <= now { self.kept = nil }
    }
}

extension OrderBook: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "OrderBook(<redacted>)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: [Mirror.Child]()) }
}
