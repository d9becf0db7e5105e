package import HTTPTransport
package import SigV4
package import Timekeeping

/// The keys of an EC2 instance's role, from the instance metadata service, version 2.
///
/// Version 1 is never asked: it gives keys to anybody who can make the instance send a GET.
/// Source: Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata".
package struct InstanceCredentials: CredentialsProvider {
    private let environment: [String: String]
    private let executor: any HTTPExecutor
    private let clock: any WallClock

    package init(environment: [String: String], executor: any HTTPExecutor, clock: any WallClock) {
        self.environment = environment
        self.executor = executor
        self.clock = clock
    }

    package func credentials(deadline: UnixInstant) async throws -> SigningCredentials {
        let session = try await MetadataSession(
            environment: environment, executor: executor, clock: clock, deadline: deadline)
        let metadata = session.metadata
        let base = "/latest/meta-data/iam/security-credentials/"
        let roles = try await session.get(base, deadline: deadline)
        guard roles.status != 404 else { throw AWSError(.noCredentials, "The instance has no role.") }
        guard roles.status == 200 else { throw metadata.refusal(roles) }
        let role = String(decoding: roles.body.prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
        guard !role.isEmpty else { throw AWSError(.noCredentials, "The instance has no role.") }

        let answer = try await session.get(base + role.uriEncoded(), deadline: deadline)
        guard answer.status == 200 else { throw metadata.refusal(answer) }
        return try CredentialsDocument(answer.body, from: metadata.name).credentials
    }
}
