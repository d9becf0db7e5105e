internal import HTTPTypes

/// A hosted zone with its records, names with their dot at the end.
struct Zone: Sendable {
    let id: String
    let name: String
    let isPrivate: Bool
    var sets: [RecordSet]

    var xml: String {
        "<HostedZone><Id>/hostedzone/\(id)</Id><Name>\(name)</Name><CallerReference>r</CallerReference>"
            + "<Config><PrivateZone>\(isPrivate)</PrivateZone></Config>"
            + "<ResourceRecordSetCount>\(sets.count)</ResourceRecordSetCount></HostedZone>"
    }

    mutating func put(_ set: RecordSet) {
        sets.removeAll { $0.key == set.key }
        sets.append(set)
        sets.sort { $0.order.lexicographicallyPrecedes($1.order) }
    }

    func page(_ query: [String: String], size: Int) -> String {
        let start = RecordSet(
            name: query["name"] ?? "", type: query["type"] ?? "", identifier: query["identifier"], routing: "", ttl: 0,
            values: [])
        let rest = sets.filter { !$0.order.lexicographicallyPrecedes(start.order) }
        var xml = "<ResourceRecordSets>\(rest.prefix(size).map(\.xml).joined())</ResourceRecordSets>"
        xml += "<IsTruncated>\(rest.count > size)</IsTruncated>"
        if rest.count > size {
            xml += "<NextRecordName>\(rest[size].name)</NextRecordName><NextRecordType>\(rest[size].type)"
            xml += "</NextRecordType>"
            xml += rest[size].identifier.map { "<NextRecordIdentifier>\($0)</NextRecordIdentifier>" } ?? ""
        }
        return xml
    }

    /// Why a batch is refused; nil when it was carried out.
    mutating func apply(_ changes: [(action: String, set: RecordSet)]) -> String? {
        var copy = self
        guard (1...1000).contains(changes.count) else { return "The number of changes is not allowed" }
        for (action, set) in changes {
            let subject =
                "resource record set [name='\(set.name)', type='\(set.type)', set-identifier="
                + "'\(set.identifier ?? "")']"
            let found = copy.sets.first { $0.key == set.key }
            guard set.name == name || set.name.hasSuffix("." + name) else { return "RRSet is not permitted in zone" }
            guard set.type != "TXT" || set.values.allSatisfy({ $0.hasPrefix("\"") && $0.hasSuffix("\"") }) else {
                return "Invalid Resource Record: Value should be enclosed in quotation marks"
            }
            guard !set.values.isEmpty, Set(set.values).count == set.values.count else { return "Duplicate or no value" }
            switch action {
            case "CREATE":
                guard found == nil else { return "Tried to create \(subject) but it already exists" }
                copy.put(set)
            case "DELETE":
                guard let found else { return "Tried to delete \(subject) but it was not found" }
                guard found.isSame(as: set) else {
                    return "Tried to delete \(subject) but the values provided do not match the current values"
                }
                copy.sets.removeAll { $0.key == set.key }
            default:
                copy.put(set)
            }
        }
        for set in copy.sets {
            let others = copy.sets.filter { $0.name == set.name && $0.key != set.key }
            if others.contains(where: { $0.type == set.type && $0.routingKind != set.routingKind }) {
                return
                    "RRSet with DNS name \(set.name), type \(set.type) cannot be created as other RRSets exist with the "
                    + "same name and type"
            }
            if set.type == "CNAME", others.contains(where: { $0.type != "CNAME" }) {
                return
                    "RRSet of type CNAME with DNS name \(set.name) is not permitted as it conflicts with other records"
            }
        }
        self = copy
        return nil
    }
}

struct RecordSet: Sendable, Hashable {
    let name: String
    let type: String
    let identifier: String?
    /// The elements of the routing.
    let routing: String
    let ttl: Int
    let values: [String]

    init(name: String, type: String, identifier: String?, routing: String, ttl: Int, values: [String]) {
        self.name = name
        self.type = type
        self.identifier = identifier
        self.routing = routing
        self.ttl = ttl
        self.values = values
    }

