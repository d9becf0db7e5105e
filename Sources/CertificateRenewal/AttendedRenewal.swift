internal import AWSClient
internal import CertificateIssuance
internal import Timekeeping

/// A stack's renewal that somebody waits for, from the lease to the end of the update.
///
/// It shares the memory with the scheduled function, so that the two never rotate twice: who has the lease works, and
/// what one has begun the other takes up. The lease is short and prolonged while the update goes on; should the command
/// be ended in the middle, the function looks after the rest within the hour.
package struct AttendedRenewal: Sendable {
    let environment: RenewalEnvironment

    /// - Parameter environment: its trigger says whose wish it is.
    package init(_ environment: RenewalEnvironment) {
        self.environment = environment
    }

    /// Between two looks at a stack.
    private static let pause: Duration = .seconds(3)
    private static let call: Duration = .seconds(60)
    /// CloudFormation may say for a moment that the stack is as it was.
    private static let grace: Duration = .seconds(30)
    /// Looks that may fail one after the other, as they do when the network is away for a while.
    private static let patience = 20

    private var now: UnixInstant { environment.clock.now }

    /// Replaces the certificates that `stack` names, or waits for whoever is at it already.
    ///
    /// - Parameters:
    ///   - isDue: whether the function would renew it too. What fails is then remembered as a failure of its own.
    ///   - onProgress: is told what happens.
    /// - Returns: how it ended. Any other code than `renewed` says why there is no new certificate.
    package func renew(
        _ stack: DueStack, isDue: Bool, onProgress: (StackProgress) async -> Void
    ) async -> RenewalOutcome {
        do {
            var attempt = try await lease(stack, onProgress)
            do {
                return try await work(on: stack, isDue: isDue, &attempt, onProgress)
            } catch {
                // What was started stays written down; nobody has to wait for the lease's end.
                attempt.value.leaseEnds = now
                try? await memory(of: stack).write(&attempt)
                guard attempt.value.execution != nil else { throw error }
                return RenewalOutcome(
                    .underWay,
                    "The update of stack \(stack.name) could not be followed to its end: \(text(of: error)) The scheduled "
                        + "function looks how it goes.")
            }
        } catch {
            return RenewalOutcome(failure: error, trigger: environment.trigger)
        }
    }

    private func memory(of stack: DueStack) -> AttemptMemory {
        AttemptMemory(stack: stack, state: environment.state, deadline: now.advanced(by: Self.call))
    }

    private func renewal(of stack: DueStack, for time: Duration = call) -> StackRenewal {
        StackRenewal(stack: stack, environment: environment, deadline: now.advanced(by: time))
    }

    /// Waits until nobody else works on the stack: the function is done in seconds, and a lease ends by itself.
    private func lease(
        _ stack: DueStack, _ onProgress: (StackProgress) async -> Void
    ) async throws -> AttemptMemory.Held {
        while true {
            do {
                let held = try await memory(of: stack).take(
                    at: now, lease: environment.lease, trigger: environment.trigger)
                if let held { return held }
            } catch let error as AWSError where RenewalOutcome(failure: error).code == .accessDenied {
                throw RenewalError(
                    .noLease,
                    "Your credentials may not keep the scheduled function from this stack meanwhile: the provider's state "
                        + "bucket lets only its own roles write, and the one that its parameter BreakGlassRoleArn names. "
                        + error.message, cause: error)
            }
            await onProgress(StackProgress(stack: stack.name, status: "waiting for another run"))
            try await environment.clock.sleep(until: now.advanced(by: Self.pause), tolerance: nil)
        }
    }

    private func work(
        on stack: DueStack, isDue: Bool, _ attempt: inout AttemptMemory.Held,
        _ onProgress: (StackProgress) async -> Void
    ) async throws -> RenewalOutcome {
        var outcome: RenewalOutcome?
        if let execution = attempt.value.execution {
            outcome = try await finish(execution, &attempt, onProgress)
        }
        // Nil as well when what was written down was never started.
        if outcome == nil { outcome = try await begin(stack, &attempt, onProgress) }
        let ended = outcome ?? RenewalOutcome(.failed, "The update of stack \(stack.name) was not started: try again.")
        // Should that fail, the lease ends by itself, and the function looks what is left to be done.
        try? await settle(ended, isDue: isDue, attempt)
        return ended
    }

    /// An update that somebody has started.
    private func finish(
        _ execution: RenewalAttempt.Execution, _ attempt: inout AttemptMemory.Held,
        _ onProgress: (StackProgress) async -> Void
    ) async throws -> RenewalOutcome? {
        let begun = attempt.value.stack
        do {
            var follower = try await follower(of: begun)
            try await follow(&follower, begun, &attempt, isJoined: true, onProgress)
            return await renewal(of: begun).verify(execution)
        } catch let error as AWSError where error.isMissingStack {
            return RenewalOutcome(.stackDeleted, "The stack does not exist any more.")
        }
    }

    /// Nil when the update was not started although nothing spoke against it.
    private func begin(
        _ asked: DueStack, _ attempt: inout AttemptMemory.Held, _ onProgress: (StackProgress) async -> Void
    ) async throws -> RenewalOutcome? {
        await onProgress(StackProgress(stack: asked.name, status: "preparing the update"))
        // Whoever had the lease before may have renewed what was found in need of it.
        let live = try await DueStack.certified(
            asked.id, environment: environment, deadline: now.advanced(by: Self.call))
        let generations = Set(live?.certificates.map(\.generation) ?? [])
        let stack = DueStack(
            id: asked.id, guid: asked.guid,
            certificates: asked.certificates.filter { generations.contains($0.generation) })
        guard live != nil else {
            return RenewalOutcome(.stackDeleted, "Stack \(asked.name) has no certificate any more.")
        }
        guard !stack.certificates.isEmpty else {
            return RenewalOutcome(.renewed, "Stack \(asked.name) has its new certificate: another run was faster.")
        }
        attempt.value.execution = nil
        attempt.value = attempt.value.for(stack)
        do {
            return try await update(stack, &attempt, onProgress)
        } catch let error as AWSError where error.isMissingStack {
            return RenewalOutcome(.stackDeleted, "The stack does not exist any more.")
        }
    }

    private func update(
        _ stack: DueStack, _ attempt: inout AttemptMemory.Held, _ onProgress: (StackProgress) async -> Void
    ) async throws -> RenewalOutcome? {
        var follower = try await follower(of: stack)
        try await follower.skipEarlierEvents(deadline: now.advanced(by: Self.call))
        // Less than the lease, which goes on from the start.
        let started = await renewal(of: stack, for: environment.lease * 4 / 5).start { execution in
            attempt.value.execution = execution
            attempt.value.leaseEnds = now.advanced(by: environment.lease)
            try await memory(of: stack).write(&attempt)
        }
        guard let execution = attempt.value.execution, started.code != .accessDenied else { return started }
        // Also when the start's answer was lost: it may have been carried out.
        try await follow(&follower, stack, &attempt, isJoined: false, onProgress)
        return await renewal(of: stack).verify(execution) ?? (started.isFailure ? started : nil)
    }

    /// Writes down how it ended, and gives the lease back.
    private func settle(_ outcome: RenewalOutcome, isDue: Bool, _ attempt: AttemptMemory.Held) async throws {
        var attempt = attempt
        let memory = memory(of: attempt.value.stack)
        switch outcome.code {
        case .renewed, .stackDeleted:
            try await memory.remove(attempt)
        case _ where !isDue && outcome.isFailure:
            // Nobody waits for a renewal of this stack: there is nothing to try again, and nothing to report.
            try await memory.remove(attempt)
        default:
            attempt.value = attempt.value.after(outcome, now: now)
            try await memory.write(&attempt)
        }
    }

    // MARK: The update

    private func follower(of stack: DueStack) async throws -> UpdateFollower {
        let (own, root) = try await renewal(of: stack).described()
        return UpdateFollower(
            own.id == root.id ? [root] : [root, own], cloudFormation: environment.cloudFormation)
    }

    /// Returns when CloudFormation has nothing more to do in the stack.
    ///
    /// - Parameter isJoined: whether somebody else started the update, which may have ended by now.
    private func follow(
        _ follower: inout UpdateFollower, _ stack: DueStack, _ attempt: inout AttemptMemory.Held, isJoined: Bool,
        _ onProgress: (StackProgress) async -> Void
    ) async throws {
        guard let root = follower.stacks.first else { return }
        let beginning = now
        var failures = 0
        while true {
            do {
                let deadline = now.advanced(by: Self.call)
                let status = try await environment.cloudFormation.describeStack(root.id, deadline: deadline).status
                // After the status: what led to it is among them.
                let events = try await follower.newEvents(deadline: deadline)
                failures = 0
                let isOver = !status.hasSuffix("_IN_PROGRESS")
                if !isOver || !events.isEmpty {
                    await onProgress(StackProgress(stack: root.name, status: status, events: events))
                }
                if isOver, isJoined || follower.hasBegun || now >= beginning.advanced(by: Self.grace) { return }
            } catch let error as AWSError where error.isRetryable && failures < Self.patience {
                failures += 1
            }
            if attempt.value.leaseEnds < now.advanced(by: environment.lease / 2) {
                attempt.value.leaseEnds = now.advanced(by: environment.lease)
                // Whoever has taken over, as when this machine slept, looks after the memory; the update is still this one.
                try? await memory(of: stack).write(&attempt)
            }
            try await environment.clock.sleep(until: now.advanced(by: Self.pause), tolerance: nil)
        }
    }
}
