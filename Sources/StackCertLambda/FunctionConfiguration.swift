import CertificateResources
import Configuration
import Diagnostics
import FoundationEssentials

/// The function's environment variables, read once. `templates/provider.yml` sets them.
struct FunctionConfiguration: Sendable {
    let certificateBucket: String
    let stateBucket: String
    let keyARN: String
    /// Empty: the function's own account.
    let allowedAccounts: Set<String>
    /// The account that must own the buckets; nil when it is not checked.
    let bucketOwner: String?
    let stableS3KeyDefault: Bool

    /// - Throws: ``ConfigurationError`` that names the missing variable.
    init(_ reader: ConfigReader) throws(ConfigurationError) {
        func required(_ key: ConfigKey, _ variable: String) throws(ConfigurationError) -> String {
            guard let value = reader.string(forKey: key), !value.isEmpty else {
                throw ConfigurationError(
                    .missing(variable),
                    "The provider's function has no environment variable \(variable): update the provider stack from "
                        + "its own template.")
            }
            return value
        }
        self.certificateBucket = try required("stackcert.certificate.bucket", "STACKCERT_CERTIFICATE_BUCKET")
        self.stateBucket = try required("stackcert.state.bucket", "STACKCERT_STATE_BUCKET")
        self.keyARN = try required("stackcert.kms.key.arn", "STACKCERT_KMS_KEY_ARN")
        self.allowedAccounts = Set(items(reader.string(forKey: "stackcert.allowed.accounts", default: "")))
        self.bucketOwner = reader.string(forKey: "stackcert.bucket.owner").flatMap { $0.isEmpty ? nil : $0 }
        self.stableS3KeyDefault = reader.bool(forKey: "stackcert.stable.s3.key.default", default: false)
    }

    var defaults: ProviderDefaults { ProviderDefaults(buckets: [certificateBucket], stableS3Key: stableS3KeyDefault) }
}

/// The provider itself is not set up as it must be.
struct ConfigurationError: DiagnosticError {
    enum Code: Hashable, Sendable {
        case missing(String)
        case unknownHandler
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

private func items(_ text: String) -> [String] {
    text.split(separator: ",").map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
}
