/// How long the answers of others have stood, in time that was spent waiting: a process that was suspended knows nothing
/// of the time in between.
struct SlotWatch {
    let patience: Duration
    var waited = Duration.zero
    private var seen: [Slot: (values: [String], at: Duration)] = [:]

    private struct Slot: Hashable {
        let zone: String
        let name: String
        let identifier: String
    }

    init(patience: Duration) {
        self.patience = patience
    }

    mutating func abandoned(in records: ChallengeRecords, zone: String) -> Set<String> {
        var abandoned: Set<String> = []
        for (identifier, values) in records.occupied {
            let slot = Slot(zone: zone, name: records.name, identifier: identifier)
            if let before = seen[slot], before.values == values {
                if waited - before.at >= patience { abandoned.insert(identifier) }
            } else {
                seen[slot] = (values, waited)
            }
        }
        return abandoned
    }
}
