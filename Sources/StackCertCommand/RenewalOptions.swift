import AWSClient
import ArgumentParser
import CertificateIssuance
import CertificateRenewal
import Timekeeping

/// What `renew` and `rotate` have in common.
struct RenewalOptions: ParsableArguments {
    @OptionGroup var aws: AWSOptions
    @OptionGroup var provider: ProviderOptions
    @OptionGroup var output: OutputOptions

    @Flag(
        name: .customLong("dry-run"),
        help: "Make the change sets, show what is in them and whether they would be executed, and delete them.")
    var dryRun = false

    /// Longer than any single step takes; it is prolonged while an update goes on.
    private static let lease: Duration = .seconds(300)

    func environment(
        _ connection: AWSConnection, trigger: RenewalTrigger, deadline: UnixInstant
    ) async throws -> RenewalEnvironment {
        RenewalEnvironment(
            cloudFormation: CloudFormation(connection.client), ssm: SSM(connection.client),
            state: try await provider.state(connection, deadline: deadline), clock: connection.clock,
            lease: Self.lease, trigger: trigger)
    }

    /// The certificates of the stack that somebody has named.
    func certified(
        _ name: String, environment: RenewalEnvironment, deadline: UnixInstant
    ) async throws -> DueStack {
        let described: CloudFormation.Stack
        do {
            described = try await environment.cloudFormation.describeStack(name, deadline: deadline)
        } catch let error as AWSError where error.isMissingStack {
            throw CommandError(.unusable, "There is no stack \(name) in this region.")
        }
        let found = try await DueStack.certified(described.id, environment: environment, deadline: deadline)
        guard let found else {
            throw CommandError(
                .unusable,
                "Stack \(name) has no certificate of this provider. Of nested stacks name the one that has it; a "
                    + "certificate that an earlier system made changes with the property Rotation.")
        }
        return found
    }
}
