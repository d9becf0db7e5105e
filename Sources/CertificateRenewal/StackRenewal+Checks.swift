internal import AWSClient
internal import CertificateIssuance
internal import Timekeeping

/// Which stacks are left alone, and what their owners can do about it.
extension StackRenewal {
    /// The tag by which a stack's owners renew themselves: `off`.
    static let tag = "stackcert:renew"

    /// Nil when the stack is in a state in which it can be updated, and its owners do not object.
    func refusal(of described: CloudFormation.Stack) -> RenewalOutcome? {
        let name = described.name
        if environment.trigger != .order, described.tags[Self.tag]?.lowercased() == "off" {
            return RenewalOutcome(.switchedOff, "Stack \(name) has the tag \(Self.tag)=off.")
        }
        if name.hasPrefix("StackSet-") {
            return RenewalOutcome(
                .ownedByStackSet,
                "Stack \(name) belongs to a stack set, which would undo an update from outside: change "
                    + "\(parameterNames) in the stack set.")
        }
        let status = described.status
        switch status {
        case "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE",
            "IMPORT_ROLLBACK_COMPLETE":
            return nil
        case "DELETE_COMPLETE":
            return RenewalOutcome(.stackDeleted, "Stack \(name) is deleted.")
        case "REVIEW_IN_PROGRESS":
            return RenewalOutcome(
                .inReview, "Stack \(name) is still in review: execute or delete the change set that creates it.")
        case _ where status.hasPrefix("IMPORT_"):
            return RenewalOutcome(
                .importing, "Stack \(name) is in state \(status): end the import, then the certificate is renewed.")
        case _ where status.hasSuffix("_IN_PROGRESS"):
            return RenewalOutcome(.stackBusy, "Stack \(name) is busy (\(status)): renewal waits until it is done.")
        case "UPDATE_ROLLBACK_FAILED":
            return RenewalOutcome(
                .unfitStatus,
                "Stack \(name) is in state \(status) and cannot be updated: run aws cloudformation "
                    + "continue-update-rollback --stack-name \(name).")
        case "UPDATE_FAILED":
            return RenewalOutcome(
                .unfitStatus,
                "Stack \(name) is in state \(status): update it again, or run aws cloudformation rollback-stack "
                    + "--stack-name \(name).")
        default:
            return RenewalOutcome(
                .unfitStatus,
                "Stack \(name) is in state \(status) and can only be deleted. Its certificate expires "
                    + "\(stack.earliestExpiry?.iso8601 ?? "soon").")
        }
    }

    /// - Parameters:
    ///   - root: the stack that is to be updated.
    ///   - own: the one that has the certificate: the same, or nested in it.
    func refusalToUpdate(_ root: CloudFormation.Stack, for own: CloudFormation.Stack) -> RenewalOutcome? {
        for described in own.id == root.id ? [root] : [own, root] {
            let declared = Set(described.parameters.map(\.key))
            guard let missing = stack.rotations.keys.sorted().first(where: { !declared.contains($0) }) else { continue }
            let wish =
                described.id == own.id
                ? "declare it and pass it to the Rotation property, or name the right one in the property "
                    + "RotationParameter"
                : "its nested stack \(own.name) has it, so the outermost stack must declare it and pass it on"
            return RenewalOutcome(.noParameter, "Stack \(described.name) has no parameter \(missing): \(wish).")
        }
        guard root.roleARN != nil else {
            return RenewalOutcome(
                .noRole,
                "Stack \(root.name) has no service role, without which renewal would need your permissions. Attach one "
                    + "with this update, which also rotates the certificate: \(commandThatAttachesRole(to: root))")
        }
        guard let window = environment.window, !window.contains(now), !isEmergency else { return nil }
        return RenewalOutcome(.outsideWindow, "Renewal waits for its window.")
    }

