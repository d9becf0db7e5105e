internal import AWSClient
internal import CertificateIssuance
internal import Timekeeping

/// The renewal of one stack, up to the start of its update. CloudFormation does the rest; the next run looks how it went.
///
/// Reading order: `RenewalRun` finds the stacks; this file has the steps; `+Checks` says which stacks are left alone,
/// `+Verification` looks after what an earlier run started.
struct StackRenewal: Sendable {
    let stack: DueStack
    let environment: RenewalEnvironment
    let deadline: UnixInstant
    /// Nil: the one that every try of this renewal uses.
    var otherChangeSetName: String?

    private var changeSetName: String { otherChangeSetName ?? stack.changeSetName }
    var cloudFormation: CloudFormation { environment.cloudFormation(of: stack.id) }
    var now: UnixInstant { environment.clock.now }

    /// - Parameter willExecute: writes down what is about to be started, so that a run that is killed is taken up again.
    func start(willExecute: (RenewalAttempt.Execution) async throws -> Void) async -> RenewalOutcome {
        do {
            let (own, root) = try await described()
            if let outcome = try await refusal(toUpdate: root, for: own) { return outcome }
            // Somebody's own rotation may have ended since the markers were listed.
            let live = try await certificatesStillInUse(own: own)
            guard live == stack.certificates else {
                return try await startWithout(replaced: live, root: root, willExecute)
            }
            let stored = StoredRotation(stack: stack, root: root, ssm: environment.ssm, deadline: deadline)
            if !stored.names.isEmpty, environment.isElsewhere(stack.id) {
                return RenewalOutcome(
                    .noParameter,
                    "Stack \(root.name) keeps its rotation in Parameter Store of another account, where renewal may not "
                        + "write: give \(stored.names.keys.sorted().joined(separator: ", ")) the type String.")
            }
            if let outcome = try await stored.set() { return outcome }
            let changeSet: CloudFormation.ChangeSet
            do {
                changeSet = try await self.changeSet(of: root, stored: stored)
            } catch {
                await stored.takeBack()
                throw error
            }
            if let outcome = await judge(changeSet, of: root, own: own) {
                // Nobody needs it any more; should it stay, the next try takes it away.
                try? await deleteChangeSet(of: root)
                await stored.takeBack()
                return outcome
            }
            try await willExecute(RenewalAttempt.Execution(changeSetID: changeSet.id, startedAt: now))
            try await cloudFormation.executeChangeSet(
                changeSetName, stack: root.id, token: changeSet.token, deadline: deadline)
            return RenewalOutcome(
                .started, "Update of stack \(root.name) started: \(rotationText). The next run looks how it went.")
        } catch let error as AWSError where error.isMissingStack {
            return RenewalOutcome(.stackDeleted, "The stack does not exist any more.")
        } catch {
            return RenewalOutcome(failure: error, trigger: environment.trigger)
        }
    }

    /// - Parameter live: what is still in use of what is due. Nobody's own rotation is overwritten.
    private func startWithout(
        replaced live: [DueCertificate], root: CloudFormation.Stack,
        _ willExecute: (RenewalAttempt.Execution) async throws -> Void
    ) async throws -> RenewalOutcome {
        guard !live.isEmpty else {
            return RenewalOutcome(.renewed, "Stack \(root.name) has its new certificate: somebody else rotated it.")
        }
        let rest = DueStack(id: stack.id, guid: stack.guid, certificates: live)
        let renewal = StackRenewal(
            stack: rest, environment: environment, deadline: deadline, otherChangeSetName: otherChangeSetName)
        return await renewal.start(willExecute: willExecute)
    }

    /// The stack that has the certificate, and the outermost one of its nest: only that can be updated.
    func described() async throws -> (own: CloudFormation.Stack, root: CloudFormation.Stack) {
        let own = try await cloudFormation.describeStack(stack.id, deadline: deadline)
        guard let rootID = own.rootID, rootID != own.id else { return (own, own) }
        return (own, try await cloudFormation.describeStack(rootID, deadline: deadline))
    }

    func refusal(
        toUpdate root: CloudFormation.Stack, for own: CloudFormation.Stack
    ) async throws -> RenewalOutcome? {
        if let outcome = refusal(of: own) ?? refusal(of: root) ?? refusalToUpdate(root, for: own) { return outcome }
        return try await refusalForServers(of: own)
    }

    /// `CertificateRotation=2027-11-21-5d9375ed`
    var rotationText: String {
        stack.rotations.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    }

    // MARK: The change set

    func changeSet(
        of root: CloudFormation.Stack, stored: StoredRotation
    ) async throws -> CloudFormation.ChangeSet {
        // The previous value of a parameter that names another is that name: CloudFormation looks the value up anew.
        let rotations = stack.rotations.filter { stored.names[$0.key] == nil }
        let request = CloudFormation.ChangeSetRequest(
            stackID: root.id, name: changeSetName,
            description: "StackCert renews a certificate that expires \(stack.earliestExpiry?.iso8601 ?? "soon").",
            parameters: root.parameters.map { ($0.key, rotations[$0.key]) }, capabilities: root.capabilities,
            notificationARNs: root.notificationARNs)
        let id: String
        do {
            id = try await cloudFormation.createChangeSet(request, deadline: deadline)
        } catch let error as AWSError where error.code.rawValue == "AlreadyExistsException" {
            // From a run that was killed, or one whose answer was lost: what it was made of may have changed since.
            try await cloudFormation.deleteChangeSet(request.name, stack: root.id, deadline: deadline)
            id = try await cloudFormation.createChangeSet(request, deadline: deadline)
        }
        return try await finished(id)
    }

