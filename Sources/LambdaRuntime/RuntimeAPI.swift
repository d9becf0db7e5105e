internal import HTTPTransport
internal import HTTPTypes
internal import Logging
internal import Timekeeping

/// The calls of the Lambda Runtime API, version 2018-06-01.
struct RuntimeAPI: Sendable {
    /// `host:port`, as in `AWS_LAMBDA_RUNTIME_API`.
    let endpoint: String
    let executor: any HTTPExecutor
    let clock: any WallClock

    /// How long it may take over anything but `next`. The API is on the same machine: it answers at once or not at all.
    let answerTime: Duration

    /// A frozen process comes back with connections that the peer may have closed; the next one is good. More tries
    /// than that help nobody: Lambda starts a fresh process for one that ended.
    private static let retry = RetryPolicy(
        maximumAttempts: 5, baseDelay: .milliseconds(20), maximumDelay: .milliseconds(200))

    /// Waits for the next event, for hours if it must: the process is frozen meanwhile.
    ///
    /// - Throws: ``RuntimeError`` (`nextRefused`, `nextUnreachable`), or `CancellationError`.
    func next() async throws -> HTTPExchange {
        let exchange: HTTPExchange
        do {
            exchange = try await send(
                .get, "/invocation/next", until: UnixInstant(milliseconds: .max),
                // An answer that was cut off may have held an event, but asking again is all that a process can do.
                retryIf: [.connectFailed, .connectionLost])
        } catch let error as TransportError {
            throw RuntimeError(
                .nextUnreachable, "The Runtime API did not deliver an event: \(error.message)", cause: error)
        }
        guard exchange.status == 200 else {
            throw RuntimeError(
                .nextRefused, "The Runtime API answered \(exchange.status) to the request for the next event.")
        }
        return exchange
    }

    /// Delivers an answer. Returns the status: 202 when it was taken.
    func respond(to requestID: String, with body: [UInt8]) async throws -> Int {
        try await deliver(body, to: "/invocation/\(requestID)/response")
    }

    /// Tells that the invocation failed. Returns the status: 202 when it was taken.
    func fail(_ requestID: String, with report: ErrorReport) async throws -> Int {
        try await deliver(report.json, to: "/invocation/\(requestID)/error", errorType: report.type)
    }

    /// Tells that the process cannot start to work. Returns the status: 202 when it was taken.
    func failInitialization(with report: ErrorReport) async throws -> Int {
        try await deliver(report.json, to: "/init/error", errorType: report.type)
    }

    private func deliver(_ body: [UInt8], to path: String, errorType: String? = nil) async throws -> Int {
        do {
            return try await send(
                .post, path, body: body, errorType: errorType, until: clock.now.advanced(by: answerTime),
                // Delivered twice does no harm: the second is refused with 400 InvalidRequestID.
                retryIf: [.connectFailed, .connectionLost]
            ).status
        } catch let error as TransportError {
            throw RuntimeError(
                .responseUndelivered, "The Runtime API did not take the answer: \(error.message)", cause: error)
        }
    }

    private func send(
        _ method: HTTPRequest.Method, _ path: String, body: [UInt8] = [], errorType: String? = nil,
        until deadline: UnixInstant, retryIf retried: Set<TransportError.Code>
    ) async throws -> HTTPExchange {
        var request = HTTPRequest(
            method: method, scheme: "http", authority: endpoint, path: "/2018-06-01/runtime\(path)")
        request.headerFields[.userAgent] = "StackCert"
        if method == .post { request.headerFields[.contentType] = "application/json" }
        if let errorType, let name = HTTPField.Name("Lambda-Runtime-Function-Error-Type") {
            request.headerFields[name] = errorType
        }
        return try await RuntimeAPI.retry.run(until: deadline, clock: clock) { error in
            guard let error = error as? TransportError, retried.contains(error.code) else { return .giveUp }
            Logger.current.info(
                "The connection to the Runtime API failed; trying again", metadata: ["http.error": "\(error.code)"])
            return .retry()
        } _: { _ in
            try await executor.execute(request, body: body, deadline: deadline)
        }
    }
}
