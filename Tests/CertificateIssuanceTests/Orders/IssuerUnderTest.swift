import ACME
import CertificateIssuance
import Diagnostics
import HTTPTransport
import HTTPTypes
import PKI
import Synchronization
import TestSupport
import Timekeeping

/// An issuer, the server that it talks to, its storage and its solver: the whole world of one order, in memory.
///
/// Everything that leaves the issuer passes one counter, so that a test can end it before any step.
final class IssuerUnderTest: Sendable {
    let clock = VirtualClock(UnixInstant(seconds: 1_800_000_000))
    let server: InMemoryACMEServer
    let storage: InMemoryACMEStorage
    let solver: InMemorySolver
    /// What messages call the settings.
    private let settings: SettingNames
    private let lifeline: Lifeline

    init(settings: SettingNames = .properties) {
        let lifeline = Lifeline()
        let solver = InMemorySolver(lifeline: lifeline)
        server = InMemoryACMEServer(clock: clock)
        server.change { $0.validates = { solver.shows($1, for: $0) } }
        storage = InMemoryACMEStorage(lifeline: lifeline)
        self.solver = solver
        self.settings = settings
        self.lifeline = lifeline
    }

    var issuer: ACMEIssuer { ACMEIssuer(accounts: accounts, storage: storage, clock: clock) }

    var accounts: AccountStore {
        AccountStore(
            storage: storage,
            transport: ACMETransport(
                executor: Tapped(server: server, lifeline: lifeline), userAgent: "stackcert-tests/1", clock: clock,
                jitter: { $0.lowerBound }), settings: settings)
    }

    /// Ends everything before the given step from now on; nil lets everything through.
    func die(before step: Int?) { lifeline.die(before: step) }
    var isDead: Bool { lifeline.isDead }

    func request(
        _ names: String..., algorithm: KeyAlgorithm = .ecP256, profile: String? = nil, chain: String? = nil,
        agreed: Bool = true, holder: String = "111122223333"
    ) throws -> OrderRequest {
        OrderRequest(
            names: try names.map { try SubjectAlternativeName($0) },
            authority: CertificateAuthority(
                directory: try ResourceURL(InMemoryACMEServer.directory), contact: "ops@example.com",
                termsOfServiceAgreed: agreed),
            keyAlgorithm: algorithm, profile: profile, preferredChain: chain, holder: holder)
    }

    /// - Parameter shelf: where the certificate is saved, and found again.
    func obtain(
        _ request: OrderRequest, on shelf: Shelf = Shelf(), as destination: String = "bundle",
        replaces: CertificateID? = nil, within time: Duration = .seconds(300)
    ) async throws -> ObtainedCertificate {
        try await issuer.obtain(
            request, for: destination, solver: solver, replaces: replaces, deadline: clock.now.advanced(by: time),
            find: { shelf.certificate },
            save: { certificate in
                try self.lifeline.step()
                shelf.put(certificate)
                return certificate
            })
    }
}

/// Where a generation's certificate is kept.
final class Shelf: Sendable {
    private let content = Mutex<ObtainedCertificate?>(nil)
    var certificate: ObtainedCertificate? { content.withLock { $0 } }
    func put(_ certificate: ObtainedCertificate) { content.withLock { $0 = certificate } }
}

/// Counts what is done, and stops it all at once, as SIGKILL would.
final class Lifeline: Sendable {
    private let state = Mutex<(steps: Int, end: Int?)>((0, nil))

    var isDead: Bool { state.withLock { state in state.end.map { state.steps >= $0 } ?? false } }
    func die(before step: Int?) { state.withLock { $0 = (0, step) } }

    func step() throws {
        try state.withLock { state in
            state.steps += 1
            if let end = state.end, state.steps >= end { throw CancellationError() }
        }
    }
}

private struct Tapped: HTTPExecutor {
    let server: InMemoryACMEServer
    let lifeline: Lifeline

