import AWSClient
import ArgumentParser
import CertificateIssuance
import Timekeeping

/// Which provider is meant, where there are several in a region.
struct ProviderOptions: ParsableArguments {
    @Option(help: "The provider's stack, whose outputs say where the records are.")
    var provider = "stackcert"

    /// The bucket in which the provider writes down what it knows.
    func state(_ connection: AWSConnection, deadline: UnixInstant) async throws -> StateBucket {
        let stack: CloudFormation.Stack
        do {
            stack = try await CloudFormation(connection.client).describeStack(provider, deadline: deadline)
        } catch let error as AWSError where error.isMissingStack {
            throw CommandError(
                .unusable,
                "There is no stack \(provider) in this region: name the provider's stack with --provider.")
        }
        guard let bucket = stack.outputs["StateBucketName"] else {
            throw CommandError(
                .unusable, "Stack \(provider) has no output StateBucketName: it is not a StackCert provider.")
        }
        return StateBucket(bucket, s3: S3(connection.client, expectedBucketOwner: nil))
    }
}
