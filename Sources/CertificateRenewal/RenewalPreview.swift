internal import AWSClient
internal import Timekeeping

/// What a renewal would do, as the change set says that was made for it, and deleted again.
package struct RenewalPreview: Hashable, Sendable {
    package let stack: DueStack
    /// `CertificateRotation=2027-11-21-5d9375ed`
    package let rotation: String
    /// Those of nested stacks as well.
    package let verdicts: [ChangeSetJudge.Verdict]
    /// Why it would not be started; nil when it would.
    package let refusal: RenewalOutcome?
}

extension StackRenewal {
    /// A name of its own: a renewal that goes on at the same time has another change set.
    static func preview(
        of stack: DueStack, environment: RenewalEnvironment
    ) async -> RenewalPreview {
        let renewal = StackRenewal(
            stack: stack, environment: environment, deadline: environment.clock.now.advanced(by: .seconds(600)),
            otherChangeSetName: stack.changeSetName.replacing("stackcert-", with: "stackcert-preview-"))
        return await renewal.preview()
    }

    private func preview() async -> RenewalPreview {
        var verdicts: [ChangeSetJudge.Verdict] = []
        let refusal: RenewalOutcome?
        do {
            let (own, root) = try await described()
            let stored = StoredRotation(stack: stack, root: root, ssm: environment.ssm, deadline: deadline)
            if let name = stored.names.values.min() {
                refusal = RenewalOutcome(
                    .notPreviewed,
                    "The rotation's value is in Parameter Store, \(name): what another one would change cannot be seen "
                        + "before it is written there.")
            } else if let outcome = try await self.refusal(toUpdate: root, for: own) {
                refusal = outcome
            } else {
                (verdicts, refusal) = try await judged(root, own, stored)
            }
        } catch let error as AWSError where error.isMissingStack {
            refusal = RenewalOutcome(.stackDeleted, "The stack does not exist any more.")
        } catch {
            refusal = RenewalOutcome(failure: error, trigger: environment.trigger)
        }
        return RenewalPreview(stack: stack, rotation: rotationText, verdicts: verdicts, refusal: refusal)
    }

    private func judged(
        _ root: CloudFormation.Stack, _ own: CloudFormation.Stack, _ stored: StoredRotation
    ) async throws -> ([ChangeSetJudge.Verdict], RenewalOutcome?) {
        do {
            let changeSet = try await changeSet(of: root, stored: stored)
            let verdicts = try await verdicts(on: changeSet, of: root, own: own)
            let others = try await refusalForOthersChangeSets(of: root)
            try await deleteChangeSet(of: root)
            return (verdicts, self.refusal(of: changeSet, verdicts: verdicts, root: root) ?? others)
        } catch {
            try? await deleteChangeSet(of: root)
            throw error
        }
    }
}

extension AttendedRenewal {
    /// What ``renew(_:isDue:onProgress:)`` would do now. Nothing is written down, and nothing stays.
    package func preview(_ stack: DueStack) async -> RenewalPreview {
        await StackRenewal.preview(of: stack, environment: environment)
    }
}
