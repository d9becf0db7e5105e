import HTTPTransport
import HTTPTypes
import Synchronization
import Timekeeping

/// Holds back the answer to the first request that it is meant for, so that a test can do something in between.
final class AnswerGate: Sendable {
    private enum State {
        case waiting
        case holding
        case open
    }

    private let isMeant: @Sendable (HTTPRequest) -> Bool
    private let state = Mutex(State.waiting)

    init(isMeant: @escaping @Sendable (HTTPRequest) -> Bool) {
        self.isMeant = isMeant
    }

    func before(_ network: any HTTPExecutor) -> any HTTPExecutor {
        Gated(network: network, gate: self)
    }

    /// Waits until an answer is held back: its request has been carried out.
    func isHolding() async {
        while state.withLock({ $0 }) == .waiting { await Task.yield() }
    }

    func open() {
        state.withLock { $0 = .open }
    }

    private struct Gated: HTTPExecutor {
        let network: any HTTPExecutor
        let gate: AnswerGate

        func execute(_ request: HTTPRequest, body: [UInt8], deadline: UnixInstant) async throws -> HTTPExchange {
            let exchange = try await network.execute(request, body: body, deadline: deadline)
            let isFirst = gate.state.withLock { state in
                guard state == .waiting, gate.isMeant(request) else { return false }
                state = .holding
                return true
            }
            while isFirst, gate.state.withLock({ $0 }) == .holding { await Task.yield() }
            return exchange
        }
    }
}
