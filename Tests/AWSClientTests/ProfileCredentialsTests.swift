import SigV4
import TestSupport
import Testing
import Timekeeping

@testable import AWSClient

@Suite struct ProfileCredentialsTests {
    private let clock = VirtualClock()

    /// The keys that the files give, and what was asked of the network for them.
    private func ask(
        config: String = "", credentials: String = "", environment: [String: String] = [:],
        _ lines: [ScriptedExecutor.Line] = [.answer(200, assumeRoleAnswer)]
    ) async throws -> (id: String?, requests: [ScriptedExecutor.Request], error: AWSError?) {
        let executor = ScriptedExecutor(lines, clock: clock)
        let files: FileReader = { path in
            switch path {
            case "/home/u/.aws/config", "/other/config": Array(config.utf8)
            case "/home/u/.aws/credentials", "/other/credentials": Array(credentials.utf8)
            default: nil
            }
        }
        let source = ProfileCredentials(
            environment: ["HOME": "/home/u", "AWS_REGION": "eu-west-1"].merging(environment) { _, new in new },
            readFile: files, executor: executor, clock: clock)
        var id: String?
        let error = try await failure {
            id = try await source.credentials(deadline: clock.now.advanced(by: .seconds(60))).accessKeyID
        }
        return (id, executor.requests, error)
    }

    private static func keys(_ id: String) -> String {
        "aws_access_key_id = \(id)\naws_secret_access_key = secret\n"
    }

    @Test(
        "Keys are found wherever the AWS CLI finds them",
        arguments: [
            ("", "[default]\n" + keys("A"), nil, "A"),
            ("[default]\n" + keys("A"), "", nil, "A"),
            ("[default]\n" + keys("A"), "[default]\n" + keys("B"), nil, "B"),
            ("[profile default]\n" + keys("A") + "[default]\n" + keys("B"), "", nil, "A"),
            ("[profile x]\n" + keys("A"), "[default]\n" + keys("B"), "x", "A"),
            ("[profile \"a b\"]\n" + keys("A"), "", "a b", "A"),
            ("[profile  x ] # comment\n\n  \n; comment\n" + keys("A"), "", "x", "A"),
            ("[x]\n" + keys("A"), "[x]\n" + keys("B"), "x", "B"),
            ("", "[x]\r\nAWS_ACCESS_KEY_ID=A # comment\r\naws_secret_access_key=s#1\r\n", "x", "A"),
            ("[profile x]\ns3 =\n  aws_access_key_id = no\n" + keys("A"), "", "x", "A"),
            ("[sso-session x]\nsso_region = a\n[profile x]\n" + keys("A"), "", "x", "A"),
            ("", "[x]\n" + keys("A") + "[x]\n" + keys("B"), "x", "B"),
        ] as [(String, String, String?, String)])
    func found(config: String, credentials: String, profile: String?, id: String) async throws {
        var environment: [String: String] = [:]
        environment["AWS_PROFILE"] = profile
        let result = try await ask(config: config, credentials: credentials, environment: environment)
        #expect(result.id == id && result.error == nil && result.requests.isEmpty)
    }

    @Test("The files can lie elsewhere")
    func elsewhere() async throws {
        let result = try await ask(
            config: "[profile x]\nregion = a", credentials: "[x]\n" + ProfileCredentialsTests.keys("A"),
            environment: [
                "AWS_CONFIG_FILE": "/other/config", "AWS_SHARED_CREDENTIALS_FILE": "/other/credentials",
                "AWS_PROFILE": "x", "HOME": "",
            ])
        #expect(result.id == "A")
    }

    @Test("Without a profile nothing is set up; without the one that was asked for something is wrong")
    func missing() async throws {
        #expect(try await ask().error?.code == .noCredentials)
        #expect(try await ask(config: "[default]\nregion = a").error?.code == .noCredentials)
        #expect(try await ask(environment: ["AWS_PROFILE": "x"]).error?.code == .invalidConfiguration)
        #expect(try await ask(environment: ["HOME": ""]).error?.code == .noCredentials)
    }

