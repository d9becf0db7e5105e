package import HTTPTransport
package import HTTPTypes
internal import Synchronization
package import Timekeeping

/// A Route 53 in memory, at the level of the wire. As the real one, and unlike emulators, it carries out a batch whole or
/// not at all, refuses to create what exists, to delete what is not there as described, and simple beside other sets of
/// one name and type, takes time until all name servers have a change, and answers five requests a second at most.
package final class InMemoryRoute53: HTTPExecutor {
    /// One request.
    package struct Operation: Sendable, Hashable, CustomStringConvertible {
        /// Counts from 1.
        package let ordinal: Int
        /// As AWS's API reference names it.
        package let name: String

        package var description: String { "\(ordinal) \(name)" }
    }

    package enum Fault: Sendable, Hashable {
        /// Nothing is carried out; the answer is HTTP 400 with this code.
        case refuse(String)
        /// It is carried out; the connection is lost before the answer.
        case loseAnswer
        /// Nothing is carried out, and the caller is no more.
        case kill
        /// It is carried out, and the caller is no more.
        case killAfterwards
    }

    package struct Killed: Error {}

    private let clock: any WallClock
    private let propagation: Duration
    private let requestsPerSecond: Int?
    private let pageSize: Int
    private let state = Mutex(State())

    fileprivate struct State {
        var zones: [Zone] = []
        var operations: [Operation] = []
        var fault: (@Sendable (Operation) -> Fault?)?
        var isDead = false
        /// When changes arrive at the name servers, and how the zones look then.
        var changes: [(at: UnixInstant, zones: [Zone])] = []
        var requestTimes: [UnixInstant] = []
        var mostMultivalues = 0
    }

    /// - Parameters:
    ///   - propagation: how long a change is `PENDING`.
    ///   - requestsPerSecond: nil for as many as come.
    ///   - pageSize: of listings.
    package init(
        clock: any WallClock, propagation: Duration = .seconds(12), requestsPerSecond: Int? = nil, pageSize: Int = 2
    ) {
        self.clock = clock
        self.propagation = propagation
        self.requestsPerSecond = requestsPerSecond
        self.pageSize = pageSize
    }

    package func addZone(_ id: String, _ name: String, isPrivate: Bool = false) {
        state.withLock { $0.zones.append(Zone(id: id, name: name + ".", isPrivate: isPrivate, sets: [])) }
    }

    package func removeZone(_ id: String) {
        state.withLock { state in state.zones.removeAll { $0.id == id } }
    }

    /// What somebody else does. The values of a TXT set are put in quotation marks.
    package func put(_ set: ForeignSet, in zone: String) {
        state.withLock { state in
            guard let index = state.zones.firstIndex(where: { $0.id == zone }) else { return }
            state.zones[index].put(RecordSet(set))
            state.record(at: clock.now)
        }
    }

    /// A record set as a test writes it.
    package struct ForeignSet: Sendable {
        package var name: String
        package var type = "TXT"
        package var identifier: String?
        /// Such as `<Weight>1</Weight>` or `<MultiValueAnswer>true</MultiValueAnswer>`.
        package var routing = ""
        package var ttl = 300
        package var values: [String]

        package init(
            _ name: String, _ type: String = "TXT", identifier: String? = nil, routing: String = "", values: [String]
        ) {
            self.name = name
            self.type = type
            self.identifier = identifier
            self.routing = routing
            self.values = values
        }

        package static let multivalue = "<MultiValueAnswer>true</MultiValueAnswer>"
    }

    /// What stands at a name, without quotation marks: by set identifier, which is empty for a simple set.
    package func texts(_ name: String) -> [String: [String]] {
        state.withLock { Self.texts(name, in: $0.zones) }
    }

    /// The values of all TXT records, without quotation marks.
    package var allTexts: [String] {
        state.withLock { state in
            state.zones.flatMap(\.sets).filter { $0.type == "TXT" }
                .flatMap { $0.values.map { String($0.dropFirst().dropLast()) } }
        }
    }

    /// What every validator is shown now.
    package func visibleTexts(_ name: String) -> Set<String> {
        let now = clock.now
        let zones = state.withLock { state in state.changes.last { $0.at <= now }?.zones ?? [] }
        return Set(Self.texts(name, in: zones).values.flatMap { $0 })
    }

    private static func texts(_ name: String, in zones: [Zone]) -> [String: [String]] {
        let sets = zones.flatMap(\.sets).filter { $0.name == name + "." && $0.type == "TXT" }
        return Dictionary(sets.map { ($0.identifier ?? "", $0.values.map { String($0.dropFirst().dropLast()) }) }) {
            $1
        }
    }

    package var operations: [Operation] { state.withLock { $0.operations } }
    /// The most multivalue TXT values that stood at one name at the same time.
    package var mostMultivalues: Int { state.withLock { $0.mostMultivalues } }

    /// Another fault plan. A caller that was killed is alive again.
    package func plan(_ fault: (@Sendable (Operation) -> Fault?)?) {
        state.withLock { state in
            state.fault = fault
            state.isDead = false
            state.operations = []
        }
    }

    // MARK: The network

    package func execute(_ request: HTTPRequest, body: [UInt8], deadline: UnixInstant) async throws -> HTTPExchange {
        let request = Route53Request(request, body: body)
        let now = clock.now
        let (operation, plan, isThrottled) = try state.withLock { state in
            if state.isDead { throw Killed() }
            let operation = Operation(ordinal: state.operations.count + 1, name: request.operation)
            state.operations.append(operation)
            state.requestTimes.removeAll { $0.duration(to: now) >= .seconds(1) }
            let isThrottled = requestsPerSecond.map { state.requestTimes.count >= $0 } ?? false
            if !isThrottled { state.requestTimes.append(now) }
            return (operation, state.fault, isThrottled)
        }
        // Outside the lock: a test may want to change something just then.
        let fault = isThrottled ? .refuse("Throttling") : plan?(operation)
        if fault == .kill || fault == .killAfterwards { state.withLock { $0.isDead = true } }
        switch fault {
        case .refuse(let code): return Self.refusal(code, "Rate exceeded")
        case .kill: throw Killed()
        case .killAfterwards:
            _ = respond(to: request, now: now)
            throw Killed()
        case .loseAnswer:
            _ = respond(to: request, now: now)
            throw TransportError(.connectionLost, "The connection was lost.")
        case nil: return respond(to: request, now: now)
        }
    }

    private func respond(to request: Route53Request, now: UnixInstant) -> HTTPExchange {
        state.withLock { state in
            switch request.operation {
            case "ListHostedZones":
                let start = state.zones.firstIndex { $0.id == request.query["marker"] } ?? 0
                let page = state.zones[start...].prefix(pageSize)
                let next = page.endIndex < state.zones.count ? state.zones[page.endIndex].id : nil
                return Self.answer(
                    request,
                    "<HostedZones>\(page.map(\.xml).joined())</HostedZones>"
                        + "<IsTruncated>\(next != nil)</IsTruncated>"
                        + (next.map { "<NextMarker>\($0)</NextMarker>" } ?? ""))
            case "GetChange":
                guard let number = Int(request.id.dropFirst()), state.changes.indices.contains(number) else {
                    return Self.refusal("NoSuchChange", "no such change", status: 404)
                }
                return Self.answer(request, changeInfo(number, state.changes[number].at <= now))
            default:
                break
            }
            guard let index = state.zones.firstIndex(where: { $0.id == request.id }) else {
                return Self.refusal("NoSuchHostedZone", "No hosted zone found with ID: \(request.id)", status: 404)
            }
            switch request.operation {
            case "GetHostedZone":
                return Self.answer(request, state.zones[index].xml)
            case "ListResourceRecordSets":
                return Self.answer(request, state.zones[index].page(request.query, size: pageSize))
            case "ChangeResourceRecordSets":
                if let refusal = state.zones[index].apply(request.changes) {
                    return Self.refusal("InvalidChangeBatch", "[\(refusal)]")
                }
                state.record(at: now.advanced(by: propagation))
                return Self.answer(request, changeInfo(state.changes.count - 1, propagation == .zero))
            default:
                return Self.refusal("InvalidAction", request.operation)
            }
        }
    }

    private func changeInfo(_ number: Int, _ isInSync: Bool) -> String {
        "<ChangeInfo><Id>/change/C\(number)</Id><Status>\(isInSync ? "INSYNC" : "PENDING")</Status>"
            + "<SubmittedAt>2027-01-15T08:00:00Z</SubmittedAt></ChangeInfo>"
    }

    private static func answer(_ request: Route53Request, _ inside: String) -> HTTPExchange {
        let xml = "<?xml version=\"1.0\"?><\(request.operation)Response>\(inside)</\(request.operation)Response>"
        return HTTPExchange(response: HTTPResponse(status: .ok), body: Array(xml.utf8))
    }

    private static func refusal(_ code: String, _ message: String, status: Int = 400) -> HTTPExchange {
        let xml = "<ErrorResponse><Error><Code>\(code)</Code><Message>\(message)</Message></Error></ErrorResponse>"
        return HTTPExchange(response: HTTPResponse(status: .init(code: status)), body: Array(xml.utf8))
    }
}

extension InMemoryRoute53.State {
    fileprivate mutating func record(at time: UnixInstant) {
        changes.append((time, zones))
        for zone in zones {
            let many = zone.sets.filter { $0.type == "TXT" && $0.isMultivalue }
            for name in Set(many.map(\.name)) {
                mostMultivalues = max(mostMultivalues, many.filter { $0.name == name }.flatMap(\.values).count)
            }
        }
    }
}
