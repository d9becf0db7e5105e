package import HTTPTransport
internal import HTTPTypes
package import SigV4
package import Timekeeping

/// The keys of a container's role, from the endpoint that ECS, EKS and others name in
/// `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
///
/// Source: AWS SDKs and Tools Reference Guide, "Container credential provider".
package struct ContainerCredentials: CredentialsProvider {
    private let environment: [String: String]
    private let readFile: FileReader
    private let executor: any HTTPExecutor
    private let clock: any WallClock

    /// - Parameter readFile: reads the authorization token's file, anew each time: it is replaced while we run.
    package init(
        environment: [String: String], readFile: @escaping FileReader, executor: any HTTPExecutor,
        clock: any WallClock
    ) {
        self.environment = environment
        self.readFile = readFile
        self.executor = executor
        self.clock = clock
    }

    package func credentials(deadline: UnixInstant) async throws -> SigningCredentials {
        let (endpoint, path) = try place()
        let metadata = MetadataEndpoint(
            name: "The container's credentials endpoint", endpoint: endpoint, executor: executor, clock: clock,
            timeout: .seconds(5))
        var fields = HTTPFields()
        fields[.authorization] = try authorization()
        let answer = try await metadata.send(.get, path: path, fields: fields, deadline: deadline)
        guard answer.status == 200 else { throw metadata.refusal(answer) }
        return try CredentialsDocument(answer.body, from: metadata.name).credentials
    }

    private func place() throws(AWSError) -> (endpoint: Endpoint, path: String) {
        if let path = value("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            guard path.hasPrefix("/"), path.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw AWSError(.invalidConfiguration, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path.")
            }
            return (try Endpoint(url: "http://169.254.170.2"), path)
        }
        guard let url = value("AWS_CONTAINER_CREDENTIALS_FULL_URI") else {
            throw AWSError(.noCredentials, "No container credentials endpoint is set.")
        }
        let endpoint = try Endpoint(url: url)
        // The keys and the token travel in clear: only where nobody listens.
        guard endpoint.scheme == "https" || endpoint.isContainerHost else {
            throw AWSError(
                .invalidConfiguration,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or name a loopback or container host.")
        }
        return (endpoint, endpoint.basePath.isEmpty ? "/" : endpoint.basePath)
    }

    private func authorization() throws(AWSError) -> String? {
        var token = value("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        if let path = value("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            guard let bytes = try? readFile(path) else {
                throw AWSError(
                    .credentialsUnavailable, "The file in AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read.")
            }
            token = String(decoding: bytes, as: UTF8.self)
        }
        guard token?.utf8.contains(where: { $0 == 0x0D || $0 == 0x0A }) != true else {
            throw AWSError(.credentialsUnavailable, "The container's authorization token has a line end.")
        }
        return token
    }

    private func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
}

extension Endpoint {
    /// Loopback, or the addresses of ECS's and EKS's agents.
    fileprivate var isContainerHost: Bool {
        let isIPv6 = authority.hasPrefix("[")
        let host = isIPv6 ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
        let agents = ["localhost", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"]
        if agents.contains(String(host)) { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.first == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
