package import HTTPTransport
package import Logging
package import Timekeeping

/// Serves events from the Lambda Runtime API, one at a time, for as long as the process lives.
///
/// Nothing that an event holds ends the loop: a handler's error is reported and the next event is asked for. What
/// does end it is a Runtime API that is out of order; Lambda then starts a new process.
package struct RuntimeLoop: Sendable {
    private let api: RuntimeAPI
    private let clock: any WallClock
    private let logger: Logger
    private let retryQuota: RetryQuota
    private let exportTraceID: @Sendable (String?) -> Void

    /// - Parameters:
    ///   - endpoint: `host:port` from `AWS_LAMBDA_RUNTIME_API`.
    ///   - executor: reaches the endpoint over plain HTTP, takes responses of at least 6 MB, and does not retry.
    ///   - retryQuota: of the clients that the handler uses; each invocation begins with a whole one.
    ///   - logger: bound as `Logger.current` around every invocation, with `lambda.request_id`.
    package init(
        endpoint: String, executor: any HTTPExecutor, retryQuota: RetryQuota,
        clock: any WallClock = SystemWallClock(), logger: Logger = .current
    ) {
        self.init(
            endpoint: endpoint, executor: executor, retryQuota: retryQuota, clock: clock, logger: logger,
            exportTraceID: TraceEnvironment.set)
    }

    init(
        endpoint: String, executor: any HTTPExecutor, retryQuota: RetryQuota = RetryQuota(), clock: any WallClock,
        logger: Logger, answerTime: Duration = .seconds(10), exportTraceID: @escaping @Sendable (String?) -> Void
    ) {
        self.api = RuntimeAPI(endpoint: endpoint, executor: executor, clock: clock, answerTime: answerTime)
        self.clock = clock
        self.logger = logger
        self.retryQuota = retryQuota
        self.exportTraceID = exportTraceID
    }

    /// Serves events until the task is cancelled or the Runtime API fails.
    ///
    /// - Throws: `CancellationError`, or ``RuntimeError`` when the process must end.
    package func run(_ handler: some InvocationHandler) async throws {
        guard !api.endpoint.isEmpty else {
            throw RuntimeError(
                .noRuntimeAPI,
                "The environment variable AWS_LAMBDA_RUNTIME_API is not set. AWS Lambda sets it to the address of its "
                    + "Runtime API (host:port); without it there are no events to serve.")
        }
        try await withLogger(logger) { _ in
            while true {
                let exchange = try await api.next()
                let invocation = try Invocation(exchange, receivedAt: clock.now)
                exportTraceID(invocation.traceID)
                retryQuota.refill()
                try await withLogger(mergingMetadata: ["lambda.request_id": "\(invocation.requestID)"]) { logger in
                    try await serve(invocation, with: handler, logger: logger)
                }
            }
        }
    }

    /// Tells Lambda that the process cannot start to work; the caller exits non-zero afterwards.
    ///
    /// Never throws: without a Runtime API there is nobody to tell, and the exit status speaks.
    package func reportInitializationError(_ error: any Error) async {
        await withLogger(logger) { logger in
            let report = ErrorReport(error)
            logger.error("The function cannot start", metadata: report.metadata)
            do {
                let status = try await api.failInitialization(with: report)
                try checkReceipt(status, logger: logger)
            } catch {
                logger.error("The error could not be reported", metadata: ErrorReport(error).metadata)
            }
        }
    }

    private func serve(
        _ invocation: Invocation, with handler: some InvocationHandler, logger: Logger
    ) async throws {
        let answer: [UInt8]
        do {
            answer = try await handler.handle(invocation)
        } catch {
            try Task.checkCancellation()
            return try await fail(invocation, with: error, logger: logger)
        }
        let status = try await api.respond(to: invocation.requestID, with: answer)
        if status == 413 {
            let error = RuntimeError(
                .responseTooLarge, "The answer of \(answer.count) bytes is more than Lambda takes.")
            try await fail(invocation, with: error, logger: logger)
        } else {
            try checkReceipt(status, logger: logger)
        }
    }

    /// The handler's error ends here, nobody above sees it: that is why this module logs it as an error.
    private func fail(_ invocation: Invocation, with error: any Error, logger: Logger) async throws {
        let report = ErrorReport(error)
        logger.error("The invocation failed", metadata: report.metadata)
        try checkReceipt(try await api.fail(invocation.requestID, with: report), logger: logger)
    }

    /// A refused answer (400 `InvalidRequestID` after a timeout or a second delivery, 403) is over and done with; if
    /// the process is no longer wanted, `next` says so. A 5xx means that the process should end.
    private func checkReceipt(_ status: Int, logger: Logger) throws(RuntimeError) {
        switch status {
        case 200..<300: logger.debug("The Runtime API took the answer")
        case 400..<500:
            logger.warning("The Runtime API refused the answer", metadata: ["http.status": "\(status)"])
        default:
            throw RuntimeError(.responseRefused, "The Runtime API answered \(status) to an answer.")
        }
    }
}

extension ErrorReport {
    fileprivate var metadata: Logger.Metadata {
        ["error.type": "\(type)", "error.message": "\(message)"]
    }
}