    @Test("A profile's role is assumed with another profile's keys, in the profile's region")
    func sourceProfile() async throws {
        let result = try await ask(
            config: """
                [profile x]
                role_arn = arn:aws:iam::1:role/r
                source_profile = y
                external_id = e
                role_session_name = n
                duration_seconds = 900
                region = eu-central-1
                """,
            credentials: "[y]\n" + ProfileCredentialsTests.keys("AKIDSOURCE"),
            environment: ["AWS_PROFILE": "x", "AWS_REGION": ""])
        #expect(result.id == "ASIAROLE" && result.error == nil)
        let request = try #require(result.requests.first)
        #expect(request.line == "POST https://sts.eu-central-1.amazonaws.com/")
        #expect(request["authorization"]?.contains("Credential=AKIDSOURCE/") == true)
        #expect(request.body.hasSuffix("RoleSessionName=n&ExternalId=e&DurationSeconds=900"))
    }

    @Test("Roles can be assumed one from another")
    func chained() async throws {
        let result = try await ask(
            config: """
                [profile x]
                role_arn = outer
                source_profile = y
                [profile y]
                role_arn = inner
                source_profile = y
                """,
            credentials: "[y]\n" + ProfileCredentialsTests.keys("AKIDSOURCE"), environment: ["AWS_PROFILE": "x"])
        #expect(result.id == "ASIAROLE" && result.requests.count == 2)
        #expect(result.requests.first?["authorization"]?.contains("Credential=AKIDSOURCE/") == true)
        #expect(result.requests.last?["authorization"]?.contains("Credential=ASIAROLE/") == true)
        #expect(result.requests.map { $0.body.contains("RoleArn=inner") } == [true, false])
    }

    @Test("A profile's role is assumed with the machine's own keys")
    func credentialSource() async throws {
        let result = try await ask(
            config: "[default]\nrole_arn = r\ncredential_source = Environment",
            environment: ["AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "s"])
        #expect(result.requests.first?["authorization"]?.contains("Credential=AKIDENV/") == true)
        let container = try await ask(
            config: "[default]\nrole_arn = r\ncredential_source = EcsContainer",
            environment: ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/a"], [.answer(404)])
        #expect(container.requests.map(\.line) == ["GET http://169.254.170.2/a"])
        #expect(container.error?.code == .credentialsUnavailable)
        let instance = try await ask(
            config: "[default]\nrole_arn = r\ncredential_source = Ec2InstanceMetadata", [.answer(403)])
        #expect(instance.requests.map(\.line) == ["PUT http://169.254.169.254/latest/api/token"])
    }

    @Test(
        "What cannot work is refused with what to do, without the files' text",
        arguments: [
            "[profile x]\nrole_arn = secret\nsource_profile = y\n[profile y]\nrole_arn = a\nsource_profile = x",
            "[profile x]\nrole_arn = secret\nsource_profile = x", "[profile x]\nrole_arn = secret\nsource_profile = y",
            "[profile x]\nrole_arn = secret", "[profile x]\nrole_arn = secret\ncredential_source = Secret",
            "[profile x]\nrole_arn = secret\nsource_profile = y\n[profile y]\nregion = a",
            "[profile x]\nrole_arn = a\nmfa_serial = secret\nsource_profile = y\n[profile y]\n" + keys("A"),
            "[profile x]\ncredential_process = secret", "[profile x]\nsso_session = secret", "secret = 1\n[profile x]",
            "[profile x]\nsecret", "[profile secret",
        ])
    func refused(config: String) async throws {
        let result = try await ask(config: config, environment: ["AWS_PROFILE": "x"])
        #expect(result.error?.code == .invalidConfiguration && result.requests.isEmpty)
        #expect(result.error?.message.contains("secret") == false)
    }
}
