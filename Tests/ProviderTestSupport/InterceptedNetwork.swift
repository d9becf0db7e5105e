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
        package let peer: InMemoryPeers.Peer
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

    private struct State {
        var steps = 0
        var isDead = false
    }

    private let peers: InMemoryPeers
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
        peers: InMemoryPeers, clock: VirtualClock, endsAt: UnixInstant,
        rewrite: @escaping @Sendable (HTTPRequest) -> HTTPRequest? = { $0 },
        plan: @escaping @Sendable (Step) async -> Fault?, observe: @escaping @Sendable (Step, [UInt8]) -> Void
    ) {
        self.peers = peers
        self.clock = clock
        self.endsAt = endsAt
        self.rewrite = rewrite
        self.plan = plan
        self.observe = observe
    }

    package var isDead: Bool { state.withLock { $0.isDead } }

    package func execute(_ request: HTTPRequest, body: [UInt8], deadline: UnixInstant) async throws -> HTTPExchange {
        try Task.checkCancellation()
        try endIfDead()
        let ordinal = state.withLock { state in
            state.steps += 1
            return state.steps
        }
        let path = (request.path ?? "").prefix { $0 != "?" }
        let step = Step(
            ordinal: ordinal, method: request.method.rawValue, target: "\(request.authority ?? "")\(path)",
            peer: InMemoryPeers.peer(of: request))
        let fault = await plan(step)
        if fault == .dieBefore { try die() }
        // Others had their turn: where this process waited, it may have been killed.
        try endIfDead()
        guard let request = rewrite(request) else {
            return HTTPExchange(response: HTTPResponse(status: .ok, headerFields: [.eTag: "\"swallowed\""]))
        }
        defer { observe(step, body) }
        let exchange = try await carryOut(request, body: body, deadline: deadline, fault: fault)
        if fault == .dieAfterwards { try die() }
        return exchange
    }

    /// Lambda kills the process when its time is over.
    private func endIfDead() throws {
        let isDead = state.withLock { state in
            if clock.now >= endsAt { state.isDead = true }
            return state.isDead
        }
        if isDead { throw CancellationError() }
    }

    private func die() throws {
        state.withLock { $0.isDead = true }
        throw CancellationError()
    }

    private func carryOut(
        _ request: HTTPRequest, body: [UInt8], deadline: UnixInstant, fault: Fault?
    ) async throws -> HTTPExchange {
        switch fault {
        case .answer(let status): return InMemoryPeers.refusal(status, to: request, at: clock.now)
        case .reset: throw lost
        case .hang: throw timedOut(at: deadline)
        case .loseAnswer, .hangAfterwards, .dieBefore, .dieAfterwards, nil: break
        }
        let exchange = try await peers.execute(request, body: body, deadline: deadline)
        switch fault {
        case .loseAnswer: throw lost
        case .hangAfterwards: throw timedOut(at: deadline)
        default: return exchange
        }
    }

    private var lost: TransportError { TransportError(.connectionLost, "The connection was lost.") }

    private func timedOut(at deadline: UnixInstant) -> TransportError {
        clock.advance(to: deadline)
        return TransportError(.timedOut, "No response came in time.")
    }
}
