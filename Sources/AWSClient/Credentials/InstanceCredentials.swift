package import HTTPTransport
internal import HTTPTypes
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
        guard environment["AWS_EC2_METADATA_DISABLED"]?.lowercased() != "true" else {
            throw AWSError(.noCredentials, "AWS_EC2_METADATA_DISABLED is set.")
        }
        let url = environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"].flatMap { $0.isEmpty ? nil : $0 }
        let metadata = MetadataEndpoint(
            name: "The instance metadata service", endpoint: try Endpoint(url: url ?? "http://169.254.169.254"),
            executor: executor, clock: clock, timeout: .seconds(1))

        var fields = HTTPFields()
        fields[named: tokenField] = try await token(from: metadata, deadline: deadline)
        let base = metadata.endpoint.basePath + "/latest/meta-data/iam/security-credentials/"
        let roles = try await metadata.send(.get, path: base, fields: fields, deadline: deadline)
        guard roles.status != 404 else { throw AWSError(.noCredentials, "The instance has no role.") }
        guard roles.status == 200 else { throw metadata.refusal(roles) }
        let role = String(decoding: roles.body.prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
        guard !role.isEmpty else { throw AWSError(.noCredentials, "The instance has no role.") }

        let answer = try await metadata.send(.get, path: base + role.uriEncoded(), fields: fields, deadline: deadline)
        guard answer.status == 200 else { throw metadata.refusal(answer) }
        return try CredentialsDocument(answer.body, from: metadata.name).credentials
    }

    private func token(from metadata: MetadataEndpoint, deadline: UnixInstant) async throws -> String {
        var fields = HTTPFields()
        fields[named: "x-aws-ec2-metadata-token-ttl-seconds"] = "300"
        let answer: HTTPExchange
        do {
            answer = try await metadata.send(
                .put, path: metadata.endpoint.basePath + "/latest/api/token", fields: fields, deadline: deadline)
        } catch let error as AWSError where error.httpStatus == nil {
            // Nobody is at this address: this is no instance.
            throw AWSError(.noCredentials, error.message, cause: error)
        }
        guard answer.status == 200, !answer.body.isEmpty else { throw metadata.refusal(answer) }
        return String(decoding: answer.body, as: UTF8.self)
    }
}

private let tokenField = "x-aws-ec2-metadata-token"
