package import AWSClient
internal import CertificateIssuance
package import Timekeeping

/// How a server tells which bundle it serves, so that a second rotation can wait for it.
package protocol Acknowledging: Sendable {
    /// - Throws: ``AgentError``.
    func acknowledge(_ pointer: String, at now: UnixInstant, deadline: UnixInstant) async throws
}

/// The state bucket of the provider's stack, under this instance's id.
package struct StateBucketAcknowledgement: Acknowledging {
    private let state: StateBucket
    private let instance: InstanceIdentity

    package init(_ client: AWSServiceClient, bucket: String, instance: InstanceIdentity) {
        self.state = StateBucket(bucket, s3: S3(client, expectedBucketOwner: nil))
        self.instance = instance
    }

    package func acknowledge(_ pointer: String, at now: UnixInstant, deadline: UnixInstant) async throws {
        do {
            let server = try await instance.instanceID(deadline: deadline)
            guard let key = Acknowledgement.key(of: pointer, server: server) else {
                throw AgentError(
                    .usage,
                    "--acknowledge is for bundles that StackCert made, and \(pointer) has not the name of one.")
            }
            try await state.write(Acknowledgement(bundle: pointer, at: now), at: key, deadline: deadline)
        } catch let error as AWSError {
            throw AgentError(
                AgentError(error).code,
                "The files are in place, but it could not be acknowledged: \(error.message) Until then no other "
                    + "rotation starts.", cause: error)
        }
    }
}
