package import Timekeeping

extension CloudFormation {
    /// What a resource's `CreationPolicy` or `WaitOnResourceSignals` waits for.
    package enum SignalStatus: String, Sendable {
        case success = "SUCCESS"
        case failure = "FAILURE"
    }

    /// Tells a waiting resource of a stack how something ended.
    ///
    /// - Parameter uniqueID: whom it ended for, such as an instance's id: a second signal of the same one does not count.
    /// - Returns: false when the resource does not wait for signals now, as when a server restarts long after the
    ///   stack was made.
    package func signalResource(
        stack: String, logicalID: String, uniqueID: String, status: SignalStatus, deadline: UnixInstant
    ) async throws -> Bool {
        // Its success has no result element, only metadata: it is not read.
        let call = Self.encoder.call(
            .cloudFormation, "SignalResource",
            [
                ("StackName", stack), ("LogicalResourceId", logicalID), ("UniqueId", uniqueID),
                ("Status", status.rawValue),
            ])
        do {
            _ = try await client.send(call, deadline: deadline)
            return true
        } catch let error as AWSError where error.isNotWaitingForSignals {
            return false
        }
    }
}

extension AWSError {
    /// CloudFormation has no code of its own for it: "Stack … is in CREATE_COMPLETE state and can not be signaled".
    fileprivate var isNotWaitingForSignals: Bool {
        code.rawValue == "ValidationError"
            && (message.contains("can not be signaled") || message.contains("cannot be signaled"))
    }
}
