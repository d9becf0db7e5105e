import AWSClient
import HTTPTransport
import SigV4
import Synchronization
import TestSupport
import Testing
import Timekeeping

/// Gives a new key each time, or fails.
private final class CountingSource: CredentialsProvider {
    private let state = Mutex((count: 0, isFailing: false))
    private let clock: VirtualClock
    private let lifetime: Duration

    init(clock: VirtualClock, lifetime: Duration = .seconds(3600)) {
        self.clock = clock
        self.lifetime = lifetime
    }

    var count: Int { state.withLock { $0.count } }

    func fail(_ isFailing: Bool) { state.withLock { $0.isFailing = isFailing } }

    func credentials(deadline: UnixInstant) async throws -> SigningCredentials {
        // Long enough for others to come and wait.
        for _ in 0..<20 { await Task.yield() }
        let (count, isFailing) = state.withLock { state in
            state.count += 1
            return state
        }
        guard !isFailing else { throw AWSError(.credentialsUnavailable, "none now") }
        return SigningCredentials(
            accessKeyID: "K\(count)", secretAccessKey: "s", expiration: clock.now.advanced(by: lifetime))
    }
}

@Suite struct CachedCredentialsTests {
    private let clock = VirtualClock()
    private var deadline: UnixInstant { clock.now.advanced(by: .seconds(60)) }

    @Test("However many calls wait for keys, they are asked for once")
    func singleFlight() async throws {
        let source = CountingSource(clock: clock)
        let cached = CachedCredentials(source, clock: clock)
        let deadline = deadline
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<50 {
                group.addTask { try await cached.credentials(deadline: deadline).accessKeyID }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(ids == ["K1"] && source.count == 1)
    }

    @Test("Keys are renewed ten minutes before they expire")
    func ahead() async throws {
        let cached = CachedCredentials(CountingSource(clock: clock), clock: clock)
        #expect(try await cached.credentials(deadline: deadline).accessKeyID == "K1")
        clock.advance(by: .seconds(2999))
        #expect(try await cached.credentials(deadline: deadline).accessKeyID == "K1")
        clock.advance(by: .seconds(1))
        #expect(try await cached.credentials(deadline: deadline).accessKeyID == "K2")
    }

    @Test("A failure is told and forgotten")
    func failuresDoNotStick() async throws {
        let source = CountingSource(clock: clock)
        let cached = CachedCredentials(source, clock: clock)
        source.fail(true)
        #expect(try await failure { try await cached.credentials(deadline: deadline) }?.code == .credentialsUnavailable)
        source.fail(false)
        #expect(try await cached.credentials(deadline: deadline).accessKeyID == "K2")
    }

    @Test("While the old keys work, a failed renewal is nobody's problem, and is not repeated at once")
    func oldKeysGoOn() async throws {
        let source = CountingSource(clock: clock)
        let cached = CachedCredentials(source, clock: clock)
        _ = try await cached.credentials(deadline: deadline)
        source.fail(true)
        clock.advance(by: .seconds(3100))
        for _ in 0..<5 { #expect(try await cached.credentials(deadline: deadline).accessKeyID == "K1") }
        #expect(source.count == 2)
        clock.advance(by: .seconds(31))
        #expect(try await cached.credentials(deadline: deadline).accessKeyID == "K1")
        #expect(source.count == 3)
        clock.advance(by: .seconds(450))
        #expect(try await failure { try await cached.credentials(deadline: deadline) }?.code == .credentialsUnavailable)
        source.fail(false)
        #expect(try await cached.credentials(deadline: deadline).accessKeyID == "K5")
    }

    @Test("Keys that have expired when they come are not given to anybody")
    func bornExpired() async throws {
        let cached = CachedCredentials(CountingSource(clock: clock, lifetime: .zero), clock: clock)
        #expect(try await failure { try await cached.credentials(deadline: deadline) }?.code == .credentialsUnavailable)
    }

    @Test("A caller that is cancelled does not take the keys from the others")
    func cancellation() async throws {
        let source = CountingSource(clock: clock)
        let cached = CachedCredentials(source, clock: clock)
        let deadline = deadline
        let first = Task { try await cached.credentials(deadline: deadline).accessKeyID }
        let second = Task { try await cached.credentials(deadline: deadline).accessKeyID }
        first.cancel()
        #expect(try await second.value == "K1" && source.count == 1)
    }
}

@Suite struct CredentialsChainTests {
    private let clock = VirtualClock()

    private struct Source: CredentialsProvider {
        let outcome: Result<String, AWSError>

        func credentials(deadline: UnixInstant) async throws -> SigningCredentials {
            SigningCredentials(accessKeyID: try outcome.get(), secretAccessKey: "s")
        }
    }

    @Test("The first source that is set up is used; one that fails ends the search")
    func order() async throws {
        let none = Source(outcome: .failure(AWSError(.noCredentials, "none")))
        let broken = Source(outcome: .failure(AWSError(.credentialsUnavailable, "broken")))
        func outcome(_ sources: [any CredentialsProvider]) async throws -> String {
            do {
                return try await CredentialsChain(sources).credentials(deadline: clock.now).accessKeyID
            } catch let error as AWSError {
                return error.code.rawValue
            }
        }
        #expect(try await outcome([none, Source(outcome: .success("A")), broken]) == "A")
        #expect(try await outcome([none, broken, Source(outcome: .success("A"))]) == "Client.CredentialsUnavailable")
        #expect(try await outcome([none, none]) == "Client.NoCredentials")
    }

    @Test("The standard order is environment, profile, container, instance")
    func standard() async throws {
        let executor = ScriptedExecutor([.failure(.connectFailed)], clock: clock)
        func ask(_ environment: [String: String]) async throws -> (id: String?, code: AWSError.Code?) {
            let files: FileReader = { $0 == "/h/.aws/credentials" ? Array(environment["file", default: ""].utf8) : nil }
            let source = CredentialsChain.standard(
                environment: environment, readFile: files, executor: executor, clock: clock)
            var id: String?
            let error = try await failure {
                id = try await source.credentials(deadline: clock.now.advanced(by: .seconds(9))).accessKeyID
            }
            return (id, error?.code)
        }
        let profile = ["HOME": "/h", "file": "[default]\naws_access_key_id = P\naws_secret_access_key = s\n"]
        let container = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/c"]
        let keys = ["AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "s"]
        #expect(try await ask(keys.merging(profile) { $1 }.merging(container) { $1 }).id == "E")
        #expect(try await ask(profile.merging(container) { $1 }).id == "P")
        #expect(try await ask(container).code == .connectionFailed)
        #expect(try await ask([:]).code == .noCredentials)
        #expect(
            executor.requests.map(\.line) == [
                "GET http://169.254.170.2/c", "PUT http://169.254.169.254/latest/api/token",
            ])
    }

    @Test("A call whose keys cannot be had says so under its own name, and tries again if that may pass")
    func missingKeys() async throws {
        let executor = ScriptedExecutor([.answer(500)], clock: clock)
        let container = ContainerCredentials(
            environment: ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/c"], readFile: { _ in nil }, executor: executor,
            clock: clock)
        let s3 = S3(try makeClient(executor, clock: clock, credentials: container), expectedBucketOwner: nil)
        let error = try await failure {
            try await s3.headObject(bucket: "bucket", key: "k", deadline: clock.now.advanced(by: .seconds(60)))
        }
        #expect(error?.message == "S3 HeadObject: The container's credentials endpoint answered HTTP 500.")
        #expect(
            executor.requests.count == 12 && executor.requests.allSatisfy { $0.line == "GET http://169.254.170.2/c" })
    }
}