    func execute(_ request: HTTPRequest, body: [UInt8], deadline: UnixInstant) async throws -> HTTPExchange {
        try lifeline.step()
        return try await server.execute(request, body: body, deadline: deadline)
    }
}

final class InMemoryACMEStorage: ACMEStorage {
    private let lifeline: Lifeline
    private let contents = Mutex<[String: (bytes: Redacted<[UInt8]>, tag: Int)]>([:])

    init(lifeline: Lifeline) { self.lifeline = lifeline }

    var names: [String] { contents.withLock { $0.keys.sorted() } }

    func text(_ prefix: String) -> String {
        contents.withLock { contents in
            contents.filter { $0.key.hasPrefix(prefix) }.map { String(decoding: $0.value.bytes.exposed, as: UTF8.self) }
                .joined()
        }
    }

    func read(_ name: String, deadline: UnixInstant) async throws -> (bytes: Redacted<[UInt8]>, tag: String)? {
        try lifeline.step()
        return contents.withLock { $0[name] }.map { ($0.bytes, String($0.tag)) }
    }

    func write(
        _ bytes: Redacted<[UInt8]>, as name: String, replacing tag: String?, deadline: UnixInstant
    ) async throws -> String? {
        try lifeline.step()
        return contents.withLock { contents in
            guard contents[name].map({ String($0.tag) }) == tag else { return nil }
            let next = (contents[name]?.tag ?? 0) + 1
            contents[name] = (bytes, next)
            return String(next)
        }
    }
}

/// Shows answers in memory.
final class InMemorySolver: ChallengeSolver {
    private struct State {
        var standing: Set<ChallengePlacement> = []
        var presented: [Int] = []
        var room = Int.max
        var isStuck = false
        var hasPlaces = true
    }

    private let lifeline: Lifeline
    private let state = Mutex(State())
    let challengeType = "dns-01"

    init(lifeline: Lifeline) { self.lifeline = lifeline }

    var standing: Set<ChallengePlacement> { state.withLock { $0.standing } }
    /// How many answers were put up each time.
    var waves: [Int] { state.withLock { $0.presented } }
    /// Answers cannot be taken back as long as it is.
    func setStuck(_ isStuck: Bool) { state.withLock { $0.isStuck = isStuck } }
    func setPlaces(_ hasPlaces: Bool) { state.withLock { $0.hasPlaces = hasPlaces } }
    func makeRoom(for count: Int) { state.withLock { $0.room = count } }

    func shows(_ keyAuthorization: String, for domain: String) -> Bool {
        standing.contains { $0.domain == domain && $0.value == keyAuthorization }
    }

    func checkPlaces(for domains: Set<String>, deadline: UnixInstant) async throws {
        try lifeline.step()
        guard state.withLock({ $0.hasPlaces }) else { throw IssuanceError(.noPlaceForAnswer, "scripted: \(domains)") }
    }

    func placements(for answers: [ChallengeAnswer], deadline: UnixInstant) async throws -> [ChallengePlacement] {
        try lifeline.step()
        return answers.map {
            ChallengePlacement(
                domain: $0.domain, token: $0.token, container: "zone", name: "_acme-challenge.\($0.domain)",
                value: $0.keyAuthorization.exposed)
        }
    }

    func present(_ placements: [ChallengePlacement], deadline: UnixInstant) async throws -> [ChallengePlacement] {
        try lifeline.step()
        return state.withLock { state in
            let wave = Array(placements.prefix(state.room))
            state.presented.append(wave.count)
            state.standing.formUnion(wave)
            return wave
        }
    }

    func cleanUp(_ placements: [ChallengePlacement], deadline: UnixInstant) async throws {
        try lifeline.step()
        try state.withLock { state in
            if state.isStuck { throw IssuanceError(.noPlaceForAnswer, "scripted") }
            state.standing.subtract(placements)
        }
    }
}
