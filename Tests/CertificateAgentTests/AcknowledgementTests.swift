import CertificateAgent
import Synchronization
import TestSupport
import Testing
import Timekeeping

@Suite("An acknowledgement")
struct AcknowledgementTests {
    private let folder: ServerFolder
    private let reload: ScriptedReload

    init() throws {
        folder = try ServerFolder()
        reload = ScriptedReload(folder)
    }

    private func pull(_ source: ScriptedSource, _ acknowledgement: ScriptedAcknowledgement) async throws {
        _ = try await CertificatePull(
            source: source, files: folder.pair, reload: reload, acknowledgement: acknowledgement,
            clock: VirtualClock(TestBundle.now)
        ).run()
    }

    @Test("is sent with every look, and only once the server has loaded what it names")
    func afterTheReload() async throws {
        let acknowledgement = ScriptedAcknowledgement(reload)
        let first = try await TestBundle.make()
        let source = ScriptedSource("first", first)
        try await pull(source, acknowledgement)
        try await pull(source, acknowledgement)
        #expect(acknowledgement.said == [.init(pointer: "first", reloads: 1), .init(pointer: "first", reloads: 1)])
    }

    @Test("is not sent for a bundle that the server would not load")
    func notAfterAFailedReload() async throws {
        let acknowledgement = ScriptedAcknowledgement(reload)
        let (first, second) = (try await TestBundle.make(), try await TestBundle.make())
        let source = ScriptedSource("first", first)
        try await pull(source, acknowledgement)
        source.point(to: "second", second)
        reload.refuse(second)
        await #expect(throws: AgentError.self) { try await pull(source, acknowledgement) }
        #expect(acknowledgement.said.map(\.pointer) == ["first"])
    }

    @Test("that fails leaves the new files in place, and is tried again")
    func failure() async throws {
        let acknowledgement = ScriptedAcknowledgement(reload)
        let bundle = try await TestBundle.make()
        let source = ScriptedSource("first", bundle)
        acknowledgement.fail(AgentError(.accessDenied, "It may not."))
        await #expect(throws: AgentError.self) { try await pull(source, acknowledgement) }
        #expect(folder.serves(bundle))
        acknowledgement.fail(nil)
        try await pull(source, acknowledgement)
        #expect(acknowledgement.said == [.init(pointer: "first", reloads: 1)])
    }
}

/// Notes what was acknowledged, and how often the server had been told to load its files before.
private final class ScriptedAcknowledgement: Acknowledging {
    struct Said: Hashable {
        let pointer: String
        let reloads: Int
    }

    private let state = Mutex((said: [Said](), error: AgentError?.none))
    private let reload: ScriptedReload

    init(_ reload: ScriptedReload) { self.reload = reload }

    var said: [Said] { state.withLock { $0.said } }

    func fail(_ error: AgentError?) { state.withLock { $0.error = error } }

    func acknowledge(_ pointer: String, at now: UnixInstant, deadline: UnixInstant) async throws {
        let reloads = reload.seen.count
        try state.withLock {
            if let error = $0.error { throw error }
            $0.said.append(Said(pointer: pointer, reloads: reloads))
        }
    }
}
