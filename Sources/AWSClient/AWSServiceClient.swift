internal import Diagnostics
package import HTTPTransport
internal import HTTPTypes
package import Logging
internal import SigV4
package import Timekeeping

/// Carries out calls: retry → credentials → sign → send → classify. Copies share their retry quota and what they
/// learned about AWS's clock.
package struct AWSServiceClient: Sendable {
    private(set) var configuration: AWSConfiguration
    private let executor: any HTTPExecutor
    private var credentials: any CredentialsProvider
    private let clock: any WallClock
    private let retry: RetryPolicy
    private let attemptTimeout: Duration
    private let jitter: @Sendable (ClosedRange<Int64>) -> Int64
    private let logger: Logger?
    private let quota: RetryQuota
    private let clockOffset = ClockOffset()

    /// - Parameters:
    ///   - retry: for how long and after which waits a call is tried again. A caller with other work to do, or a person who
    ///     waits, wants less patience than a stack's event.
    ///   - quota: shared by whatever belongs to one invocation; the client's own when none is given.
    ///   - attemptTimeout: how long one try may take: a connection that died silently must not use up the deadline.
    ///   - jitter: picks a wait, in milliseconds; tests pick their own.
    ///   - logger: the task's own logger when nil. Calls are logged at debug, retries at info, no body ever.
    package init(
        configuration: AWSConfiguration,
        executor: any HTTPExecutor,
        credentials: any CredentialsProvider,
        clock: any WallClock,
        retry: RetryPolicy = .stackEvent,
        attemptTimeout: Duration = .seconds(20),
        quota: RetryQuota = RetryQuota(),
        jitter: @escaping @Sendable (ClosedRange<Int64>) -> Int64 = { Int64.random(in: $0) },
        logger: Logger? = nil
    ) {
        self.configuration = configuration
        self.executor = executor
        self.credentials = credentials
        self.clock = clock
        self.retry = retry
        self.attemptTimeout = attemptTimeout
        self.quota = quota
        self.jitter = jitter
        self.logger = logger
    }

    /// The same client with other keys.
    package func signing(with credentials: any CredentialsProvider) -> AWSServiceClient {
        var copy = self
        copy.credentials = credentials
        return copy
    }

    /// The same client in another region, such as `us-east-1` for CloudFront's certificates.
    ///
    /// - Throws: ``AWSError/Code/invalidConfiguration`` for what is no region.
    package func inRegion(_ region: String) throws(AWSError) -> AWSServiceClient {
        var copy = self
        copy.configuration = try configuration.inRegion(region)
        return copy
    }

    /// The answer to a call that succeeded.
    ///
    /// - Throws: ``AWSError``, or `CancellationError`.
    func send(_ call: AWSCall, deadline: UnixInstant) async throws -> HTTPExchange {
        var price: Int?
        var wasUncertain = false
        var isSkewCorrected = false
        var failed: AWSError?
        do {
            let answer = try await retry.run(
                until: deadline, clock: clock, jitter: jitter,
                classify: { error in
                    guard let error = error as? AWSError, error.isRetryable,
                        let paid = quota.pay(isTimeout: error.code == .timedOut)
                    else {
                        return .giveUp
                    }
                    price = paid
                    failed = error
                    return .retry(after: error.retryAfter)
                }
            ) { _ in
                if let failed { log(.info, "AWS call is tried again", call, error: failed) }
                do {
                    return try await attempt(call, isSkewCorrected: &isSkewCorrected, deadline: deadline)
                } catch let error as AWSError {
                    wasUncertain = wasUncertain || error.mayHaveBeenCarriedOut
                    throw error
                }
            }
            quota.refund(price)
            log(.debug, "AWS call succeeded", call)
            return answer
        } catch let error as AWSError {
            log(.debug, "AWS call failed", call, error: error)
            throw wasUncertain ? error.afterUncertainTry() : error
        }
    }

    /// One try, repeated at once if the clock turns out to be wrong.
    private func attempt(
        _ call: AWSCall, isSkewCorrected: inout Bool, deadline: UnixInstant
    ) async throws -> HTTPExchange {
        guard clock.now < deadline else {
            throw AWSError(.timedOut, "No time was left.").during(call)
        }
        let keys: SigningCredentials
        do {
            keys = try await credentials.credentials(deadline: deadline)
        } catch let error as AWSError {
            throw error.during(call)
        }
        while true {
            let answer = try await exchange(call, credentials: keys, deadline: deadline)
            guard let error = failure(of: answer, to: call, credentials: keys) else { return answer }
            guard error.isClockSkew, !isSkewCorrected,
                clockOffset.correct(from: answer.response.headerFields, now: clock.now)
            else { throw error }
            isSkewCorrected = true
            log(.info, "Signatures follow AWS's clock from now on", call, error: error)
        }
    }

    private func exchange(
        _ call: AWSCall, credentials: SigningCredentials, deadline: UnixInstant
    ) async throws -> HTTPExchange {
        let now = clock.now
        let signer = RequestSigner(
            service: call.service.signingName, region: configuration.signingRegion(for: call.service))
        let request = signer.sign(
            HTTPRequest(call, at: configuration.endpoint(for: call.service)), payload: .bytes(call.body),
            credentials: credentials, at: now.advanced(by: clockOffset.current))
        do {
            return try await executor.execute(
                request, body: call.body, deadline: min(deadline, now.advanced(by: attemptTimeout)))
        } catch let error as TransportError {
            throw AWSError(error, during: call)
        }
    }

    /// The error that an answer stands for; nil for a success.
    private func failure(
        of answer: HTTPExchange, to call: AWSCall, credentials: SigningCredentials
    ) -> AWSError? {
        let parsed: ErrorAnswer
        var status = answer.status
        if (200..<300).contains(status) {
            // S3 begins some answers before it knows how they end, and tells of the failure in the body.
            guard !call.answersWithData, let error = ErrorAnswer(xml: answer.errorBody) else { return nil }
            parsed = error
            status = 500
        } else {
            parsed =
                ErrorAnswer(xml: answer.errorBody)
                ?? ErrorAnswer(json: answer.errorBody, fields: answer.response.headerFields)
                ?? ErrorAnswer(status: status)
        }
        return AWSError(parsed, status: status, answer: answer, call: call, credentials: credentials, now: clock.now)
    }

    private func log(_ level: Logger.Level, _ message: Logger.Message, _ call: AWSCall, error: AWSError? = nil) {
        var metadata: Logger.Metadata = [
            "aws.service": "\(call.service.signingName)", "aws.operation": "\(call.operation)",
        ]
        metadata["aws.error_code"] = error.map { "\($0.code.rawValue)" }
        metadata["aws.request_id"] = error?.requestID.map { "\($0)" }
        (logger ?? .current).log(level: level, message, metadata: metadata)
    }
}

extension RetryPolicy {
    /// For the calls of a stack's event: when one fails, the event fails and the stack is rolled back.
    package static let stackEvent = RetryPolicy(patience: .seconds(120))
}

extension HTTPRequest {
    fileprivate init(_ call: AWSCall, at endpoint: Endpoint) {
        let query = call.query
            .map { name, value in name.uriEncoded() + "=" + (value ?? "").uriEncoded() }
            .joined(separator: "&")
        self.init(
            method: call.method, scheme: endpoint.scheme, authority: call.hostPrefix + endpoint.authority,
            path: endpoint.basePath + call.path + (query.isEmpty ? "" : "?" + query), headerFields: call.fields)
        headerFields[.userAgent] = ProductVersion.userAgent
    }
}
