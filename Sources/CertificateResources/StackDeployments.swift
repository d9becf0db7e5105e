package import AWSClient
internal import CertificateIssuance
internal import CustomResource
internal import Diagnostics
internal import Logging
package import Timekeeping

/// What CloudFormation says of a stack that has something deleted.
package protocol StackDeployments: Sendable {
    /// - Throws: `AWSError`, also where the function may not ask.
    func stack(_ id: String, deadline: UnixInstant) async throws -> CloudFormation.Stack
}

extension CloudFormation: StackDeployments {
    package func stack(_ id: String, deadline: UnixInstant) async throws -> Stack {
        try await describeStack(id, deadline: deadline)
    }
}

/// Whether a Delete may remove what it names (case 35).
///
/// In express mode CloudFormation waits neither for servers nor for a rolling update, so the Delete of the old key may come
/// before servers have changed over, and a failed update may leave them there. The event does not tell the mode.
struct CleanUp {
    let deployments: any StackDeployments
    let store: CertificateStore
    let clock: any WallClock

    /// What is not answered within this time is decided without it.
    private static let patience: Duration = .seconds(20)

    enum Verdict: Hashable, Sendable {
        case mayRemove
        case mustKeep(String)
    }

    /// Whether it may remove it; what is kept is reported.
    func allows(_ request: CustomResourceRequest, key: String, in context: ResourceContext) async throws -> Bool {
        switch try await verdict(on: request, key: key, in: context) {
        case .mayRemove: return true
        case .mustKeep(let reason):
            // The sweep knows it too: it reports, after a week, what no resource names.
            context.logger.warning(
                "private key kept: servers may not have changed over yet",
                metadata: ["s3.key": "\(key)", "kept.reason": "\(reason)"])
            return false
        }
    }

    /// Never throws for what CloudFormation answers: a clean-up must not fail over it.
    func verdict(on request: CustomResourceRequest, key: String, in context: ResourceContext) async throws -> Verdict {
        do {
            let deadline = min(context.deadline, clock.now.advanced(by: Self.patience))
            return Self.verdict(on: try await deployments.stack(request.stackID.description, deadline: deadline))
        } catch let error as AWSError {
            // Who has no later certificate than this one parts with the resource, or with the stack.
            let records = try await store.records(of: request.owner, deadline: context.deadline)
            let own = records.first { $0.key == key }
            let isReplaced = records.contains { other in
                other.key != key && (own.map { $0.claim.issuedAt <= other.claim.issuedAt } ?? true)
            }
            guard isReplaced else { return .mayRemove }
            return .mustKeep("CloudFormation did not say how its stack is deployed: \(Reason(error))")
        }
    }

    static func verdict(on stack: CloudFormation.Stack) -> Verdict {
        // With the whole stack its servers go.
        if ["DELETE_", "ROLLBACK_", "CREATE_"].contains(where: stack.status.hasPrefix) { return .mayRemove }
        guard let mode = stack.deploymentMode, mode != "STANDARD" else { return .mayRemove }
        return .mustKeep(
            "its stack is deployed in the mode \(ForeignText.sanitized(mode, hiding: [])), which waits for no server")
    }
}
