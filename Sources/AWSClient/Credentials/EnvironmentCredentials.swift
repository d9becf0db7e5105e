package import SigV4
package import Timekeeping

/// The keys in `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`: how Lambda hands a function the
/// keys of its role. They outlive the process, so nothing is refreshed.
package struct EnvironmentCredentials: CredentialsProvider {
    private let found: SigningCredentials?

    package init(environment: [String: String]) {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let id = value("AWS_ACCESS_KEY_ID"), let secret = value("AWS_SECRET_ACCESS_KEY") {
            self.found = SigningCredentials(
                accessKeyID: id, secretAccessKey: secret, sessionToken: value("AWS_SESSION_TOKEN"))
        } else {
            self.found = nil
        }
    }

    package func credentials(deadline: UnixInstant) async throws -> SigningCredentials {
        guard let found else {
            throw AWSError(
                .noCredentials, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set.")
        }
        return found
    }
}
