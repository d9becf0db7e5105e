import ProviderTestSupport
import Timekeeping

/// An event that CloudFormation sent, with what goes wrong in its deliveries.
struct SentEvent: Hashable, Sendable {
    let kind: EventKind
    let event: StackEvent
    let trouble: Trouble?

    func fault(at step: Int, of delivery: Int) -> Fault? {
        trouble?.faults.first { $0.hits(step, of: delivery) }?.fault
    }

    /// Whether the provider and Lambda's retries have to overcome all that goes wrong.
    var mustSucceed: Bool {
        guard let trouble else { return true }
        let deliveries = Dictionary(grouping: trouble.faults, by: \.delivery)
        return trouble.timeout == nil
            && deliveries.allSatisfy { delivery, faults in
                delivery < 2 && faults.count == 1 && faults.allSatisfy { $0.fault.isPassing && $0.lasts == 1 }
            }
    }
}

/// A delivery that Lambda makes later: a retry, a duplicate or the replay of an old event.
struct PendingDelivery: Sendable {
    let due: UnixInstant
    let sent: SentEvent
    let delivery: Int
    var overlaps = false
}

/// How an invocation ended, as Lambda sees it.
enum InvocationEnd: Sendable {
    case returned
    case threw
    case killed
}
