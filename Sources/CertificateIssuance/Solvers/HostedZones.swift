internal import AWSClient
internal import Timekeeping

/// Finds the zone that a name is served from. What was found is kept for as long as the solver lives.
actor HostedZones {
    private let route53: Route53
    /// What was set as the zone.
    private let givenID: String?
    private let pacing: Pacing
    private let settings: SettingNames
    private var given: Route53.HostedZone?
    private var listed: [Route53.HostedZone]?

    init(route53: Route53, givenID: String?, pacing: Pacing, settings: SettingNames) {
        self.route53 = route53
        self.givenID = givenID
        self.pacing = pacing
        self.settings = settings
    }

    /// The zone that was given where it holds the name, else the public one with the longest name that does.
    func zone(of name: String, deadline: UnixInstant) async throws -> Route53.HostedZone {
        if let given = try await givenZone(deadline: deadline), given.holds(name) { return given }
        let candidates = try await publicZones(for: name, deadline: deadline).filter { $0.holds(name) }
        let longest = candidates.map(\.name.utf8.count).max()
        let best = candidates.filter { $0.name.utf8.count == longest }
        guard let zone = best.first else {
            throw IssuanceError(
                .noPlaceForAnswer,
                "No public hosted zone of this account holds \(name): create one, set \(settings.hostedZoneRole) to a "
                    + "role in the account that has it, or set \(settings.challenge) to http-01.")
        }
        guard best.count == 1 else {
            let ids = best.map(\.id).sorted().joined(separator: ", ")
            throw IssuanceError(
                .noPlaceForAnswer,
                "The public hosted zones \(ids) are all named \(zone.name): set \(settings.hostedZone) to the one "
                    + "that its domain is delegated to.")
        }
        return zone
    }

    private func givenZone(deadline: UnixInstant) async throws -> Route53.HostedZone? {
        guard let givenID else { return nil }
        if let given { return given }
        do {
            let zone = try await pacing.call(until: deadline) {
                try await route53.getHostedZone(givenID, deadline: deadline)
            }
            guard !zone.isPrivate else {
                throw IssuanceError(
                    .noPlaceForAnswer,
                    "The hosted zone \(zone.id) (\(zone.name)) is private, and no CA can see it: set "
                        + "\(settings.hostedZone) to a public one.")
            }
            given = zone
            return zone
        } catch let error as AWSError where error.code == .noSuchHostedZone {
            throw IssuanceError(
                .noPlaceForAnswer,
                "The hosted zone of \(settings.hostedZone) does not exist in the account in which it is looked for: "
                    + "correct it, or set \(settings.hostedZoneRole) to a role in the account that has it.",
                cause: error)
        }
    }

    private func publicZones(for name: String, deadline: UnixInstant) async throws -> [Route53.HostedZone] {
        if let listed { return listed }
        do {
            let all = try await pacing.call(until: deadline) { try await route53.listHostedZones(deadline: deadline) }
            let found = all.filter { !$0.isPrivate }
            listed = found
            return found
        } catch let error as AWSError where error.code == .accessDenied {
            guard let given else { throw error }
            throw IssuanceError(
                .noPlaceForAnswer,
                "The hosted zone \(given.id) (\(given.name)) does not hold \(name), and route53:ListHostedZones, to find "
                    + "the one that does, is not allowed.", cause: error)
        }
    }
}

extension Route53.HostedZone {
    /// Whether the name is the zone's own or below it.
    fileprivate func holds(_ other: String) -> Bool {
        other == name || other.hasSuffix(".\(name)") || name.isEmpty
    }
}
