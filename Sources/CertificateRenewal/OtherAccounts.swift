package import AWSClient
internal import SigV4
internal import Synchronization
package import Timekeeping

/// CloudFormation in accounts other than the provider's, asked with the keys of a role there
/// (`templates/renewal-role.yml`). One session for each account and life of the function.
package final class OtherAccounts: Sendable {
    private let own: String
    private let client: AWSServiceClient
    private let roleName: String
    private let clock: any WallClock
    private let made = Mutex<[String: CloudFormation]>([:])

    /// - Parameters:
    ///   - own: the provider's account, twelve digits.
    ///   - roleName: of the role in each of the other accounts, its path included.
    package init(own: String, client: AWSServiceClient, roleName: String, clock: any WallClock) {
        self.own = own
        self.client = client
        self.roleName = roleName
        self.clock = clock
    }

    /// Nil for a stack of the provider's own account.
    ///
    /// - Parameter stackID: `arn:<partition>:cloudformation:<region>:<account>:stack/<name>/<guid>`
    func cloudFormation(of stackID: String) -> CloudFormation? {
        let parts = stackID.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count > 5, parts[4] != own else { return nil }
        let account = String(parts[4])
        return made.withLock { made in
            if let existing = made[account] { return existing }
            let role = STS.Role(
                arn: "arn:\(parts[1]):iam::\(account):role/\(roleName)", sessionName: "stackcert-renewal",
                duration: .seconds(900))
            let keys = CachedCredentials(
                RoleElsewhere(role: role, account: account, sts: STS(client)), clock: clock, refreshAhead: .seconds(60))
            let cloudFormation = CloudFormation(client.signing(with: keys))
            made[account] = cloudFormation
            return cloudFormation
        }
    }
}

/// Says of a refusal what is missing in the other account.
private struct RoleElsewhere: CredentialsProvider {
    let role: STS.Role
    let account: String
    let sts: STS

    func credentials(deadline: UnixInstant) async throws -> SigningCredentials {
        do {
            return try await sts.assumeRole(role, deadline: deadline)
        } catch let error as AWSError where error.code == .accessDenied {
            throw AWSError(
                .accessDenied,
                "Renewal has no role in account \(account): install templates/renewal-role.yml there, so that "
                    + "\(role.arn) exists and trusts the provider's RenewalRoleArn.", cause: error)
        }
    }
}
