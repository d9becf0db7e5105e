internal import AWSClient
internal import Timekeeping

/// Changes as compare-and-swap: each names what it replaces.
extension Route53Solver {
    /// Looks at the records, lets `edit` decide what to change, and changes all of it at once; from the beginning when
    /// somebody else changed them in between.
    func change<Outcome>(
        zone: String, of placements: [ChallengePlacement], deadline: UnixInstant,
        _ edit: ([ChallengeRecords]) throws -> (changes: [Route53.Change], outcome: Outcome)
    ) async throws -> (outcome: Outcome, change: Route53.ChangeInfo?) {
        var names: [String] = []
        for placement in placements where !names.contains(placement.name) { names.append(placement.name) }
        var refused: [ChallengeRecords] = []
        var refusals = 0
        while true {
            let found = try await records(names, zone: zone, deadline: deadline)
            let (changes, outcome) = try edit(found)
            guard !changes.isEmpty else { return (outcome, nil) }
            do {
                let change = try await pacing.call(until: deadline) {
                    try await route53.changeResourceRecordSets(zone: zone, changes, deadline: deadline)
                }
                return (outcome, change)
            } catch let error as AWSError where error.code == .invalidChangeBatch {
                // Refused although nobody changed anything: then it will be the next time.
                refusals = found == refused ? refusals + 1 : 0
                refused = found
                guard refusals < 3,
                    try await pacing.wait(.milliseconds(200), .seconds(2), until: deadline) != nil
                else { throw error }
            }
        }
    }

    /// What stands at some names of a zone, in their order. A small zone is listed as a whole when that takes fewer
    /// requests than the names: a certificate may have a hundred.
    func records(_ names: [String], zone: String, deadline: UnixInstant) async throws -> [ChallengeRecords] {
        if names.count > 3 {
            let count = try await pacing.call(until: deadline) {
                try await route53.getHostedZone(zone, deadline: deadline)
            }.recordSetCount
            if count / Route53.recordSetsPerPage + 2 < names.count {
                let all = try await sets(zone: zone, deadline: deadline)
                return names.map { name in ChallengeRecords(name: name, sets: all.filter { $0.name == name }) }
            }
        }
        var found: [ChallengeRecords] = []
        for name in names {
            found.append(
                ChallengeRecords(name: name, sets: try await sets(of: name, zone: zone, deadline: deadline)))
        }
        return found
    }

    private func sets(
        of name: String? = nil, zone: String, deadline: UnixInstant
    ) async throws -> [Route53.ResourceRecordSet] {
        try await pacing.call(until: deadline) {
            try await route53.listResourceRecordSets(zone: zone, name: name, deadline: deadline)
        }
    }
}

extension [Route53.Change] {
    /// Whether they are within Route 53's limits for a batch.
    var fitIntoBatch: Bool {
        let values = flatMap(\.set.values)
        return count <= 1000 && values.count <= 1000 && values.reduce(0) { $0 + $1.utf8.count } <= 32_000
    }
}
