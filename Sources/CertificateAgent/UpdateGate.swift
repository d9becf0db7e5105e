package import AWSClient
package import Timekeeping

/// Whether a server that has a certificate may take another one now.
package protocol UpdateGate: Sendable {
    /// - Throws: ``AgentError``.
    func isOpen(deadline: UnixInstant) async throws -> Bool
}

/// Open when the stack's last update can no longer be rolled back.
///
/// A rollback may have the load balancer distrust the new key before the pointer goes back: CloudFormation restores the
/// attributes that the certificate had before. Both keys are trusted until then and after a complete update, so that
/// waiting costs nothing.
package struct StackUpdateGate: UpdateGate {
    private let cloudFormation: CloudFormation
    private let stack: String

    /// - Parameter stack: name or ARN.
    package init(_ client: AWSServiceClient, stack: String) {
        self.cloudFormation = CloudFormation(client)
        self.stack = stack
    }

    package func isOpen(deadline: UnixInstant) async throws -> Bool {
        do {
            // UPDATE_COMPLETE_CLEANUP_IN_PROGRESS among them: what is left then is to delete the old.
            return try await cloudFormation.describeStack(stack, deadline: deadline).status.contains("_COMPLETE")
        } catch let error as AWSError {
            throw AgentError(error)
        }
    }
}
