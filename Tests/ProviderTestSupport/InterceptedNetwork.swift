package import HTTPTransport
package import HTTPTypes
internal import Synchronization
package import TestSupport
package import Timekeeping

/// The network of ONE invocation: counts its steps, asks before each what goes wrong in it, and dies on demand.
///
/// A process that is dead has no effect any more, whatever its code still tries: that is how a test kills an invocation
/// between two steps without killing itself.
package final class InterceptedNetwork: HTTPExecutor {
    /// One request of the invocation.
    package struct Step: Sendable, Hashable {
        /// Counts from 1.
        package let ordinal: Int
        package let method: String
        /// `host/path`, without the query.
        package let target: String
        /// True for the PUT of the answer.
        package let isReply: Bool
    }

    /// What goes wrong in a step.
    package enum Fault: Sendable, Hashable {
        /// Nothing is carried out; the answer is this status.
        case answer(Int)
        case reset
        case hang
        case loseAnswer
        case hangAfterwards
        case dieBefore
        case dieAfterwards
    }

    @TaskLocal private static var s3Fault: InMemoryS3.Fault?
    @TaskLocal private static var inboxFault: ReplyInbox.Fault?

    /// Lets every network's faults through to the services behind it. To be called once for each pair.
    package static func connect(_ s3: InMemoryS3, _ inbox: ReplyInbox) {
        s3.onOperation { _ in s3Fault }
        inbox.onPut { _ in inboxFault }
    }

    private struct State {
        var steps = 0
        var isDead = false
    }

    private let s3: InMemoryS3
    private let inbox: ReplyInbox
    private let clock: VirtualClock
    private let endsAt: UnixInstant
    private let rewrite: @Sendable (HTTPRequest) -> HTTPRequest?
    private let plan: @Sendable (Step) async -> Fault?
    private let observe: @Sendable (Step, [UInt8]) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - endsAt: when Lambda kills the process.
    ///   - rewrite: changes a request on its way; nil swallows it, and the sender is told that all went well.
    ///   - plan: asked before each step.
    ///   - observe: told after each step that may have been carried out, with the request's body.
    package init(
        s3: InMemoryS3, inbox: ReplyInbox, clock: VirtualClock, endsAt: UnixInstant,
        rewrite: @escaping @Sendable (HTTPRequest) -> HTTPRequest? = { $0 },
        plan: @escaping @Sendable (Step) async -> Fault?, observe: @escaping @Sendable (Step, [UInt8]) -> Void
    ) {
        self.s3 = s3
        self.inbox = inbox
        self.clock = clock
        self.endsAt = endsAt
        self.rewrite = rewrite
        self.plan = plan
        self.observe = observe
    }

    package var isDead: Bool { state.withLock { $0.isDead } }

    package func execute(_ request: HTTPRequest, body: [UInt8], deadline: UnixInstant) async throws -> HTTPExchange {
        try Task.checkCancellation()
        let ordinal = try state.withLock { state in
            if clock.now >= endsAt { state.isDead = true }
            if state.isDead { throw CancellationError() }
            state.steps += 1
            return state.steps
        }
        let isReply = request.authority?.hasPrefix("cloudformation-custom-resource-response-") ?? false
        let path = (request.path ?? "").prefix { $0 != "?" }
        let step = Step(
            ordinal: ordinal, method: request.method.rawValue, target: "\(request.authority ?? "")\(path)",
            isReply: isReply)
        let fault = await plan(step)
        if fault == .dieBefore { try die() }
        // Others had their turn: where this process waited, it may have been killed.
        if isDead { throw CancellationError() }
        guard let request = rewrite(request) else {
            return HTTPExchange(response: HTTPResponse(status: .ok))
        }
        defer { observe(step, body) }
        let exchange = try await carryOut(request, body: body, deadline: deadline, isReply: isReply, fault: fault)
        if fault == .dieAfterwards { try die() }
        return exchange
    }

    private func die() throws {
        state.withLock { $0.isDead = true }
        throw CancellationError()
    }

    private func carryOut(
        _ request: HTTPRequest, body: [UInt8], deadline: UnixInstant, isReply: Bool, fault: Fault?
    ) async throws -> HTTPExchange {
        if isReply {
            return try await Self.$inboxFault.withValue(fault?.ofInbox) {
                try await inbox.execute(request, body: body, deadline: deadline)
            }
        }
        return try await Self.$s3Fault.withValue(fault?.ofS3) {
            try await s3.execute(request, body: body, deadline: deadline)
        }
    }
}

extension InterceptedNetwork.Fault {
    fileprivate var ofS3: InMemoryS3.Fault? {
        switch self {
        case .answer(let status): .answer(status)
        case .reset: .reset
        case .hang: .hang
        case .loseAnswer: .loseAnswer
        case .hangAfterwards: .hangAfterwards
        case .dieBefore, .dieAfterwards: nil
        }
    }

    fileprivate var ofInbox: ReplyInbox.Fault? {
        switch self {
        case .answer(let status): .answer(status)
        case .reset: .reset
        case .hang: .hang
        case .loseAnswer, .hangAfterwards: .loseAnswer
        case .dieBefore, .dieAfterwards: nil
        }
    }
}
