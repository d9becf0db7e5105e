package import SigV4
package import Timekeeping

/// The keys of a role that the given caller may assume. Wrap it in ``CachedCredentials``: each question is a call.
package struct AssumeRoleCredentials: CredentialsProvider {
    private let sts: STS
    private let role: STS.Role

    package init(_ role: STS.Role, sts: STS) {
        self.sts = sts
        self.role = role
    }

    package func credentials(deadline: UnixInstant) async throws -> SigningCredentials {
        try await sts.assumeRole(role, deadline: deadline)
    }
}
