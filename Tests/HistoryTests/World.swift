import AWSClient
import CustomResource
import InMemoryLogging
import Logging
import ProviderTestSupport
import TestSupport
import Timekeeping

/// One account for one history: S3, CloudFormation's bucket, a clock, and Lambda, which runs the provider.
struct World: Sendable {
    let clock = VirtualClock(longestPause: .zero)
    let resourceType: History.ResourceType
    let peers: InMemoryPeers
    let ledger: Ledger
    let logs = InMemoryLogHandler()
    let coverage: CoverageTable
    let stableS3Key: Bool
    let sabotage: Sabotage?
    let executor: SeededExecutor

    var s3: InMemoryS3 { peers.s3 }
    var inbox: ReplyInbox { peers.inbox }

    /// Lambda's timeout for the provider.
    private var timeout: Duration { resourceType == .letsEncrypt ? .seconds(900) : .seconds(60) }

    init(_ history: History, coverage: CoverageTable, sabotage: Sabotage?) {
        // Signatures have tests of their own, and take time.
        let s3 = InMemoryS3(clock: clock, requiresSignatures: false)
        for bucket in [TestProvider.certificateBucket, TestProvider.adoptedBucket] {
            s3.createBucket(bucket, isVersioned: history.versioning != .never)
            if history.versioning == .suspended { s3.setVersioning(.suspended, bucket: bucket) }
        }
        s3.createBucket(TestProvider.stateBucket, isVersioned: false)
        let inbox = ReplyInbox(clock: clock)
        resourceType = history.resourceType
        peers = InMemoryPeers(
            s3: s3, inbox: inbox, front: resourceType == .letsEncrypt ? InMemoryPeers.Front(clock: clock) : nil)
        ledger = Ledger(resourceType: resourceType, s3: s3, inbox: inbox)
        stableS3Key = history.stableS3Key
        self.coverage = coverage
        self.sabotage = sabotage
        let clock = clock
        executor = SeededExecutor(seed: history.schedule) { clock.advanceToNextSleeper() }
    }

    private var logger: Logger {
        let logs = logs
        var logger = Logger(label: "history") { _ in logs }
        logger.logLevel = .trace
        return logger
    }

    func hasBundle(_ id: String) -> Bool {
        [TestProvider.certificateBucket, TestProvider.adoptedBucket].contains { bucket in
            s3.objects(bucket: bucket).keys.contains { "stackcert:1:\(bucket)/\($0)" == id }
        }
    }

    /// Invokes the function with an event.
    ///
    /// - Parameters:
    ///   - delivery: 0 for the first.
    ///   - stop: where the invocation lets another one come first.
    func deliver(_ sent: SentEvent, delivery: Int, stop: Stop? = nil) async -> InvocationEnd {
        coverage.countDelivery()
        let timeout = delivery == 0 ? sent.trouble?.timeout.map { Duration.milliseconds($0) } : nil
        let deadline = clock.now.advanced(by: timeout ?? self.timeout)
        let logger = logger
        let network = InterceptedNetwork(
            peers: peers, clock: clock, endsAt: deadline,
            rewrite: { request in sabotage.map { $0.rewrite(request) } ?? request },
            plan: { step in
                if stop?.isHeld == true, stop?.step == step.ordinal { coverage.countInterruption() }
                await stop?.pass(step.ordinal)
                let fault = sent.fault(at: step.ordinal, of: delivery)
                let row = CoverageTable.Row(
                    resourceType: resourceType, kind: sent.kind, stable: stableS3Key, step: step.ordinal)
                coverage.count(row, fault)
                if fault == .deadline { clock.advance(to: deadline.advanced(by: .seconds(-10))) }
                // Whoever else is under way may come first.
                await Task.yield()
                return fault?.onTheWire
            },
            observe: { step, body in
                ledger.observe(step, body: body, of: sent)
                if sabotage == .logsBodies { logger.debug("sent \(String(decoding: body, as: UTF8.self))") }
            })
        defer { stop?.reached.give() }
        do {
            let payload = try sent.event.payload()
            if sabotage == .logsEvents { logger.info("received \(String(decoding: payload, as: UTF8.self))") }
            try await withLogger(logger) { logger in
                try await invoke(payload, on: network, deadline: deadline, logger: logger)
            }
            return network.isDead ? .killed : .returned
        } catch {
            ledger.note(thrown: error)
            return network.isDead ? .killed : .threw
        }
    }

    /// Runs the function of the history's resource type in a new process.
    private func invoke(
        _ payload: [UInt8], on network: InterceptedNetwork, deadline: UnixInstant, logger: Logger
    ) async throws {
        switch resourceType {
        case .elbBackend:
            let assembly = try ProviderAssembly(
                network: network, clock: clock, stableS3Key: stableS3Key, jitter: { $0.upperBound })
            let function = CustomResourceFunction(
                handler: SabotagedHandler(handler: assembly.handler, sabotage: sabotage), sender: assembly.sender,
                settings: assembly.settings, clock: clock, executor: executor)
            _ = try await function.handle(payload, deadline: deadline, logger: logger)
        case .letsEncrypt:
            let assembly = try LetsEncryptAssembly(network: network, clock: clock, jitter: { $0.upperBound })
            let function = CustomResourceFunction(
                handler: SabotagedHandler(handler: assembly.handler, sabotage: sabotage), sender: assembly.sender,
                settings: assembly.settings, clock: clock, executor: executor)
            _ = try await function.handle(payload, deadline: deadline, logger: logger)
        }
    }
}

extension Fault {
    fileprivate var onTheWire: InterceptedNetwork.Fault? {
        switch self {
        case .status403: .answer(403)
        case .status409: .answer(409)
        case .status412: .answer(412)
        case .status500: .answer(500)
        case .status503: .answer(503)
        case .reset: .reset
        case .hang: .hang
        case .answerLost: .loseAnswer
        case .hangAfterCommit: .hangAfterwards
        case .killBefore: .dieBefore
        case .killAfter: .dieAfterwards
        case .deadline: nil
        }
    }
}
