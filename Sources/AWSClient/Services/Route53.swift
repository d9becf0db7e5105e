internal import HTTPTransport
internal import HTTPTypes
internal import SigV4
package import Timekeeping

/// Amazon Route 53: hosted zones and their records, read and changed in atomic batches.
///
/// Every call throws ``AWSError`` or `CancellationError` and is tried again as the client's policy says. Route 53 takes
/// five requests a second from a whole account: a busy caller has to wait longer than the client does, see
/// ``AWSError/isThrottling``.
package struct Route53: Sendable {
    private let client: AWSServiceClient

    package init(_ client: AWSServiceClient) {
        self.client = client
    }

    /// All hosted zones of the account, in the order in which Route 53 lists them.
    package func listHostedZones(deadline: UnixInstant) async throws -> [HostedZone] {
        var zones: [HostedZone] = []
        var marker: String?
        while true {
            let call = call("ListHostedZones", .get, "hostedzone", query: [("marker", marker)])
            let page = try await send(call, deadline: deadline) { answer throws(AWSError) in
                var zones: [HostedZone] = []
                for zone in answer.children(of: "HostedZones", named: "HostedZone") {
                    zones.append(try HostedZone(zone))
                }
                return (zones, answer["IsTruncated"] == "true" ? answer["NextMarker"] : nil)
            }
            zones += page.0
            guard let next = page.1, !next.isEmpty else { return zones }
            guard next != marker, zones.count <= 100_000 else { throw AWSError.endless(call) }
            marker = next
        }
    }

    /// - Throws: ``AWSError/Code/noSuchHostedZone``.
    package func getHostedZone(_ id: String, deadline: UnixInstant) async throws -> HostedZone {
        let call = call("GetHostedZone", .get, try zonePath(id))
        return try await send(call, deadline: deadline) { answer throws(AWSError) in
            guard let zone = answer.first("HostedZone") else {
                throw AWSError(.invalidResponse, "The answer has no hosted zone.")
            }
            return try HostedZone(zone)
        }
    }

    /// All record sets of one name, or of the whole zone.
    ///
    /// - Parameter name: nil for all names: a request for each ``recordSetsPerPage`` sets.
    /// - Throws: ``AWSError/Code/noSuchHostedZone``.
    package func listResourceRecordSets(
        zone: String, name: String? = nil, deadline: UnixInstant
    ) async throws -> [ResourceRecordSet] {
        let wanted = name?.domainName
        var found: [ResourceRecordSet] = []
        var start: [(name: String, value: String?)] = wanted.map { [("name", $0 + ".")] } ?? []
        while true {
            let call = call("ListResourceRecordSets", .get, try zonePath(zone) + "/rrset", query: start)
            let page = try await send(call, deadline: deadline) { answer throws(AWSError) in
                var sets: [ResourceRecordSet] = []
                for element in answer.children(of: "ResourceRecordSets", named: "ResourceRecordSet") {
                    sets.append(try ResourceRecordSet(element))
                }
                return (sets, answer.nextRecordSet)
            }
            // What follows in the zone is listed too.
            found += page.0.filter { wanted == nil || $0.name == wanted }
            guard let next = page.1, wanted == nil || next.first?.value?.domainName == wanted else { return found }
            guard !next.elementsEqual(start, by: ==), found.count <= 100_000 else { throw AWSError.endless(call) }
            start = next
        }
    }

    package static let recordSetsPerPage = 300

    /// Carries out all of the changes, or none of them.
    ///
    /// - Parameter changes: at most 1,000, with at most 32,000 characters in their values.
    /// - Throws: ``AWSError/Code/invalidChangeBatch`` when the records are not as the changes suppose.
    package func changeResourceRecordSets(
        zone: String, _ changes: [Change], deadline: UnixInstant
    ) async throws -> ChangeInfo {
        var call = call("ChangeResourceRecordSets", .post, try zonePath(zone) + "/rrset/")
        call.fields[.contentType] = "application/xml"
        call.body = Array(
            ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
                + "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">"
                + "<ChangeBatch><Changes>\(changes.map(\.xml).joined())</Changes></ChangeBatch>"
                + "</ChangeResourceRecordSetsRequest>").utf8)
        return try await send(call, deadline: deadline) { answer throws(AWSError) in try ChangeInfo(answer) }
    }

    /// How far a change has got.
    ///
    /// - Parameter id: of a ``ChangeInfo``.
    package func getChange(_ id: String, deadline: UnixInstant) async throws -> ChangeInfo {
        try await send(call("GetChange", .get, "change/\(id.uriEncoded())"), deadline: deadline) {
            answer throws(AWSError) in try ChangeInfo(answer)
        }
    }

    /// - Parameter id: with `/hostedzone/` before it or without.
    private func zonePath(_ id: String) throws(AWSError) -> String {
        let plain = id.hasPrefix("/hostedzone/") ? id.dropFirst("/hostedzone/".count) : id[...]
        guard (1...32).contains(plain.utf8.count), plain.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
        else {
            throw AWSError(.invalidRequest, "The hosted zone's id is none: letters and digits are allowed.")
        }
        return "hostedzone/" + plain
    }

    private func call(
        _ operation: String, _ method: HTTPRequest.Method, _ path: String,
        query: [(name: String, value: String?)] = []
    ) -> AWSCall {
        var call = AWSCall(service: .route53, operation: operation, method: method, path: "/2013-04-01/" + path)
        call.query = query.filter { $0.value != nil }
        call.answersWithData = true
        return call
    }

    private func send<Value>(
        _ call: AWSCall, deadline: UnixInstant, read: (XMLElement) throws(AWSError) -> Value
    ) async throws -> Value {
        let answer = try await client.send(call, deadline: deadline)
        do throws(AWSError) {
            return try read(try XMLElement(parsing: answer.body))
        } catch {
            throw error.during(call)
        }
    }
}

extension AWSError.Code {
    /// The records are not as a batch of changes supposes, or would not be valid afterwards. Nothing was changed.
    package static let invalidChangeBatch = Self(rawValue: "InvalidChangeBatch")
    package static let noSuchHostedZone = Self(rawValue: "NoSuchHostedZone")
    /// An earlier change of the same zone is still being taken in.
    package static let priorRequestNotComplete = Self(rawValue: "PriorRequestNotComplete")
}

extension AWSError {
    fileprivate static func endless(_ call: AWSCall) -> AWSError {
        AWSError(.invalidResponse, "The listing leads back to where it was.").during(call)
    }
}

extension XMLElement {
    fileprivate var nextRecordSet: [(name: String, value: String?)]? {
        guard self["IsTruncated"] == "true", let name = self["NextRecordName"] else { return nil }
        return [
            ("name", name), ("type", self["NextRecordType"]), ("identifier", self["NextRecordIdentifier"]),
        ]
    }
}
