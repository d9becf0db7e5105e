import AWSClient
import Diagnostics
import HTTPTransport
import SigV4
import TestSupport
import Testing
import Timekeeping

private let document = """
    {"Code": "Success", "LastUpdated": "2027-01-15T07:00:00Z", "Type": "AWS-HMAC", "AccessKeyId": "ASIAROLE",
     "SecretAccessKey": "role/secret+", "Token": "role token", "Expiration": "2027-01-15T14:00:00Z", "Extra": {"a": [1]}}
    """

@Suite struct ContainerCredentialsTests {
    private let clock = VirtualClock()
    private let files: FileReader = { path in
        switch path {
        case "/token": Array("file token".utf8)
        case "/two-lines": Array("a\r\nHost: evil".utf8)
        default: nil
        }
    }

    private func ask(
        _ environment: [String: String], _ line: ScriptedExecutor.Line = .answer(200, document)
    ) async throws -> (request: ScriptedExecutor.Request?, error: AWSError?) {
        let executor = ScriptedExecutor([line], clock: clock)
        let source = ContainerCredentials(
            environment: environment, readFile: files, executor: executor, clock: clock)
        let error = try await failure {
            let keys = try await source.credentials(deadline: clock.now.advanced(by: .seconds(60)))
            #expect(keys.accessKeyID == "ASIAROLE" && keys.secretAccessKey.exposed == "role/secret+")
            #expect(keys.sessionToken?.exposed == "role token")
            #expect(keys.expiration == UnixInstant(iso8601: "2027-01-15T14:00:00Z"))
        }
        return (executor.requests.first, error)
    }

    @Test("ECS names a path on its own address")
    func relative() async throws {
        let (request, error) = try await ask(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/a?b=c"])
        #expect(error == nil && request?.line == "GET http://169.254.170.2/v2/credentials/a?b=c")
        #expect(request?["authorization"] == nil)
    }

    @Test("EKS names an address, and a file with a token that is read anew each time")
    func full() async throws {
        let (request, error) = try await ask([
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/token", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "variable",
        ])
        #expect(error == nil && request?.line == "GET http://169.254.170.23/v1/credentials")
        #expect(request?["authorization"] == "file token")
    }

    @Test(
        "Keys are asked for in clear where nobody listens only",
        arguments: [
            ("http://localhost:1338/a", true), ("http://127.9.9.9/a", true), ("http://[::1]:80/a", true),
            ("http://[fd00:ec2::23]/a", true), ("https://example.com/a", true), ("http://example.com/a", false),
            ("http://169.254.169.254/a", false), ("http://127.0.0.1.example.com/a", false),
            ("http://127.0.0/a", false), ("http://[::2]/a", false), ("ftp://localhost/a", false),
        ])
    func hosts(url: String, isAllowed: Bool) async throws {
        let (request, error) = try await ask(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url])
        #expect((error == nil) == isAllowed && (request != nil) == isAllowed)
        #expect(isAllowed || error?.code == .invalidConfiguration)
    }

    @Test("What is not set up is said so, so that another source is asked")
    func notSetUp() async throws {
        #expect(try await ask([:]).error?.code == .noCredentials)
        #expect(try await ask(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": ""]).error?.code == .noCredentials)
    }

    @Test(
        "A token that is missing, or would add fields to the request, is refused", arguments: ["/none", "/two-lines"])
    func badToken(path: String) async throws {
        let (request, error) = try await ask([
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/a", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": path,
        ])
        #expect(error?.code == .credentialsUnavailable && request == nil)
    }

    @Test(
        "An answer without keys is an error, which may pass or not, and shows nothing of the answer",
        arguments: [
            (.answer(500, "secret"), .credentialsUnavailable, true), (.answer(429), .credentialsUnavailable, true),
            (.answer(404, "secret"), .credentialsUnavailable, false),
            (.answer(200, "secret"), .credentialsUnavailable, false),
            (.answer(200, "[\"secret\"]"), .credentialsUnavailable, false),
            (.answer(200, document.replacing("Token", with: "T")), .credentialsUnavailable, false),
            (.answer(200, document.replacing("2027", with: "never")), .credentialsUnavailable, false),
            (.answer(200, document.replacing("Success", with: "secret")), .credentialsUnavailable, false),
            (.failure(.connectFailed), .connectionFailed, true), (.failure(.connectionLost), .connectionLost, true),
            (.hang, .timedOut, true),
        ] as [(ScriptedExecutor.Line, AWSError.Code, Bool)])
    func badAnswer(line: ScriptedExecutor.Line, code: AWSError.Code, mayPass: Bool) async throws {
        let error = try await ask(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/a"], line).error
        #expect(error?.code == code && error?.isRetryable == mayPass)
        #expect(error?.message.contains("secret") == false)
    }
}

@Suite struct InstanceCredentialsTests {
    private let clock = VirtualClock()

    private func ask(
        _ lines: [ScriptedExecutor.Line], environment: [String: String] = [:]
    ) async throws -> (requests: [ScriptedExecutor.Request], error: AWSError?) {
        let executor = ScriptedExecutor(lines, clock: clock)
        let source = InstanceCredentials(environment: environment, executor: executor, clock: clock)
        let error = try await failure {
            let keys = try await source.credentials(deadline: clock.now.advanced(by: .seconds(60)))
            #expect(keys.accessKeyID == "ASIAROLE" && keys.sessionToken?.exposed == "role token")
        }
        return (executor.requests, error)
    }

    @Test("A token is fetched first and sent with every question")
    func questions() async throws {
        let (requests, error) = try await ask([
            .answer(200, "IMDS="), .answer(200, "my role\n"), .answer(200, document),
        ])
        #expect(error == nil)
        let base = "http://169.254.169.254/latest/meta-data/iam/security-credentials/"
        #expect(
            requests.map(\.line) == [
                "PUT http://169.254.169.254/latest/api/token", "GET " + base, "GET \(base)my%20role",
            ])
        #expect(requests.map { $0["x-aws-ec2-metadata-token"] } == [nil, "IMDS=", "IMDS="])
        #expect(requests.first?["x-aws-ec2-metadata-token-ttl-seconds"] == "300")
    }

    @Test("Another address can be named, or none asked at all")
    func environment() async throws {
        let (requests, _) = try await ask(
            [.answer(200, "t"), .answer(200, "r"), .answer(200, document)],
            environment: ["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://[fd00:ec2::254]/"])
        #expect(requests.first?.line == "PUT http://[fd00:ec2::254]/latest/api/token")
        let (none, error) = try await ask([.answer(200)], environment: ["AWS_EC2_METADATA_DISABLED": "True"])
        #expect(none.isEmpty && error?.code == .noCredentials)
    }

    @Test(
        "A machine that is no instance, or has no role, is not set up",
        arguments: [
            [.failure(.connectFailed)], [.hang], [.failure(.connectionLost)], [.answer(200, "t"), .answer(404)],
            [.answer(200, "t"), .answer(200, "")],
        ] as [[ScriptedExecutor.Line]])
    func notSetUp(lines: [ScriptedExecutor.Line]) async throws {
        let start = clock.now
        #expect(try await ask(lines).error?.code == .noCredentials)
        #expect(start.duration(to: clock.now) <= .seconds(1))
    }

    @Test("Without a token version 1 of the service is not asked", arguments: [400, 403, 404, 405, 200])
    func noVersion1(status: Int) async throws {
        let (requests, error) = try await ask([.answer(status)])
        #expect(error?.code == .credentialsUnavailable && requests.count == 1)
    }
}
