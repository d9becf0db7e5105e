package import HTTPTransport
internal import HTTPTypes
internal import SigV4
package import Timekeeping

/// What an EC2 instance can find out about itself, from the instance metadata service, version 2.
package struct InstanceIdentity: Sendable {
    private let environment: [String: String]
    private let executor: any HTTPExecutor
    private let clock: any WallClock

    package init(environment: [String: String], executor: any HTTPExecutor, clock: any WallClock) {
        self.environment = environment
        self.executor = executor
        self.clock = clock
    }

    /// Such as `i-0123456789abcdef0`.
    package func instanceID(deadline: UnixInstant) async throws -> String {
        try await read("instance-id", deadline: deadline)
    }

    /// Such as `eu-west-1`.
    package func region(deadline: UnixInstant) async throws -> String {
        try await read("placement/region", deadline: deadline)
    }

    /// - Throws: ``AWSError/Code/noCredentials`` when this is no instance.
    private func read(_ name: String, deadline: UnixInstant) async throws -> String {
        let session = try await MetadataSession(
            environment: environment, executor: executor, clock: clock, deadline: deadline)
        let answer = try await session.get("/latest/meta-data/" + name, deadline: deadline)
        guard answer.status == 200 else { throw session.metadata.refusal(answer) }
        let text = String(decoding: answer.body, as: UTF8.self)
        guard (1...64).contains(text.utf8.count),
            text.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
        else {
            throw AWSError(.credentialsUnavailable, "\(session.metadata.name) sent something else than a name.")
        }
        return text
    }
}

/// The metadata service with a token of its version 2.
struct MetadataSession {
    let metadata: MetadataEndpoint
    private let fields: HTTPFields

    /// - Throws: ``AWSError/Code/noCredentials`` when nobody answers: this is no instance.
    init(
        environment: [String: String], executor: any HTTPExecutor, clock: any WallClock, deadline: UnixInstant
    ) async throws {
        guard environment["AWS_EC2_METADATA_DISABLED"]?.lowercased() != "true" else {
            throw AWSError(.noCredentials, "AWS_EC2_METADATA_DISABLED is set.")
        }
        let url = environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"].flatMap { $0.isEmpty ? nil : $0 }
        self.metadata = MetadataEndpoint(
            name: "The instance metadata service", endpoint: try Endpoint(url: url ?? "http://169.254.169.254"),
            executor: executor, clock: clock, timeout: .seconds(1))
        var asked = HTTPFields()
        asked[named: "x-aws-ec2-metadata-token-ttl-seconds"] = "300"
        let answer: HTTPExchange
        do {
            answer = try await metadata.send(
                .put, path: metadata.endpoint.basePath + "/latest/api/token", fields: asked, deadline: deadline)
        } catch let error as AWSError where error.httpStatus == nil {
            throw AWSError(.noCredentials, error.message, cause: error)
        }
        guard answer.status == 200, !answer.body.isEmpty else { throw metadata.refusal(answer) }
        var fields = HTTPFields()
        fields[named: "x-aws-ec2-metadata-token"] = String(decoding: answer.body, as: UTF8.self)
        self.fields = fields
    }

    /// - Parameter path: from `/latest` on.
    func get(_ path: String, deadline: UnixInstant) async throws -> HTTPExchange {
        try await metadata.send(.get, path: metadata.endpoint.basePath + path, fields: fields, deadline: deadline)
    }
}