    init(_ set: InMemoryRoute53.ForeignSet) {
        self.init(
            name: set.name + ".", type: set.type, identifier: set.identifier, routing: set.routing, ttl: set.ttl,
            values: set.type == "TXT" ? set.values.map { "\"\($0)\"" } : set.values)
    }

    init(xml: String) {
        self.init(
            name: xml.texts("Name").first ?? "", type: xml.texts("Type").first ?? "",
            identifier: xml.texts("SetIdentifier").first,
            routing: xml.contains(InMemoryRoute53.ForeignSet.multivalue) ? InMemoryRoute53.ForeignSet.multivalue : "",
            ttl: Int(xml.texts("TTL").first ?? "") ?? 0, values: xml.texts("Value"))
    }

    var isMultivalue: Bool { routingKind == "multivalue" }
    var routingKind: String {
        routing.isEmpty ? "simple" : routing == InMemoryRoute53.ForeignSet.multivalue ? "multivalue" : "other"
    }
    var key: [String] { [name, type, identifier ?? ""] }
    /// Route 53 lists by the labels from the root on, then by type and identifier.
    var order: [String] {
        [name.split(separator: ".").reversed().joined(separator: "\u{0}"), type, identifier ?? ""]
    }

    /// The order of values does not matter.
    func isSame(as other: RecordSet) -> Bool {
        key == other.key && ttl == other.ttl && routing == other.routing && Set(values) == Set(other.values)
    }

    var xml: String {
        "<ResourceRecordSet><Name>\(name)</Name><Type>\(type)</Type>"
            + (identifier.map { "<SetIdentifier>\($0)</SetIdentifier>" } ?? "") + routing + "<TTL>\(ttl)</TTL>"
            + "<ResourceRecords>"
            + values.map { "<ResourceRecord><Value>\($0)</Value></ResourceRecord>" }.joined()
            + "</ResourceRecords></ResourceRecordSet>"
    }
}

/// A request as Route 53 reads it.
struct Route53Request {
    let operation: String
    /// A zone's or a change's.
    let id: String
    let query: [String: String]
    let changes: [(action: String, set: RecordSet)]

    init(_ request: HTTPRequest, body: [UInt8]) {
        let target = (request.path ?? "").split(separator: "?", maxSplits: 1)
        // Empty, 2013-04-01, hostedzone or change, id, rrset.
        let path = (target.first ?? "").split(separator: "/").map(String.init)
        var query: [String: String] = [:]
        for pair in target.dropFirst().first?.split(separator: "&") ?? [] {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            query[parts[0]] = parts.count > 1 ? parts[1].replacing("%2A", with: "*") : ""
        }
        self.query = query
        id = path.count > 2 ? path[2] : ""
        switch (request.method, path.dropFirst().first, path.count) {
        case (.get, "hostedzone", 2): operation = "ListHostedZones"
        case (.get, "hostedzone", 3): operation = "GetHostedZone"
        case (.get, "hostedzone", 4): operation = "ListResourceRecordSets"
        case (.post, "hostedzone", 4): operation = "ChangeResourceRecordSets"
        case (.get, "change", 3): operation = "GetChange"
        default: operation = "Unknown"
        }
        changes = String(decoding: body, as: UTF8.self).texts("Change").map { change in
            (change.texts("Action").first ?? "", RecordSet(xml: change))
        }
    }
}

extension String {
    /// What stands between the tags of this name, which are not nested.
    fileprivate func texts(_ tag: String) -> [String] {
        var texts: [String] = []
        var rest = self[...]
        while let start = rest.firstRange(of: "<\(tag)>"), let end = rest.firstRange(of: "</\(tag)>"),
            start.upperBound <= end.lowerBound
        {
            texts.append(String(rest[start.upperBound..<end.lowerBound]))
            rest = rest[end.upperBound...]
        }
        return texts
    }
}
