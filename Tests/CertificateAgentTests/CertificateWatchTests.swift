import CertificateAgent
import Synchronization
import TestSupport
import Testing
import Timekeeping

@Suite("A watch")
struct CertificateWatchTests {
    /// When each pull was made, in seconds from the first; a pull without a line ends the watch.
    private func times(_ script: [AgentError.Code?], outcome: CertificatePull.Outcome) async throws -> [Int64] {
        let clock = VirtualClock(TestBundle.now, longestPause: .days(1))
        let state = Mutex((rest: script[...], times: [Int64]()))
        let watch = CertificateWatch(clock: clock, jitter: { _ in 1 }) {
            let code = try state.withLock { state in
                guard let next = state.rest.popFirst() else { throw CancellationError() }
                state.times.append(clock.now.seconds - TestBundle.now.seconds)
                return next
            }
            if let code { throw AgentError(code, "scripted") }
            return outcome
        }
        await #expect(throws: CancellationError.self) { try await watch.watch(every: .seconds(300)) { _ in } }
        return state.withLock { $0.times }
    }

    private func outcome() async throws -> CertificatePull.Outcome {
        let folder = try ServerFolder()
        let source = ScriptedSource("one", try await TestBundle.make())
        return try await CertificatePull(
            source: source, files: folder.pair, reload: nil, clock: VirtualClock(TestBundle.now)
        ).run()
    }

    @Test("looks every five minutes, sooner after an error that passes, later after a failed reload")
    func pauses() async throws {
        let outcome = try await outcome()
        #expect(try await times([nil, nil, nil], outcome: outcome) == [0, 300, 600])
        #expect(
            try await times([.unreachable, .unreachable, .unreachable, nil, nil], outcome: outcome)
                == [0, 10, 30, 70, 370])
        #expect(
            try await times([.reloadFailed, .reloadFailed, .reloadFailed, nil], outcome: outcome)
                == [0, 300, 900, 2100])
        let long = try await times(Array(repeating: .unreachable, count: 8), outcome: outcome)
        #expect(long == [0, 10, 30, 70, 150, 310, 610, 910])
    }

    @Test("waits at the first start for what may come, and not longer than it may")
    func first() async throws {
        let outcome = try await outcome()
        let clock = VirtualClock(TestBundle.now, longestPause: .days(1))
        let script = Mutex<[AgentError.Code]>([.pointerMissing, .accessDenied, .unreachable])
        let watch = CertificateWatch(clock: clock) {
            if let code = script.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { throw AgentError(code, "not yet") }
            return outcome
        }
        #expect(try await watch.first(within: .seconds(60)).pointer == "one")
        #expect(clock.now == TestBundle.now.advanced(by: .seconds(7)))

        let never = CertificateWatch(clock: clock) { throw AgentError(.pointerMissing, "never") }
        let start = clock.now
        await #expect(throws: AgentError.self) { try await never.first(within: .seconds(60)) }
        let waited = start.duration(to: clock.now)
        #expect(waited >= .seconds(40) && waited <= .seconds(60))
        let hopeless = CertificateWatch(clock: clock) { throw AgentError(.writeFailed, "never") }
        let before = clock.now
        await #expect(throws: AgentError.self) { try await hopeless.first(within: .seconds(60)) }
        #expect(clock.now == before)
    }
}
