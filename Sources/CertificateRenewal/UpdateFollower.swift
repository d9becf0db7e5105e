internal import AWSClient
internal import Timekeeping

/// Reads the events of one update, of the stack itself and of the nested one that has the certificate.
struct UpdateFollower {
    /// The outermost stack first.
    let stacks: [CloudFormation.Stack]
    let cloudFormation: CloudFormation

    private var seen: Set<String> = []
    /// Events of before the update, by stack.
    private var earlier: [String: Set<String>] = [:]
    /// Whether the stack itself has said that something began.
    var hasBegun: Bool { begunAt != nil }
    private var begunAt: UnixInstant?

    init(_ stacks: [CloudFormation.Stack], cloudFormation: CloudFormation) {
        self.stacks = stacks
        self.cloudFormation = cloudFormation
    }

    /// To be called before the update is started: what has happened so far does not belong to it.
    mutating func skipEarlierEvents(deadline: UnixInstant) async throws {
        for stack in stacks {
            let events = try await cloudFormation.describeStackEvents(stack.id, deadline: deadline)
            earlier[stack.id] = Set(events.map(\.id))
        }
    }

    /// The events since the last call, the earliest first. At the first call those since the update began.
    mutating func newEvents(deadline: UnixInstant) async throws -> [CloudFormation.StackEvent] {
        var found: [CloudFormation.StackEvent] = []
        for stack in stacks {
            let seen = seen, earlier = earlier[stack.id]
            let events = try await cloudFormation.describeStackEvents(stack.id, deadline: deadline) { event in
                seen.contains(event.id) || earlier?.contains(event.id) == true || event.beginsUpdate(of: stack)
            }
            let last = events.firstIndex { $0.beginsUpdate(of: stack) && earlier?.contains($0.id) != true }
            if stack.id == stacks.first?.id, let last { begunAt = events[last].timestamp ?? .distantPast }
            // Nothing has begun, or what is there is of an earlier update of a nested stack.
            guard last != nil || earlier != nil, let begunAt else { continue }
            let own = events.prefix(last.map { $0 + 1 } ?? events.count).prefix { event in
                earlier?.contains(event.id) != true && event.timestamp.map { $0 >= begunAt } != false
            }
            found += own.filter { self.seen.insert($0.id).inserted }.reversed()
        }
        // Of two stacks, in the order in which it happened; what has no time stays where it is.
        guard stacks.count > 1 else { return found }
        return found.enumerated().sorted { one, other in
            guard let first = one.element.timestamp, let second = other.element.timestamp, first != second else {
                return one.offset < other.offset
            }
            return first < second
        }.map(\.element)
    }
}

extension UnixInstant {
    fileprivate static let distantPast = UnixInstant(milliseconds: .min)
}

extension CloudFormation.StackEvent {
    fileprivate func beginsUpdate(of stack: CloudFormation.Stack) -> Bool {
        resourceType == "AWS::CloudFormation::Stack" && logicalResourceID == stack.name
            && status == "UPDATE_IN_PROGRESS"
    }
}
