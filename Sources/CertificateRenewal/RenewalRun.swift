internal import AWSClient
internal import CertificateIssuance
package import Logging
package import Timekeeping

/// One run of the scheduled function: everything that is due, and everything that earlier runs left unfinished.
package struct RenewalRun: Sendable {
    let environment: RenewalEnvironment

    package init(_ environment: RenewalEnvironment) {
        self.environment = environment
    }

    /// - Parameter deadline: when the run has to be over. Stacks for which no time is left wait for the next.
    /// - Throws: ``AWSError`` when what is due cannot be found. A single stack's failure is in the report.
    package func run(until deadline: UnixInstant, logger: Logger) async throws -> RenewalReport {
        let (due, unreadable, attempts, stacks) = try await pending(deadline: deadline, logger: logger)
        // Somebody else renewed, or removed, what a try of ours failed to renew. Or a person is about to rotate what is
        // not due: that one's lease has not ended.
        for (guid, attempt) in attempts
        where !stacks.contains(where: { $0.guid == guid }) && !attempt.isLeased(at: environment.clock.now) {
            try await environment.state.delete(RenewalAttempt.key(stackGUID: guid), deadline: deadline)
        }

        var report = RenewalReport(due: due.reduce(unreadable.count) { $0 + $1.certificates.count })
        report.lines = await lines(of: unreadable, deadline: deadline)
        for line in report.lines { log(line, logger) }
        await withTaskGroup(of: RenewalReport.Line?.self) { group in
            var waiting = stacks[...]
            for _ in 0..<environment.stacksInFlight {
                guard let stack = waiting.popFirst() else { break }
                group.addTask { await self.handle(stack, deadline: deadline, logger: logger) }
            }
            while let line = await group.next() {
                if let line { report.lines.append(line) }
                guard environment.clock.now < deadline, let stack = waiting.popFirst() else { continue }
                group.addTask { await self.handle(stack, deadline: deadline, logger: logger) }
            }
            if !waiting.isEmpty {
                logger.warning("no time was left for all stacks", metadata: ["renewal.left": "\(waiting.count)"])
            }
        }
        // What was renewed counts, whatever comes of looking back.
        do {
            let reversions = try await reversions(deadline: deadline)
            for line in reversions { log(line, logger) }
            report.lines += reversions
        } catch {
            logger.error(
                "earlier renewals could not be looked at", metadata: ["error.message": "\(text(of: error))"])
        }
        return report
    }

    private func log(_ line: RenewalReport.Line, _ logger: Logger) {
        logger.log(
            level: line.outcome.isFailure ? .error : .info, "renewal",
            metadata: [
                "cfn.stack_id": "\(line.stack.id)", "renewal.outcome": "\(line.outcome.code.rawValue)",
                "renewal.message": "\(line.outcome.line)",
            ])
    }

    // MARK: What is due

    /// All stacks in which there is something to do, those that run out first at the beginning.
    package func stacks(deadline: UnixInstant, logger: Logger) async throws -> [DueStack] {
        try await pending(deadline: deadline, logger: logger).stacks
    }

    private func pending(
        deadline: UnixInstant, logger: Logger
    ) async throws -> (
        due: [DueStack], unreadable: [UnreadableRecord], attempts: [String: RenewalAttempt], stacks: [DueStack]
    ) {
        let (due, unreadable) = try await due(deadline: deadline, logger: logger)
        let attempts = try await attempts(deadline: deadline, logger: logger)
        // What an earlier run started is looked after before anything else is begun in the same stack.
        let begun = attempts.filter { $0.value.execution != nil }
        var stacks = begun.map { DueStack(id: $1.stackID, guid: $0, certificates: $1.certificates) }
        stacks += due.filter { begun[$0.guid] == nil }
        stacks.sort { ($0.earliestExpiry ?? environment.clock.now) < ($1.earliestExpiry ?? environment.clock.now) }
        return (due, unreadable, attempts, stacks)
    }

    private func due(
        deadline: UnixInstant, logger: Logger
    ) async throws -> (due: [DueStack], unreadable: [UnreadableRecord]) {
        var unreadable: [UnreadableRecord] = []
        var byStack: [String: (id: String, certificates: [DueCertificate])] = [:]
        let timing = RenewalTiming(environment: environment, deadline: deadline, logger: logger)
        for action in try await environment.state.dueActions(at: environment.clock.now, deadline: deadline) {
            let record: CertificateRecord?
            let later: UnixInstant?
            do {
                record = try await environment.state.record(of: action, deadline: deadline)
                if let record, let address = record.address {
                    later = try await timing.nextLook(record, address)
                } else {
                    later = nil
                }
            } catch let error as AWSError where error.isRetryable {
                throw error
            } catch {
                unreadable.append(UnreadableRecord(action, stateBucket: environment.state.name, error: error))
                continue
            }
            guard let record else {
                // A person only looks here, and may not write.
                guard environment.trigger == .schedule else { continue }
                logger.notice(
                    "a marker pointed at nothing and was removed", metadata: ["renewal.marker": "\(action.key)"])
                try await environment.state.remove(action, deadline: deadline)
                continue
            }
            if let address = record.address, let later {
                // Written before the other goes: killed in between, it is looked at once more.
                try await environment.state.mark(address, at: later, deadline: deadline)
                try await environment.state.remove(action, deadline: deadline)
                continue
            }
            let certificate = DueCertificate(
                logicalResourceID: record.logicalResourceID, generation: action.generation.description,
                rotationParameter: record.settings.rotationParameter, notBefore: record.facts.notBefore,
                notAfter: record.facts.notAfter)
            // It may have two markers, one of them put back by the sweep.
            guard byStack[action.stackGUID]?.certificates.contains(certificate) != true else { continue }
            byStack[action.stackGUID, default: (record.stackID, [])].certificates.append(certificate)
        }
        return (byStack.map { DueStack(id: $1.id, guid: $0, certificates: $1.certificates) }, unreadable)
    }

    private func attempts(deadline: UnixInstant, logger: Logger) async throws -> [String: RenewalAttempt] {
        var attempts: [String: RenewalAttempt] = [:]
        for key in try await environment.state.keys(below: RenewalAttempt.root, deadline: deadline) {
            guard let guid = key.split(separator: "/").last?.split(separator: ".").first else { continue }
            do {
                attempts[String(guid)] = try await environment.state.document(
                    RenewalAttempt.self, at: key, deadline: deadline)?.document
            } catch let error as AWSError where error.isRetryable {
                throw error
            } catch {
                logger.error("a renewal's memory cannot be read", metadata: ["error.message": "\(text(of: error))"])
            }
        }
        return attempts
    }

    // MARK: One stack

    private func handle(
        _ stack: DueStack, deadline: UnixInstant, logger: Logger
    ) async -> RenewalReport.Line? {
        var line: RenewalReport.Line
        do {
            guard let told = try await renew(stack, deadline: deadline) else { return nil }
            line = told
        } catch {
            // Nothing is known to be lost: what was written before says where to go on.
            line = RenewalReport.Line(
                stack: stack, outcome: RenewalOutcome(failure: error), isNews: true)
        }
        log(line, logger)
        return line
    }

    private func renew(_ stack: DueStack, deadline: UnixInstant) async throws -> RenewalReport.Line? {
        let memory = AttemptMemory(stack: stack, state: environment.state, deadline: deadline)
        guard var attempt = try await memory.take(at: environment.clock.now, lease: environment.lease) else {
            return RenewalReport.Line(stack: stack, outcome: RenewalOutcome(.waiting, "Waits for its next try."))
        }
        let before = attempt.value
        let renewal = StackRenewal(stack: stack, environment: environment, deadline: deadline)
        var outcome: RenewalOutcome?
        if let execution = attempt.value.execution {
            outcome = await renewal.verify(execution)
        }
        var ended: RenewalOutcome
        if let outcome {
            ended = outcome
        } else {
            // Written down before it is done: whoever comes after a run that was killed looks whether it was done.
            ended = await renewal.start { execution in
                attempt.value.execution = execution
                try await memory.write(&attempt)
            }
        }
        ended = attempt.value.judged(ended, now: environment.clock.now)
        switch ended.code {
        case .renewed, .stackDeleted:
            if ended.code == .stackDeleted { try await forget(stack, deadline: deadline) }
            if ended.code == .renewed { try await watch(stack, deadline: deadline) }
            try await memory.remove(attempt)
        default:
            attempt.value = attempt.value.after(ended, now: environment.clock.now)
            try await memory.close(&attempt)
        }
        return RenewalReport.Line(stack: stack, outcome: ended, isNews: attempt.value.isNews(since: before))
    }

    /// Marks what was replaced, so that it is noticed should it come back.
    private func watch(_ stack: DueStack, deadline: UnixInstant) async throws {
        for certificate in stack.certificates {
            try await environment.state.write(
                RenewalWatch(
                    stackGUID: stack.guid, logicalResourceID: certificate.logicalResourceID,
                    generation: certificate.generation, renewedAt: environment.clock.now),
                deadline: deadline)
        }
    }

    /// The markers of a stack that is gone. Its records stay for the sweep, which reports what is left of it.
    private func forget(_ stack: DueStack, deadline: UnixInstant) async throws {
        let all = try await environment.state.dueActions(at: environment.clock.now, deadline: deadline)
        for action in all where action.stackGUID == stack.guid {
            try await environment.state.remove(action, deadline: deadline)
        }
    }
}
