package import SigV4
package import Timekeeping

/// AWS Security Token Service: who we are, and the keys of roles.
///
/// Every call throws ``AWSError`` or `CancellationError` and is tried again as the client's policy says.
package struct STS: Sendable {
    /// Who signs the client's requests.
    package struct CallerIdentity: Hashable, Sendable {
        /// Twelve digits.
        package let account: String
        package let arn: String
        package let userID: String
    }

    /// A role to be assumed.
    package struct Role: Hashable, Sendable {
        package let arn: String
        /// Shown in CloudTrail and in the session's ARN.
        package let sessionName: String
        /// What the role's trust policy may ask of callers from other accounts.
        package let externalID: String?
        /// From 15 minutes up to what the role allows.
        package let duration: Duration

        package init(
            arn: String, sessionName: String, externalID: String? = nil, duration: Duration = .seconds(3600)
        ) {
            self.arn = arn
            self.sessionName = sessionName
            self.externalID = externalID
            self.duration = duration
        }
    }

    private let client: AWSServiceClient

    package init(_ client: AWSServiceClient) {
        self.client = client
    }

    package func getCallerIdentity(deadline: UnixInstant) async throws -> CallerIdentity {
        try await send("GetCallerIdentity", deadline: deadline) { result throws(AWSError) in
            CallerIdentity(
                account: try result.required("Account"), arn: try result.required("Arn"),
                userID: try result.required("UserId"))
        }
    }

    package func assumeRole(_ role: Role, deadline: UnixInstant) async throws -> SigningCredentials {
        let parameters: KeyValuePairs<String, String?> = [
            "RoleArn": role.arn, "RoleSessionName": role.sessionName, "ExternalId": role.externalID,
            "DurationSeconds": String(role.duration.components.seconds),
        ]
        return try await send("AssumeRole", parameters, deadline: deadline) { result throws(AWSError) in
            guard let keys = result.first("Credentials"),
                let expiration = UnixInstant(iso8601: try keys.required("Expiration"))
            else { throw AWSError(.invalidResponse, "The answer has no credentials with an expiration.") }
            return SigningCredentials(
                accessKeyID: try keys.required("AccessKeyId"), secretAccessKey: try keys.required("SecretAccessKey"),
                sessionToken: try keys.required("SessionToken"), expiration: expiration)
        }
    }

    private func send<Value>(
        _ action: String, _ parameters: KeyValuePairs<String, String?> = [:], deadline: UnixInstant,
        read: (XMLElement) throws(AWSError) -> Value
    ) async throws -> Value {
        try await client.send(
            QueryEncoder(version: "2011-06-15").call(.sts, action, Array(parameters)), deadline: deadline, read: read)
    }
}
