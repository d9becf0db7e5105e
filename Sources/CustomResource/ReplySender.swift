internal import Diagnostics
package import HTTPTransport
internal import HTTPTypes
package import Timekeeping

/// Delivers an answer to CloudFormation's presigned URL (case 19).
package struct ReplySender: Sendable {
    private let executor: any HTTPExecutor
    private let clock: any WallClock
    private let retry: RetryPolicy
    private let attemptTimeout: Duration
    private let jitter: @Sendable (ClosedRange<Int64>) -> Int64

    /// - Parameters:
    ///   - attemptTimeout: how long one PUT may take. It leaves room for three in the time kept back.
    ///   - jitter: picks a wait, in milliseconds; tests pick their own.
    package init(
        executor: any HTTPExecutor,
        clock: any WallClock,
        retry: RetryPolicy = RetryPolicy(
            maximumAttempts: 40, baseDelay: .milliseconds(200), maximumDelay: .seconds(5)),
        attemptTimeout: Duration = .seconds(3),
        jitter: @escaping @Sendable (ClosedRange<Int64>) -> Int64 = { Int64.random(in: $0) }
    ) {
        self.executor = executor
        self.clock = clock
        self.retry = retry
        self.attemptTimeout = attemptTimeout
        self.jitter = jitter
    }

    /// Tries until the answer is accepted, refused for good, or `deadline` comes near.
    ///
    /// - Throws: ``CustomResourceError/Code/replyNotDelivered``. The invocation must then end in error, so that Lambda
    ///   delivers the event again.
    package func send(_ reply: CustomResourceReply, by deadline: UnixInstant) async throws {
        let url = reply.request.responseURL
        let body = try reply.encoded()
        // The URL is signed without a content type: any other than an empty one breaks the signature.
        let request = HTTPRequest(
            method: .put, scheme: url.scheme, authority: url.authority, path: url.pathAndQuery.exposed,
            headerFields: [.contentType: ""])
        do {
            try await retry.run(until: deadline, clock: clock, jitter: jitter, classify: Self.verdict) { _ in
                let limit = min(deadline, clock.now.advanced(by: attemptTimeout))
                let exchange = try await executor.execute(request, body: body, deadline: limit)
                guard (200..<300).contains(exchange.status) else { throw Refusal(status: exchange.status) }
                if exchange.tellsOfError { throw Refusal(status: 500) }
            }
        } catch let refusal as Refusal {
            throw CustomResourceError(
                .replyNotDelivered, "CloudFormation's bucket refused the answer (HTTP \(refusal.status)).",
                cause: refusal)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw CustomResourceError(
                .replyNotDelivered, "The answer could not be delivered to CloudFormation in time.", cause: error)
        }
    }

    /// A body is never kept: S3 quotes the signed request in its errors.
    private struct Refusal: Error {
        let status: Int
    }

    private static func verdict(_ error: any Error) -> RetryPolicy.Verdict {
        switch error {
        case let refusal as Refusal:
            refusal.status == 408 || refusal.status == 429 || refusal.status >= 500 ? .retry() : .giveUp
        case let error as TransportError where error.code != .invalidRequest: .retry()
        default: .giveUp
        }
    }
}

extension HTTPExchange {
    /// S3 answers a PUT that succeeded with no body; in that of a 200 it tells of a failure that it noticed late.
    fileprivate var tellsOfError: Bool {
        String(decoding: errorBody, as: UTF8.self).contains("<Error>")
    }
}
