internal import AWSClient
internal import CertificateIssuance
internal import Timekeeping

extension StackRenewal {
    /// Looks how an update went that an earlier run started, or was about to start.
    ///
    /// - Returns: nil when nothing was started after all, so that it has to be done again.
    func verify(_ execution: RenewalAttempt.Execution) async -> RenewalOutcome? {
        do {
            let (own, root) = try await described()
            if root.status == "DELETE_COMPLETE" {
                return RenewalOutcome(.stackDeleted, "Stack \(root.name) is deleted.")
            }
            if root.status.hasSuffix("_IN_PROGRESS") {
                return RenewalOutcome(.underWay, "The update of stack \(root.name) is under way (\(root.status)).")
            }
            let stillOld = try await generationsStillLive()
            if stillOld.isEmpty {
                return RenewalOutcome(.renewed, "Stack \(root.name) has its new certificate.")
            }
            if try await isWaiting(execution, root: root) { return nil }
            return try await failure(of: root, own: own, stillOld: stillOld)
        } catch let error as AWSError where error.isMissingStack {
            return RenewalOutcome(.stackDeleted, "The stack does not exist any more.")
        } catch let error as IssuanceError {
            // A record that cannot be read stays so until somebody, or the sweep, mends it.
            return RenewalOutcome(failure: error, trigger: environment.trigger)
        } catch {
            return RenewalOutcome(.underWay, "How the update went could not be seen: \(text(of: error))")
        }
    }

    /// What is due and still in use. An update that failed half-way may leave a later claim of a generation that is not:
    /// then CloudFormation says what the resource is.
    func certificatesStillInUse(own: CloudFormation.Stack) async throws -> [DueCertificate] {
        var live: [DueCertificate] = []
        for certificate in stack.certificates {
            let records = try await environment.state.records(
                stackGUID: stack.guid, logicalResourceID: certificate.logicalResourceID, deadline: deadline)
            let newest = records.max { $0.claim.issuedAt < $1.claim.issuedAt }?.address?.generation.description
            let address = records.compactMap(\.address).first { $0.generation.description == certificate.generation }
            guard let address else { continue }
            var isLive = newest == certificate.generation
            if !isLive { isLive = try await isNamed(address, by: own) }
            if isLive { live.append(certificate) }
        }
        return live
    }

    private func isNamed(_ address: CertificateAddress, by own: CloudFormation.Stack) async throws -> Bool {
        let id = PhysicalResourceID.certificate(address).text
        return try await cloudFormation.listStackResources(own.id, deadline: deadline)
            .contains { $0.isPresent && $0.physicalResourceID == id }
    }

    /// Logical ids whose newest generation is still the one that was to be replaced.
    private func generationsStillLive() async throws -> [String] {
        var names: [String] = []
        for certificate in stack.certificates {
            let records = try await environment.state.records(
                stackGUID: stack.guid, logicalResourceID: certificate.logicalResourceID, deadline: deadline)
            // The old one's record is removed when CloudFormation deletes it; until then the later claim is the live one.
            let newest = records.max { $0.claim.issuedAt < $1.claim.issuedAt }
            if newest?.address?.generation.description == certificate.generation {
                names.append(certificate.logicalResourceID)
            }
        }
        return names
    }

    /// Whether the change set was never executed: it waits, or somebody's update made it obsolete, or somebody deleted it.
    private func isWaiting(_ execution: RenewalAttempt.Execution, root: CloudFormation.Stack) async throws -> Bool {
        do {
            let changeSet = try await cloudFormation.describeChangeSet(execution.changeSetID, deadline: deadline)
            return ["AVAILABLE", "OBSOLETE"].contains(changeSet.executionStatus)
        } catch let error as AWSError where error.isMissingChangeSet {
            // One that was executed may be gone as well; then the stack's events know of an update since.
            let events = try await cloudFormation.describeStackEvents(root.id, deadline: deadline)
            return !events.contains { event in
                event.resourceType == "AWS::CloudFormation::Stack" && event.status == "UPDATE_IN_PROGRESS"
                    && event.timestamp.map { $0 >= execution.startedAt.advanced(by: .seconds(-60)) } ?? true
            }
        }
    }

    private func failure(
        of root: CloudFormation.Stack, own: CloudFormation.Stack, stillOld: [String]
    ) async throws -> RenewalOutcome {
        guard root.status.contains("ROLLBACK") || root.status.hasSuffix("_FAILED") else {
            return RenewalOutcome(
                .notRotated,
                "Stack \(root.name) was updated, and \(stillOld.joined(separator: ", ")) still has its old certificate: "
                    + "pass \(stack.rotations.keys.sorted().joined(separator: ", ")) to its Rotation property, and see "
                    + "that no pipeline sets the parameter back.")
        }
        // With the new value left in Parameter Store, the next deployment of anybody's would rotate, and fail likewise.
        await StoredRotation(stack: stack, root: root, ssm: environment.ssm, deadline: deadline).takeBack()
        var cause = try await firstFailure(in: own.id)
        if cause == nil, root.id != own.id { cause = try await firstFailure(in: root.id) }
        let told = cause.map { ": \($0)" } ?? "."
        if cause?.lowercased().contains("stack policy") == true {
            return RenewalOutcome(
                .stackPolicy,
                "The stack policy of \(root.name) refused the renewal\(told) It is never overridden: allow the update "
                    + "there, or update the stack yourself.")
        }
        return RenewalOutcome(
            .rolledBack,
            "The update of stack \(root.name) was rolled back (\(root.status))\(told) Servers have their old "
                + "certificate, which expires \(stack.earliestExpiry?.iso8601 ?? "soon")."
                + (environment.trigger == .schedule ? " It is tried again tomorrow." : ""))
    }

    /// `Servers: Received 0 SUCCESS signal(s) out of 1.`
    private func firstFailure(in stackID: String) async throws -> String? {
        let events = try await cloudFormation.describeStackEvents(stackID, deadline: deadline)
        // The latest first: the operation began with the last event of the stack itself that says so.
        let begin = events.firstIndex {
            $0.resourceType == "AWS::CloudFormation::Stack" && $0.status == "UPDATE_IN_PROGRESS"
        }
        return events[..<(begin ?? events.endIndex)]
            .last { $0.status.hasSuffix("_FAILED") && $0.statusReason?.contains("cancelled") == false }
            .map { "\($0.logicalResourceID): \(($0.statusReason ?? "").prefix(400))" }
    }
}
