package import HTTPTransport
package import SigV4
package import Timekeeping

/// Asks one source after the other, until one is set up. A source that is set up and fails ends the search: using
/// somebody else's keys instead would be worse than none.
package struct CredentialsChain: CredentialsProvider {
    private let sources: [any CredentialsProvider]

    package init(_ sources: [any CredentialsProvider]) {
        self.sources = sources
    }

    /// The order of the AWS CLI: environment, profile, container, instance; cached.
    package static func standard(
        environment: [String: String], readFile: @escaping FileReader, executor: any HTTPExecutor,
        clock: any WallClock
    ) -> CachedCredentials {
        let container = ContainerCredentials(
            environment: environment, readFile: readFile, executor: executor, clock: clock)
        let instance = InstanceCredentials(environment: environment, executor: executor, clock: clock)
        let profile = ProfileCredentials(
            environment: environment, readFile: readFile, executor: executor, clock: clock)
        return CachedCredentials(
            CredentialsChain([EnvironmentCredentials(environment: environment), profile, container, instance]),
            clock: clock)
    }

    package func credentials(deadline: UnixInstant) async throws -> SigningCredentials {
        for source in sources {
            do {
                return try await source.credentials(deadline: deadline)
            } catch let error as AWSError where error.code == .noCredentials {
                continue
            }
        }
        throw AWSError(
            .noCredentials,
            "No AWS credentials were found: not in the environment, a profile, a container or an instance's role.")
    }
}
