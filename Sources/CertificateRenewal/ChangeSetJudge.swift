package import AWSClient

/// Tells whether a change set does nothing but rotate: a renewal never deploys what somebody else has changed.
///
/// The change set was made of the previous template and the previous values of all parameters but the rotation's. All
/// the same it may hold other changes: a parameter that is looked up anew in Parameter Store, a template that is
/// transformed differently today, a resource that drifted in a way that CloudFormation sees.
package struct ChangeSetJudge: Sendable {
    /// Logical ids of the resources that the parameters rotate.
    let rotating: Set<String>
    /// Parameters that the change set changes; nil within a nested stack whose parameters follow from the outer one.
    let parameters: Set<String>?

    package init(rotating: Set<String>, parameters: Set<String>?) {
        self.rotating = rotating
        self.parameters = parameters
    }

    /// What is said of one change.
    package struct Verdict: Hashable, Sendable {
        package let change: CloudFormation.ResourceChange
        /// Whether it belongs to the rotation.
        package let isExpected: Bool
        /// `Properties.Rotation by ParameterReference CertificateRotation`: what it follows from; of one that does not
        /// belong to the rotation, the causes that do not.
        package let causes: String

        /// Nil for a change that belongs to the rotation.
        var objection: String? {
            if change.losesState {
                return
                    "\(change.logicalResourceID) (\(change.resourceType)) would be replaced, and with it what it holds: "
                    + "back it up first, or let none of its properties that replace it follow from the certificate "
                    + "(\(causes))"
            }
            return isExpected ? nil : "\(change.logicalResourceID) (\(change.resourceType)): \(change.action) \(causes)"
        }
    }

    /// What does not belong to a rotation, a line for each; empty when the change set may be executed.
    package func objections(to changes: [CloudFormation.ResourceChange]) -> [String] {
        verdicts(on: changes).compactMap(\.objection)
    }

    /// Source: API reference, `ResourceChangeDetail`.
    package func verdicts(on changes: [CloudFormation.ResourceChange]) -> [Verdict] {
        // A resource may follow from one that follows from the rotation: the set grows until it stays.
        var expected = rotating
        while true {
            let more = changes.filter { !expected.contains($0.logicalResourceID) && follows($0, from: expected) }
            if more.isEmpty { break }
            expected.formUnion(more.map(\.logicalResourceID))
        }
        return changes.map { change in
            let isExpected = follows(change, from: expected)
            let details =
                isExpected ? change.details : change.details.filter { !follows($0, in: change, from: expected) }
            return Verdict(change: change, isExpected: isExpected, causes: Self.causes(details))
        }
    }

    private func follows(_ change: CloudFormation.ResourceChange, from expected: Set<String>) -> Bool {
        guard change.action == "Modify", !change.details.isEmpty, !change.losesState else { return false }
        return change.details.allSatisfy { follows($0, in: change, from: expected) }
    }

    private func follows(
        _ detail: CloudFormation.ChangeDetail, in change: CloudFormation.ResourceChange, from expected: Set<String>
    ) -> Bool {
        switch detail.source {
        case "ParameterReference":
            guard let parameters else { return true }
            let isRotation = rotating.contains(change.logicalResourceID) || change.changeSetID != nil
            return isRotation && detail.causingEntity.map(parameters.contains) ?? false
        case "ResourceReference", "ResourceAttribute":
            let cause = detail.causingEntity?.split(separator: ".").first.map(String.init)
            return cause.map { expected.contains($0) && $0 != change.logicalResourceID } ?? false
        case "Automatic":
            // CloudFormation says so of every nested stack; the nested change set is judged by itself.
            return change.changeSetID != nil
        case "DirectModification":
            // A value that depends on others is listed twice: by its cause, and as one that may come out differently.
            return detail.evaluation == "Dynamic"
                && change.details.contains {
                    $0.attribute == detail.attribute && $0.name == detail.name && $0.source != "DirectModification"
                }
        default:
            return false
        }
    }

    private static func causes(_ details: [CloudFormation.ChangeDetail]) -> String {
        let causes = details.map { detail in
            let target = detail.name.map { "\(detail.attribute).\($0)" } ?? detail.attribute
            return "\(target) by \(detail.source ?? "unknown")\(detail.causingEntity.map { " " + $0 } ?? "")"
        }
        return causes.isEmpty ? "without a cause" : causes.joined(separator: ", ")
    }
}
