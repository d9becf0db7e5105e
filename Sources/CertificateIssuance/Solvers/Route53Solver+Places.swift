internal import AWSClient
internal import Timekeeping

extension Route53Solver {
    struct Place {
        let zone: Route53.HostedZone
        let name: String
    }

    /// So many CNAME records are followed from a challenge's name.
    private static let maximumDelegations = 8

    /// The names whose TXT records a validator of the domains sees: it follows CNAME records, and so do we.
    ///
    /// - Returns: a place for each domain.
    func places(of domains: Set<String>, deadline: UnixInstant) async throws -> [String: Place] {
        var names = Dictionary(uniqueKeysWithValues: domains.map { ($0, "_acme-challenge.\($0)") })
        var places: [String: Place] = [:]
        for _ in 0...Self.maximumDelegations where !names.isEmpty {
            // One step for all of them, so that each zone is looked at once.
            for (place, records) in try await look(at: Set(names.values), deadline: deadline) {
                let target = try records.delegation(from: place.zone, settings)
                for (domain, name) in names where name == place.name {
                    names[domain] = target
                    if target == nil { places[domain] = place }
                }
            }
        }
        if let (domain, _) = names.min(by: { $0.key < $1.key }) {
            throw IssuanceError(
                .noPlaceForAnswer,
                "The CNAME records of _acme-challenge.\(domain) lead on and on: let them end at a name without one.")
        }
        return places
    }

    private func look(
        at names: Set<String>, deadline: UnixInstant
    ) async throws -> [(place: Place, records: ChallengeRecords)] {
        var byZone: [Route53.HostedZone: [String]] = [:]
        for name in names.sorted() {
            byZone[try await zones.zone(of: name, deadline: deadline), default: []].append(name)
        }
        var found: [(Place, ChallengeRecords)] = []
        for (zone, names) in byZone.sorted(by: { $0.key.id < $1.key.id }) {
            for records in try await records(names, zone: zone.id, deadline: deadline) {
                found.append((Place(zone: zone, name: records.name), records))
            }
        }
        return found
    }
}

extension ChallengeRecords {
    /// The name that a CNAME record leads to; nil when there is none.
    fileprivate func delegation(from zone: Route53.HostedZone, _ settings: SettingNames) throws -> String? {
        if name != zone.name, sets.contains(where: { $0.type == "NS" }) {
            throw IssuanceError(
                .noPlaceForAnswer,
                "\(name) is delegated to other name servers than those of the hosted zone \(zone.id) (\(zone.name)): "
                    + "set \(settings.hostedZone) to the zone that they serve.")
        }
        guard let alias = sets.first(where: { $0.type == "CNAME" }) else { return nil }
        guard alias.routing == .simple, let target = alias.canonicalName else {
            throw IssuanceError(
                .noPlaceForAnswer,
                "\(name) has no simple CNAME record in the hosted zone \(zone.id) (\(zone.name)): only such a one can be "
                    + "followed.")
        }
        return target
    }
}