    func deleteChangeSet(of root: CloudFormation.Stack) async throws {
        try await cloudFormation.deleteChangeSet(changeSetName, stack: root.id, deadline: deadline)
    }

    /// Waits until CloudFormation has compared the templates.
    private func finished(_ id: String) async throws -> CloudFormation.ChangeSet {
        var pause: Duration = .milliseconds(250)
        while true {
            let changeSet = try await cloudFormation.describeChangeSet(id, deadline: deadline)
            guard changeSet.status.hasSuffix("_PENDING") || changeSet.status.hasSuffix("_IN_PROGRESS") else {
                return changeSet
            }
            guard now.advanced(by: pause) < deadline else {
                throw AWSError(.timedOut, "CloudFormation did not finish the change set in time: it is tried again.")
            }
            try await environment.clock.sleep(until: now.advanced(by: pause), tolerance: nil)
            pause = min(pause * 2, .seconds(4))
        }
    }

    /// Nil when the change set may be executed.
    private func judge(
        _ changeSet: CloudFormation.ChangeSet, of root: CloudFormation.Stack, own: CloudFormation.Stack
    ) async -> RenewalOutcome? {
        do {
            let verdicts = try await verdicts(on: changeSet, of: root, own: own)
            if let outcome = refusal(of: changeSet, verdicts: verdicts, root: root) { return outcome }
            if let outcome = try await refusalForOthersChangeSets(of: root) { return outcome }
            // Looked at once more: a rotation that ends from now on makes the change set obsolete.
            guard try await certificatesStillInUse(own: own) == stack.certificates else {
                return RenewalOutcome(
                    .stackBusy, "Somebody else rotated stack \(root.name) meanwhile: the next run looks what is left.")
            }
            return nil
        } catch {
            return RenewalOutcome(failure: error, trigger: environment.trigger)
        }
    }

    /// Nil when the change set may be executed.
    func refusal(
        of changeSet: CloudFormation.ChangeSet, verdicts: [ChangeSetJudge.Verdict], root: CloudFormation.Stack
    ) -> RenewalOutcome? {
        guard changeSet.isExecutable else {
            let reason = changeSet.statusReason ?? changeSet.status
            guard reason.contains("didn't contain changes") || reason.contains("No updates are to be performed") else {
                return RenewalOutcome(
                    .changeSetFailed,
                    "CloudFormation cannot prepare the update of stack \(root.name): \(reason.prefix(400))")
            }
            return RenewalOutcome(
                .nothingToChange,
                "\(rotationText) changes nothing in stack \(root.name): pass the parameter to the Rotation property of "
                    + "\(stack.certificates.map(\.logicalResourceID).joined(separator: ", ")).")
        }
        let objections = verdicts.compactMap(\.objection)
        guard let first = objections.first else { return nil }
        return RenewalOutcome(
            .foreignChanges,
            "The update would do more than rotate, so it was not started. Deploy stack \(root.name) yourself, with "
                + "\(rotationText). \(first)" + objections.dropFirst().prefix(9).map { "; \($0)" }.joined()
                + (objections.count > 10 ? "; and \(objections.count - 10) more" : ""))
    }

    /// What is said of each change, also of those in nested stacks. Nothing of a change set that cannot be executed.
    func verdicts(
        on changeSet: CloudFormation.ChangeSet, of root: CloudFormation.Stack, own: CloudFormation.Stack
    ) async throws -> [ChangeSetJudge.Verdict] {
        guard changeSet.isExecutable else { return [] }
        let rotating = try await rotatingResources()
        let isNested = root.id != own.id
        var verdicts = ChangeSetJudge(rotating: isNested ? [] : rotating, parameters: Set(stack.rotations.keys))
            .verdicts(on: changeSet.changes)
        var nested = changeSet.changes.compactMap(\.changeSetID)
        var seen: Set<String> = []
        while let id = nested.popLast() {
            guard seen.insert(id).inserted else { continue }
            let inner = try await cloudFormation.describeChangeSet(id, deadline: deadline)
            verdicts += ChangeSetJudge(rotating: rotating, parameters: nil).verdicts(on: inner.changes)
            nested += inner.changes.compactMap(\.changeSetID)
        }
        return verdicts
    }

    /// All resources of the stack that the parameters rotate, due or not.
    private func rotatingResources() async throws -> Set<String> {
        var names = Set(stack.certificates.map(\.logicalResourceID))
        let keys = try await environment.state.keys(below: "records/\(stack.guid)/", deadline: deadline)
        for key in keys where !key.hasSuffix("/adopted.json") {
            let record = try await environment.state.readable(CertificateRecord.self, at: key, deadline: deadline)
            if let record, stack.rotations[record.settings.rotationParameter] != nil {
                names.insert(record.logicalResourceID)
            }
        }
        return names
    }
}

extension CloudFormation.ChangeSet {
    fileprivate var isExecutable: Bool { status == "CREATE_COMPLETE" && executionStatus == "AVAILABLE" }

    /// The last part of the ARN: the same for every try to execute this change set, and for no other.
    fileprivate var token: String { id.split(separator: "/").last.map(String.init) ?? id }
}
