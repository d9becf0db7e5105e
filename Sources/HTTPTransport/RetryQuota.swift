internal import Synchronization

/// What all calls of a client together may spend on retries: when a service is down, callers stop adding load after a
/// few calls, and come back as calls succeed again. The numbers are botocore's (standard mode).
package final class RetryQuota: Sendable {
    private static let capacity = 500
    private static let retryCost = 5
    private static let timeoutCost = 10
    private static let refundOfFirstTry = 1

    private let available = Mutex(RetryQuota.capacity)

    package init() {}

    /// Pays for one retry; nil when there is not enough left, and then nothing is paid.
    ///
    /// - Parameter isTimeout: the try before it was not answered in time.
    package func pay(isTimeout: Bool = false) -> Int? {
        let cost = isTimeout ? RetryQuota.timeoutCost : RetryQuota.retryCost
        return available.withLock { available in
            guard available >= cost else { return nil }
            available -= cost
            return cost
        }
    }

    /// Gives back after a success: the price of the retry that led to it, or a little when none was needed.
    package func refund(_ price: Int?) {
        available.withLock { $0 = min(RetryQuota.capacity, $0 + (price ?? RetryQuota.refundOfFirstTry)) }
    }

    /// Gives back everything: what an earlier invocation of the same process spent must not fail the next one.
    package func refill() {
        available.withLock { $0 = RetryQuota.capacity }
    }
}