    /// Complete but for the role's ARN. CloudFormation refuses an update that changes nothing, so it rotates as well: in
    /// Parameter Store where the stack knows the name of a parameter there.
    private func commandThatAttachesRole(to root: CloudFormation.Stack) -> String {
        var command = ""
        var parameters: [String] = []
        for parameter in root.parameters {
            let rotation = stack.rotations[parameter.key]
            if let rotation, parameter.resolvedValue != nil {
                command += "aws ssm put-parameter --overwrite --name \(parameter.value) --value \(rotation) && "
            }
            let value = parameter.resolvedValue == nil ? rotation : nil
            parameters.append(
                "ParameterKey=\(parameter.key)," + (value.map { "ParameterValue=\($0)" } ?? "UsePreviousValue=true"))
        }
        command += "aws cloudformation update-stack --stack-name \(root.name) --use-previous-template"
        command += " --role-arn ROLE_ARN"
        if !root.capabilities.isEmpty { command += " --capabilities " + root.capabilities.joined(separator: " ") }
        return command + " --parameters " + parameters.joined(separator: " ")
    }

    /// Executing a change set deletes the stack's others, and somebody's pipeline may wait for one to be approved.
    ///
    /// - Returns: nil when there are none, and with a twentieth of the lifetime left.
    func refusalForOthersChangeSets(of root: CloudFormation.Stack) async throws -> RenewalOutcome? {
        guard !isEmergency else { return nil }
        let others = try await cloudFormation.executableChangeSets(of: root.id, deadline: deadline)
            .filter { !$0.hasPrefix("stackcert-") }
        guard let first = others.first else { return nil }
        return RenewalOutcome(
            .stackBusy,
            "Stack \(root.name) has \(others.count) change set(s) that renewal would delete: "
                + "\(others.prefix(3).joined(separator: ", ")). Execute them or delete them: aws cloudformation "
                + "delete-change-set --stack-name \(root.name) --change-set-name \(first). Renewal waits until a twentieth "
                + "of the certificate's lifetime is left.")
    }

    /// The load balancer trusts the new key and the one before it: a server that serves neither would be cut off.
    func refusalForServers(of described: CloudFormation.Stack) async throws -> RenewalOutcome? {
        let behind = try await environment.state.servers(stackGUID: stack.guid, at: now, deadline: deadline).filter {
            server in
            stack.certificates.contains {
                $0.logicalResourceID == server.logicalResourceID && $0.generation != server.generation
            }
        }
        guard let first = behind.first else { return nil }
        let others = behind.count > 1 ? " and \(behind.count - 1) more" : ""
        return RenewalOutcome(
            .serversBehind,
            "Server \(first.id)\(others) of stack \(described.name) does not serve the current certificate yet, and "
                + "would be cut off by another one: look at its journalctl -u certificate (last heard of "
                + "\(first.lastHeardOf.iso8601)). A server that is gone stops to count after a day.")
    }

    /// With a twentieth of the lifetime left nothing waits for a window.
    private var isEmergency: Bool {
        stack.certificates.contains { certificate in
            let lifetime = certificate.notBefore.duration(to: certificate.notAfter)
            return now.duration(to: certificate.notAfter) < lifetime / 20
        }
    }

    private var parameterNames: String { stack.rotations.keys.sorted().joined(separator: ", ") }
}

extension RenewalOutcome {
    init(failure error: any Error, trigger: RenewalTrigger = .schedule) {
        if let error = error as? RenewalError, error.code == .noLease {
            self.init(.accessDenied, error.message)
            return
        }
        guard let error = error as? AWSError else {
            self.init(.failed, "Renewal failed: \(text(of: error))")
            return
        }
        switch error.code.rawValue {
        case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation":
            guard trigger == .schedule else {
                self.init(.accessDenied, "Your credentials do not allow it: \(error.message)")
                return
            }
            self.init(
                .accessDenied,
                "The renewal function may not do this: \(error.message) Update the provider stack from its own "
                    + "template, and look for service control policies that forbid it.")
        case AWSError.Code.preconditionFailed.rawValue:
            // Of what renewal does, only the writing of its memory has a condition.
            self.init(.waiting, "Another run has taken the stack over.")
        case _ where error.isThrottling:
            self.init(.throttled, "AWS asks for fewer calls: \(error.message) It is tried again.")
        case "ValidationError" where error.message.contains("_IN_PROGRESS"),
            "InvalidChangeSetStatus":
            self.init(.stackBusy, "Somebody else is updating the stack: \(error.message) Renewal waits.")
        default:
            self.init(.failed, error.message)
        }
    }
}
