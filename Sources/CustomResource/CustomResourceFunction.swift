internal import Diagnostics
package import Logging
package import Timekeeping

/// Carries out one event and answers it exactly once, in time.
package struct CustomResourceFunction<Handler: ResourceHandler>: Sendable {
    private let handler: Handler
    private let sender: ReplySender
    private let settings: CustomResourceSettings
    private let clock: any WallClock
    private let executor: (any TaskExecutor)?

    /// - Parameter executor: runs the work and the watch over its time; nil for the one that runs every task. A test
    ///   that orders tasks brings its own.
    package init(
        handler: Handler, sender: ReplySender, settings: CustomResourceSettings,
        clock: any WallClock = SystemWallClock(), executor: (any TaskExecutor)? = nil
    ) {
        self.handler = handler
        self.sender = sender
        self.settings = settings
        self.clock = clock
        self.executor = executor
    }

    /// - Parameters:
    ///   - payload: the event, as Lambda hands it over.
    ///   - deadline: when Lambda ends the invocation.
    /// - Returns: what was answered.
    /// - Throws: ``CustomResourceError`` when the event cannot be read, or the answer not delivered. Lambda is to be
    ///   told, so that it delivers the event again. A FAILED that was delivered is no error here.
    package func handle(
        _ payload: [UInt8], deadline: UnixInstant, logger: Logger
    ) async throws -> CustomResourceReply.Status {
        let startedAt = clock.now
        let request = try CustomResourceRequest(
            decoding: payload, startedAt: startedAt, loopbackAllowed: settings.loopbackResponseURLsAllowed)
        var logger = logger
        logger[metadataKey: "cfn.stack_id"] = "\(request.stackID)"
        logger[metadataKey: "cfn.logical_resource_id"] = "\(request.logicalResourceID)"
        logger[metadataKey: "cfn.request_id"] = "\(request.requestID)"
        logger[metadataKey: "cfn.request_type"] = "\(request.requestType.rawValue)"

        let reserve = min(settings.replyReserve, startedAt.duration(to: deadline) / 2)
        let context = ResourceContext(deadline: deadline.advanced(by: .zero - reserve), logger: logger)
        let result = await race(request, in: context, grace: reserve / 20)
        let reply = reply(to: request, result: result, context: context)
        try await sender.send(reply, by: deadline)
        logger.info("answered", metadata: ["cfn.status": "\(reply.status.rawValue)"])
        return reply.status
    }

    /// The work against the clock: the first to end decides.
    ///
    /// Nobody waits for the loser. A key that is being generated cannot be interrupted, and an invocation that waited
    /// until Lambda ended it would be delivered again after its answer.
    ///
    /// - Parameter grace: how much longer the watch waits than the work has: a call that is not answered ends at the work's
    ///   deadline, and its name belongs into the answer.
    private func race(
        _ request: CustomResourceRequest, in context: ResourceContext, grace: Duration
    ) async -> Result<ResourceOutcome, any Error> {
        let latch = Latch<Result<ResourceOutcome, any Error>>()
        let work = Task(executorPreference: executor) { _ = latch.close(with: await outcome(of: request, in: context)) }
        let watch = Task(executorPreference: executor) {
            guard let failure = await deadlinePassed(context.deadline.advanced(by: grace)) else { return }
            latch.close(with: failure)
        }
        // By the time that the answer is put together nothing new may begin: it names what may have been stored.
        defer {
            work.cancel()
            watch.cancel()
        }
        return await withTaskCancellationHandler {
            await latch.value
        } onCancel: {
            latch.close(with: .failure(CancellationError()))
        }
    }

    private func outcome(
        of request: CustomResourceRequest, in context: ResourceContext
    ) async -> Result<ResourceOutcome, any Error> {
        do {
            return .success(try await dispatch(request, in: context))
        } catch {
            // A call that ran into the deadline knows that it had no answer, but not what to do about it.
            let isTimeUp = clock.now.advanced(by: .milliseconds(100)) >= context.deadline
            return .failure(isTimeUp ? Self.timeIsUp(during: error) : error)
        }
    }

    private func dispatch(
        _ request: CustomResourceRequest, in context: ResourceContext
    ) async throws -> ResourceOutcome {
        if request.requestType == .delete, let id = request.physicalResourceID,
            id.hasPrefix(CustomResourceReply.nothingStoredPrefix)
        {
            return ResourceOutcome(physicalResourceID: id, attributes: [:])
        }
        guard settings.allowedAccounts.contains(request.stackID.account) else {
            throw CustomResourceError(
                .accountRefused,
                "This provider does not serve account \(request.stackID.account): add it to the provider stack's "
                    + "parameter AllowedAccounts.")
        }
        switch (request.requestType, request.physicalResourceID) {
        case (.update, let id?):
            return try await handler.update(request, of: id, in: context)
        case (.delete, let id?):
            try await handler.delete(request, of: id, in: context)
            return ResourceOutcome(physicalResourceID: id, attributes: [:])
        default:
            return try await handler.create(request, in: context)
        }
    }

    private func deadlinePassed(_ deadline: UnixInstant) async -> Result<ResourceOutcome, any Error>? {
        do {
            try await clock.sleep(until: deadline, tolerance: nil)
        } catch {
            return nil
        }
        return .failure(Self.timeIsUp())
    }

    private static func timeIsUp(during error: (any Error)? = nil) -> CustomResourceError {
        CustomResourceError(
            .deadlineExceeded,
            "The work did not end within the function's timeout."
                + (error.map { " Last error: \(Reason($0))" } ?? "")
                + " Try the stack operation again; if it fails again, raise the function's timeout or memory.",
            cause: error)
    }

    private func reply(
        to request: CustomResourceRequest, result: Result<ResourceOutcome, any Error>, context: ResourceContext
    ) -> CustomResourceReply {
        switch result {
        case .success(let outcome):
            return CustomResourceReply(request, succeeded: outcome)
        case .failure(let error):
            let reason = Reason(error)
            context.logger.error("request failed", metadata: ["error.message": "\(reason)"])
            return CustomResourceReply(request, failed: reason, progress: context.progress)
        }
    }
}

/// What the operator decides for every custom resource that this function answers.
package struct CustomResourceSettings: Sendable {
    /// Accounts (12 digits) whose stacks may use the provider.
    package let allowedAccounts: Set<String>
    /// Takes `http://127.0.0.1:…` as a ResponseURL: for a cloud on this machine only.
    package let loopbackResponseURLsAllowed: Bool
    /// What is kept back of the invocation's time for the answer (case 18).
    package let replyReserve: Duration

    package init(
        allowedAccounts: Set<String>, loopbackResponseURLsAllowed: Bool = false, replyReserve: Duration = .seconds(10)
    ) {
        self.allowedAccounts = allowedAccounts
        self.loopbackResponseURLsAllowed = loopbackResponseURLsAllowed
        self.replyReserve = replyReserve
    }
}
