extension Route53 {
    package struct HostedZone: Hashable, Sendable {
        /// Without `/hostedzone/`.
        package let id: String
        /// Lower case, without the dot at its end.
        package let name: String
        /// Only seen inside of VPCs.
        package let isPrivate: Bool
        package let recordSetCount: Int

        package init(id: String, name: String, isPrivate: Bool, recordSetCount: Int) {
            self.id = id
            self.name = name
            self.isPrivate = isPrivate
            self.recordSetCount = recordSetCount
        }
    }

    /// The records of one name, type and, unless the routing is simple, set identifier.
    package struct ResourceRecordSet: Hashable, Sendable {
        package enum Routing: Hashable, Sendable {
            /// The only set of its name and type.
            case simple
            /// One of several sets; up to eight of them are in an answer.
            case multivalueAnswer
            /// Weighted, by latency, by place, an alias …
            case other
        }

        /// Lower case, without the dot at its end. An octet that would not be seen, a backslash and a dot inside of a
        /// label stay as Route 53 writes them: `\ooo`.
        package let name: String
        package let type: String
        package let routing: Routing
        package let setIdentifier: String?
        /// Seconds. Nil for an alias.
        package let ttl: Int?
        /// As Route 53 stores them: a text in quotation marks, see ``Route53/quoted(_:)``.
        package let values: [String]

        package init(
            name: String, type: String, routing: Routing = .simple, setIdentifier: String? = nil, ttl: Int?,
            values: [String]
        ) {
            self.name = name.domainName
            self.type = type
            self.routing = routing
            self.setIdentifier = setIdentifier
            self.ttl = ttl
            self.values = values
        }

        /// Where a CNAME record leads.
        package var canonicalName: String? { type == "CNAME" ? values.first?.domainName : nil }
    }

    package struct Change: Hashable, Sendable {
        package enum Action: String, Sendable {
            /// Fails when there is such a set.
            case create = "CREATE"
            /// Fails unless there is a set that is the same in every part.
            case delete = "DELETE"
            /// Makes the set, or puts it in place of what is there.
            case upsert = "UPSERT"
        }

        package let action: Action
        package let set: ResourceRecordSet

        package init(_ action: Action, _ set: ResourceRecordSet) {
            self.action = action
            self.set = set
        }
    }

    /// A batch of changes on its way to the name servers.
    package struct ChangeInfo: Hashable, Sendable {
        /// Without `/change/`.
        package let id: String
        /// All of Route 53's name servers have it.
        package let isInSync: Bool
    }

    /// A text as a TXT record's value: strings of at most 255 octets, each in quotation marks.
    package static func quoted(_ text: String) -> String {
        var strings: [String] = []
        var rest = Array(text.utf8)[...]
        repeat {
            var string = ""
            for byte in rest.prefix(255) {
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): string += "\\" + String(UnicodeScalar(byte))
                case 0x20...0x7E: string += String(UnicodeScalar(byte))
                default: string += "\\" + String(UInt16(byte) + 0o1000, radix: 8).dropFirst()
                }
            }
            strings.append("\"\(string)\"")
            rest = rest.dropFirst(255)
        } while !rest.isEmpty
        return strings.joined(separator: " ")
    }
}

extension Route53.HostedZone {
    init(_ element: XMLElement) throws(AWSError) {
        self.init(
            id: try element.required("Id").lastPathComponent, name: try element.required("Name").domainName,
            isPrivate: element.first("Config")?["PrivateZone"] == "true",
            recordSetCount: element["ResourceRecordSetCount"].flatMap { Int($0) } ?? .max)
    }
}

extension Route53.ResourceRecordSet {
    /// Members that only sets with other routing have.
    private static let otherRouting: Set<String> = [
        "AliasTarget", "CidrRoutingConfig", "Failover", "GeoLocation", "GeoProximityLocation", "Region",
        "TrafficPolicyInstanceId", "Weight",
    ]

    init(_ element: XMLElement) throws(AWSError) {
        var values: [String] = []
        for record in element.children(of: "ResourceRecords", named: "ResourceRecord") {
            values.append(try record.required("Value"))
        }
        let isOther = element.children.contains { Self.otherRouting.contains($0.name) }
        let identifier = element["SetIdentifier"]
        self.init(
            name: try element.required("Name"), type: try element.required("Type"),
            routing: isOther
                ? .other
                : element["MultiValueAnswer"] == "true" ? .multivalueAnswer : identifier == nil ? .simple : .other,
            setIdentifier: identifier, ttl: element["TTL"].flatMap { Int($0) }, values: values)
    }

    fileprivate var xml: String {
        var xml = "<ResourceRecordSet><Name>\((name + ".").xmlEscaped)</Name><Type>\(type.xmlEscaped)</Type>"
        if let setIdentifier { xml += "<SetIdentifier>\(setIdentifier.xmlEscaped)</SetIdentifier>" }
        // The order of the members is that of the service's schema.
        if routing == .multivalueAnswer { xml += "<MultiValueAnswer>true</MultiValueAnswer>" }
        if let ttl { xml += "<TTL>\(ttl)</TTL>" }
        let records = values.map { "<ResourceRecord><Value>\($0.xmlEscaped)</Value></ResourceRecord>" }
        return xml + "<ResourceRecords>\(records.joined())</ResourceRecords></ResourceRecordSet>"
    }
}

extension Route53.Change {
    var xml: String { "<Change><Action>\(action.rawValue)</Action>\(set.xml)</Change>" }
}

extension Route53.ChangeInfo {
    init(_ answer: XMLElement) throws(AWSError) {
        guard let info = answer.first("ChangeInfo") else {
            throw AWSError(.invalidResponse, "The answer has no change.")
        }
        self.init(id: try info.required("Id").lastPathComponent, isInSync: try info.required("Status") == "INSYNC")
    }
}

extension String {
    /// What stands behind the last slash.
    fileprivate var lastPathComponent: String {
        split(separator: "/").last.map(String.init) ?? self
    }

    /// A domain name as it is compared: lower case, no dot at the end, `\052` read as the character that it stands for.
    var domainName: String {
        var name: [UInt8] = []
        var rest = lowercased().utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let code = UInt8(String(Substring(rest.prefix(3))), radix: 8),
                (0x21...0x7E).contains(code), code != UInt8(ascii: "\\"), code != UInt8(ascii: ".")
            {
                name.append(code)
                rest = rest.dropFirst(3)
            } else {
                name.append(byte)
            }
        }
        if name.last == UInt8(ascii: ".") { name.removeLast() }
        return String(decoding: name, as: UTF8.self)
    }
}
