package import AWSClient
internal import Crypto
internal import Diagnostics
internal import FoundationEssentials
package import Timekeeping

/// Answers `dns-01` (RFC 8555, section 8.4) with TXT records in Route 53, see ``ChallengeRecords``.
package struct Route53Solver: ChallengeSolver {
    let route53: Route53
    let zones: HostedZones
    let pacing: Pacing
    let settings: SettingNames
    private let patience: Duration
    private let rotation: @Sendable (ClosedRange<Int64>) -> Int64

    /// - Parameters:
    ///   - route53: of the account that has the zones; for another account with keys of a role there.
    ///   - hostedZoneID: the zone to use for the names that it holds; nil to look for one.
    ///   - settings: what messages call the zone and the role.
    ///   - patience: how long a name's eight answers are waited for to be taken back. One that has stood for longer was
    ///     left behind by a process that died, and is replaced.
    ///   - jitter: picks a wait, in milliseconds, or a place to begin; tests pick their own.
    package init(
        route53: Route53, hostedZoneID: String? = nil, clock: any WallClock,
        settings: SettingNames, patience: Duration = .seconds(300),
        jitter: @escaping @Sendable (ClosedRange<Int64>) -> Int64 = { Int64.random(in: $0) }
    ) {
        self.route53 = route53
        self.pacing = Pacing(clock: clock, jitter: jitter)
        self.zones = HostedZones(route53: route53, givenID: hostedZoneID, pacing: pacing, settings: settings)
        self.settings = settings
        self.patience = patience
        self.rotation = jitter
    }

    /// - Parameters:
    ///   - client: signs with our own keys.
    ///   - roleARN: of the role to assume for zones of another account; nil when they are in our own.
    package init(
        client: AWSServiceClient, hostedZoneID: String?, roleARN: String?, clock: any WallClock,
        settings: SettingNames
    ) {
        var client = client
        if let roleARN {
            let role = STS.Role(arn: roleARN, sessionName: "stackcert-dns-01", duration: .seconds(900))
            let keys = CachedCredentials(
                AssumeRoleCredentials(role, sts: STS(client)), clock: clock, refreshAhead: .seconds(60))
            client = client.signing(with: keys)
        }
        self.init(route53: Route53(client), hostedZoneID: hostedZoneID, clock: clock, settings: settings)
    }

    package var challengeType: String { "dns-01" }

    // MARK: Where

    package func checkPlaces(for domains: Set<String>, deadline: UnixInstant) async throws {
        _ = try await places(of: domains, deadline: deadline)
    }

    package func placements(
        for answers: [ChallengeAnswer], deadline: UnixInstant
    ) async throws -> [ChallengePlacement] {
        let places = try await places(of: Set(answers.map(\.domain)), deadline: deadline)
        return answers.compactMap { answer in
            places[answer.domain].map { place in
                ChallengePlacement(
                    domain: answer.domain, token: answer.token, container: place.zone.id, name: place.name,
                    value: answer.recordValue)
            }
        }
    }

    // MARK: Present

    package func present(
        _ placements: [ChallengePlacement], deadline: UnixInstant
    ) async throws -> [ChallengePlacement] {
        var watch = SlotWatch(patience: patience)
        while let first = placements.first {
            var placed: [ChallengePlacement] = []
            var pending: [Route53.ChangeInfo] = []
            for (zone, group) in placements.groupedByContainer {
                let (some, change) = try await self.change(zone: zone, of: group, deadline: deadline) { records in
                    try place(group, among: records, zone: zone, watch: &watch)
                }
                placed += some
                if let change { pending.append(change) }
            }
            if !placed.isEmpty {
                try await waitUntilVisible(placed, pending, deadline: deadline)
                return placements.filter(placed.contains)
            }
            guard let waited = try await pacing.wait(.seconds(2), .seconds(6), until: deadline) else {
                throw IssuanceError(
                    .answerNotVisible,
                    "There was no room for another answer at \(first.name) in the hosted zone "
                        + "\(first.container): eight TXT records stand there. If no other certificate is being "
                        + "issued, delete those that were left behind; their identifiers begin with stackcert-.")
            }
            watch.waited += waited
        }
        return []
    }

    /// As many of the answers as there is room for at each name, and in one batch.
    private func place(
        _ placements: [ChallengePlacement], among records: [ChallengeRecords], zone: String, watch: inout SlotWatch
    ) throws -> (changes: [Route53.Change], outcome: [ChallengePlacement]) {
        var batch: [Route53.Change] = []
        var placed: [ChallengePlacement] = []
        for record in records {
            let here = placements.filter { $0.name == record.name }
            let (changes, values) = try record.adding(
                here.map(\.value), offset: Int(clamping: rotation(0...7)),
                abandoned: watch.abandoned(in: record, zone: zone))
            // The rest comes when these have been taken back.
            guard batch.isEmpty || (batch + changes).fitIntoBatch else { break }
            batch += changes
            placed += here.filter { values.contains($0.value) }
        }
        return (batch, placed)
    }

    private func waitUntilVisible(
        _ placed: [ChallengePlacement], _ changes: [Route53.ChangeInfo], deadline: UnixInstant
    ) async throws {
        for change in changes {
            var isInSync = change.isInSync
            while !isInSync {
                guard try await pacing.wait(.seconds(4), .seconds(5), until: deadline) != nil else {
                    throw IssuanceError(
                        .answerNotVisible,
                        "Route 53's name servers did not all have the TXT record \(placed.first?.name ?? "") in "
                            + "time: try again.")
                }
                isInSync = try await pacing.call(until: deadline) {
                    try await route53.getChange(change.id, deadline: deadline)
                }.isInSync
            }
        }
    }

    // MARK: Clean up

    package func cleanUp(_ placements: [ChallengePlacement], deadline: UnixInstant) async throws {
        try await eachOf(placements.groupedByContainer) { zone, group in
            var isDone = false
            do {
                while !isDone {
                    (isDone, _) = try await change(zone: zone, of: group, deadline: deadline) { records in
                        take(group, from: records)
                    }
                }
            } catch let error as AWSError where error.code == .noSuchHostedZone {
                // Its records are gone with it.
            }
        }
    }

    private func take(
        _ placements: [ChallengePlacement], from records: [ChallengeRecords]
    ) -> (changes: [Route53.Change], outcome: Bool) {
        var batch: [Route53.Change] = []
        for record in records {
            let changes = record.removing(placements.filter { $0.name == record.name }.map(\.value))
            guard batch.isEmpty || (batch + changes).fitIntoBatch else { return (batch, false) }
            batch += changes
        }
        return (batch, true)
    }
}

extension ChallengeAnswer {
    /// What the TXT record says: the digest of the key authorization, base64url without padding.
    package var recordValue: String {
        let digest = Data(SHA256.hash(data: Data(keyAuthorization.exposed.utf8))).base64EncodedString()
        return String(
            digest.compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }
}

extension [ChallengePlacement] {
    /// Containers in the order in which they come first.
    fileprivate var groupedByContainer: [(container: String, placements: [ChallengePlacement])] {
        var order: [String] = []
        for placement in self where !order.contains(placement.container) { order.append(placement.container) }
        return order.map { container in (container, filter { $0.container == container }) }
    }
}
