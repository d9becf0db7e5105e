import ProviderTestSupport
import TestSupport
import Timekeeping

/// Plays CloudFormation and Lambda's queue: sends events, waits for answers, delivers again what failed.
///
/// Used by one task at a time.
final class StackModel {
    enum Answer {
        case success(id: String, attributes: [String: String])
        case failed(id: String)
        case timedOut
    }

    let world: World
    let history: History
    var step = Step(action: .create)
    var resources: [Int: StackResource] = [:]
    /// Generations that a failed update may have left and that no event will name.
    var abandoned: Set<String> = []
    /// Those of them whose bundle was there.
    var hadBundle: Set<String> = []
    private(set) var sent: [SentEvent] = []
    private var pending: [PendingDelivery] = []
    private var eventsOfStep = 0

    /// Lambda gives up an event after this many retries, or when it is as old as that.
    private static let retries = 2
    private static let maximumEventAge = Duration.seconds(900)

    init(world: World, history: History) {
        self.world = world
        self.history = history
    }

    static func logicalID(_ resource: Int) -> String {
        resource == 0 ? "ElbBackendCertificate" : "ApiBackendCertificate"
    }

    func begin(_ step: Step) {
        self.step = step
        eventsOfStep = 0
    }

    // MARK: Events

    /// Makes the next event of the step, a little later than the one before.
    func makeEvent(
        _ kind: EventKind, properties: [String: String], old: [String: String]? = nil, id: String? = nil
    ) -> SentEvent {
        let now = world.clock.now
        let whole = UnixInstant(seconds: now.seconds + (now == UnixInstant(seconds: now.seconds) ? 0 : 1))
        world.clock.advance(to: whole.advanced(by: .seconds(max(1, step.gap))))
        var event = StackEvent(
            kind.requestType, requestID: "request\(sent.count + 1)", issuedAt: world.clock.now,
            properties: properties, oldProperties: old, physicalResourceID: id)
        event.logicalResourceID = Self.logicalID(step.resource)
        let ordinal = eventsOfStep
        eventsOfStep += 1
        let made = SentEvent(kind: kind, event: event, trouble: step.troubles.first { $0.event == ordinal })
        sent.append(made)
        world.coverage.countEvent()
        return made
    }

    /// Sends an event and waits for its answer as CloudFormation does.
    func request(
        _ kind: EventKind, properties: [String: String], old: [String: String]? = nil, id: String? = nil
    ) async -> Answer {
        let sent = makeEvent(kind, properties: properties, old: old, id: id)
        let event = sent.event
        await deliverPending(overlapping: false)
        world.ledger.await(event)
        let overlapped = takeDue { $0.overlaps }
        let end = await deliverFirst(sent, beside: overlapped)
        await retry(sent, after: end)
        if sent.trouble?.duplicate == .afterwards {
            pending.append(PendingDelivery(due: world.clock.now, sent: sent, delivery: Self.retries + 1))
        }
        let answer = answer(to: sent)
        if case .success = answer { return answer }
        let isRotation = kind == .rotation || kind == .adoptedRotation
        let isRefused = isRotation && (history.refusesRotations || wouldOverwriteShared)
        if sent.mustSucceed, overlapped.isEmpty, history.serviceTimeout >= 600, !isRefused {
            let reason = world.ledger.answer(to: event)?.reason ?? "no response"
            world.ledger.report(.succeeds, "\(event.requestID) (\(kind.rawValue)) did not succeed: \(reason)")
        }
        return answer
    }

    /// A stable copy of one resource would take the place of the key that the other one has as well.
    private var wouldOverwriteShared: Bool {
        history.stableS3Key && history.adoption.isShared && resources.values.count(where: \.isAdopted) > 1
    }

    private func answer(to sent: SentEvent) -> Answer {
        let event = sent.event
        guard let reply = world.ledger.answer(to: event) else {
            world.clock.advance(to: event.issuedAt.advanced(by: .seconds(history.serviceTimeout)))
            world.ledger.stopWaiting(for: event)
            return .timedOut
        }
        return reply.status == "SUCCESS"
            ? .success(id: reply.physicalResourceID, attributes: reply.data ?? [:])
            : .failed(id: reply.physicalResourceID)
    }

    private func deliverFirst(_ sent: SentEvent, beside overlapped: [PendingDelivery]) async -> InvocationEnd {
        let world = world
        if let step = sent.trouble?.interrupted {
            let stop = Stop(step: step, isHeld: true)
            async let first = world.deliver(sent, delivery: 0, stop: stop)
            await stop.reached.wait()
            _ = await world.deliver(sent, delivery: 1)
            stop.goesOn.give()
            return await first
        }
        async let first = world.deliver(sent, delivery: 0)
        await withTaskGroup(of: Void.self) { group in
            if sent.trouble?.duplicate == .concurrent {
                group.addTask { _ = await world.deliver(sent, delivery: 1) }
            }
            for other in overlapped {
                group.addTask { _ = await world.deliver(other.sent, delivery: other.delivery) }
            }
        }
        return await first
    }

    /// Lambda's retries of an invocation that failed: after one minute, then after two.
    private func retry(_ sent: SentEvent, after end: InvocationEnd) async {
        var end = end
        for delivery in 1...Self.retries {
            guard case .returned = end else {
                let due = world.clock.now.advanced(by: .seconds(60 * delivery))
                let givesUp = sent.event.issuedAt.advanced(by: .seconds(history.serviceTimeout))
                guard world.ledger.isWaiting(for: sent.event), due < givesUp else {
                    pending.append(PendingDelivery(due: due, sent: sent, delivery: delivery))
                    return
                }
                world.clock.advance(to: due)
                end = await world.deliver(sent, delivery: delivery)
                continue
            }
            return
        }
    }

    // MARK: What Lambda still has to deliver

    func replay(_ sent: SentEvent, overlaps: Bool) {
        pending.append(
            PendingDelivery(due: world.clock.now, sent: sent, delivery: Self.retries + 1, overlaps: overlaps))
    }

    /// Lambda's retry of an invocation for which nobody waits any more.
    func retryLater(_ sent: SentEvent, after end: InvocationEnd) {
        if case .returned = end { return }
        pending.append(
            PendingDelivery(due: world.clock.now.advanced(by: .seconds(60)), sent: sent, delivery: 1))
    }

    func deliverLater(_ sent: SentEvent) {
        pending.append(PendingDelivery(due: world.clock.now, sent: sent, delivery: 0))
    }

    private func takeDue(where isMeant: (PendingDelivery) -> Bool) -> [PendingDelivery] {
        let now = world.clock.now
        let due = pending.filter { $0.due <= now && isMeant($0) }
        pending.removeAll { $0.due <= now && isMeant($0) }
        return due.filter { $0.sent.event.issuedAt.duration(to: now) <= Self.maximumEventAge }
    }

    private func deliverPending(overlapping: Bool) async {
        for next in takeDue(where: { overlapping || !$0.overlaps }).sorted(by: { $0.due < $1.due }) {
            let end = await world.deliver(next.sent, delivery: next.delivery)
            if case .returned = end { continue }
            guard next.delivery < Self.retries else { continue }
            pending.append(
                PendingDelivery(
                    due: world.clock.now.advanced(by: .seconds(60 * (next.delivery + 1))), sent: next.sent,
                    delivery: next.delivery + 1))
        }
    }

    /// Lets everything end that is still under way.
    func settle() async {
        while let next = pending.map(\.due).min() {
            world.clock.advance(to: max(next, world.clock.now.advanced(by: .seconds(1))))
            await deliverPending(overlapping: true)
        }
    }
}
