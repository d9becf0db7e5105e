import CertificateRenewal
import Configuration

/// The renewal function's environment variables, read once. `templates/provider.yml` sets them.
struct RenewalConfiguration: Sendable {
    let stateBucket: String
    /// The bucket of bundles, for the sweep; nil when the provider's stack is of an older template.
    let certificateBucket: String?
    /// The account that must own the bucket; nil when it is not checked.
    let bucketOwner: String?
    /// The topic that is told of failures; nil when there is none.
    let topicARN: String?
    /// The role that renewal assumes in other accounts; nil when stacks are in this one only.
    let roleElsewhere: String?
    /// Nil: at any time.
    let window: RenewalWindow?
    /// Tells this provider's metrics from another's.
    let functionName: String

    /// - Throws: ``ConfigurationError`` that names the missing variable, ``RenewalError`` for a window that cannot be read.
    init(_ reader: ConfigReader) throws {
        func text(_ key: ConfigKey) -> String? { reader.string(forKey: key).flatMap { $0.isEmpty ? nil : $0 } }
        guard let stateBucket = text("stackcert.state.bucket") else {
            throw ConfigurationError(
                .missing("STACKCERT_STATE_BUCKET"),
                "The renewal function has no environment variable STACKCERT_STATE_BUCKET: update the provider stack from "
                    + "its own template.")
        }
        self.stateBucket = stateBucket
        self.certificateBucket = text("stackcert.certificate.bucket")
        self.bucketOwner = text("stackcert.bucket.owner")
        self.topicARN = text("stackcert.alarm.topic.arn")
        self.roleElsewhere = text("stackcert.renewal.role")
        self.window = try text("stackcert.renewal.window").map { try RenewalWindow($0) }
        self.functionName = text("aws.lambda.function.name") ?? "stack-renewal"
    }
}
