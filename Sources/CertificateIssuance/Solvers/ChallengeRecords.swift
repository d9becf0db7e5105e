internal import AWSClient

/// The records that stand at the name of a challenge, and how to change them without touching anybody else's.
///
/// Answers are multivalue records, one value each, in eight slots that are named by their set identifiers: Route 53
/// itself refuses a slot that is taken, and it never answers a query with more than eight of such records. Where
/// somebody keeps a simple TXT record set, beside which Route 53 allows no other, values are put into that one and taken
/// out again. Each change names what it replaces, so that Route 53 refuses it when somebody was faster.
struct ChallengeRecords: Equatable {
    let name: String
    /// Everything that stands at the name.
    let sets: [Route53.ResourceRecordSet]

    private static let prefix = "stackcert-"
    private static let slots = (1...8).map { "\(prefix)\($0)" }
    private static let ttl = 10
    /// For a simple set, all of whose values are in each answer.
    private static let maximumValues = 50

    private var texts: [Route53.ResourceRecordSet] { sets.filter { $0.type == "TXT" } }
    private var simple: Route53.ResourceRecordSet? { texts.first { $0.routing == .simple } }
    private var ours: [Route53.ResourceRecordSet] {
        texts.filter { $0.routing == .multivalueAnswer && $0.setIdentifier?.hasPrefix(Self.prefix) == true }
    }

    /// What is in the slots.
    var occupied: [String: [String]] {
        Dictionary(ours.map { ($0.setIdentifier ?? "", $0.values) }) { first, _ in first }
    }

    /// The changes that put values there.
    ///
    /// - Parameters:
    ///   - offset: where to begin among the slots, so that not everybody begins with the same one.
    ///   - abandoned: slots whose values may be replaced when there is no other room.
    /// - Returns: also the values that stand after the changes; of those that do already the sets are made anew, so that
    ///   the change tells when everybody can see them.
    func adding(
        _ values: [String], offset: Int, abandoned: Set<String>
    ) throws -> (changes: [Route53.Change], placed: [String]) {
        if let other = sets.first(where: { $0.type == "CNAME" || ($0.type == "TXT" && $0.routing == .other) }) {
            throw IssuanceError(
                .noPlaceForAnswer,
                "\(name) has \(other.type) records with which no TXT record can stand: remove them, or point the name "
                    + "to another zone with a simple CNAME record.")
        }
        return if let simple { add(values, to: simple) } else {
            fillSlots(values, offset: offset, abandoned: abandoned)
        }
    }

    /// The changes that take values away; none when none of them is there.
    func removing(_ values: [String]) -> [Route53.Change] {
        let quoted = Set(values.map(Route53.quoted))
        if let simple {
            let rest = simple.values.filter { !quoted.contains($0) }
            guard rest.count < simple.values.count else { return [] }
            let remains = rest.isEmpty ? [] : [Route53.Change(.create, simple.with(rest))]
            return [Route53.Change(.delete, simple)] + remains
        }
        return ours.filter { !quoted.isDisjoint(with: $0.values) }.map { Route53.Change(.delete, $0) }
    }

    private func add(
        _ values: [String], to simple: Route53.ResourceRecordSet
    ) -> (changes: [Route53.Change], placed: [String]) {
        var all = simple.values
        var placed: [String] = []
        for value in values {
            let quoted = Route53.quoted(value)
            if !all.contains(quoted) {
                guard all.count < Self.maximumValues else { continue }
                all.append(quoted)
            }
            placed.append(value)
        }
        guard !placed.isEmpty else { return ([], []) }
        return ([Route53.Change(.delete, simple), Route53.Change(.create, simple.with(all))], placed)
    }

    private func fillSlots(
        _ values: [String], offset: Int, abandoned: Set<String>
    ) -> (changes: [Route53.Change], placed: [String]) {
        var changes: [Route53.Change] = []
        var placed: [String] = []
        var taken = ours
        func count(_ sets: [Route53.ResourceRecordSet]) -> Int { sets.reduce(0) { $0 + max(1, $1.values.count) } }
        // Others who look at the same time fill the same slots: a slot for each foreign value is never filled.
        let usable = Self.slots.dropLast(count(texts) - count(ours))
        var room = Self.slots.count - count(texts)
        let start = usable.isEmpty ? 0 : offset % usable.count
        let slots = usable.dropFirst(start) + usable.prefix(start)
        func put(_ value: String, into slot: String, replacing old: Route53.ResourceRecordSet? = nil) {
            let new = Route53.ResourceRecordSet(
                name: name, type: "TXT", routing: .multivalueAnswer, setIdentifier: slot, ttl: Self.ttl,
                values: [Route53.quoted(value)])
            if let old { changes.append(Route53.Change(.delete, old)) }
            changes.append(Route53.Change(.create, new))
            taken.removeAll { $0.setIdentifier == slot }
            taken.append(new)
            placed.append(value)
        }
        // First those that stand already: nobody may take their slots.
        var waiting: [String] = []
        for value in values {
            if let old = ours.first(where: { $0.values == [Route53.quoted(value)] }), let slot = old.setIdentifier {
                put(value, into: slot, replacing: old)
            } else {
                waiting.append(value)
            }
        }
        let kept = Set(placed.map(Route53.quoted))
        for value in waiting {
            if room > 0, let slot = slots.first(where: { slot in !taken.contains { $0.setIdentifier == slot } }) {
                room -= 1
                put(value, into: slot)
            } else if let old = ours.first(where: { set in
                abandoned.contains(set.setIdentifier ?? "") && kept.isDisjoint(with: set.values) && taken.contains(set)
            }), let slot = old.setIdentifier {
                put(value, into: slot, replacing: old)
            }
        }
        return (changes, placed)
    }
}

extension Route53.ResourceRecordSet {
    fileprivate func with(_ values: [String]) -> Route53.ResourceRecordSet {
        Route53.ResourceRecordSet(
            name: name, type: type, routing: routing, setIdentifier: setIdentifier, ttl: ttl, values: values)
    }
}
