import CertificateAgent
import Foundation
import PKI
import Synchronization
import TestSupport
import Testing

@Suite("Killed at any system call")
struct KillTests {
    private struct Killed: Error {}

    enum Start: String, CaseIterable, Sendable {
        case nothing, plainFiles, earlierVersion
    }

    @Test("a pull leaves a matching pair or nothing, and the next one finishes it", arguments: Start.allCases)
    func everyCall(start: Start) async throws {
        let old = try await TestBundle.make()
        let new = try await TestBundle.make()
        var kills = 0
        while true {
            let folder = try ServerFolder()
            let source = ScriptedSource("one", old)
            let clock = VirtualClock(TestBundle.now)
            func pull(_ calls: SystemCalls = .real) async throws {
                _ = try await CertificatePull(
                    source: source, files: folder.pair, reload: ScriptedReload(folder), calls: calls, clock: clock
                ).run()
            }
            switch start {
            case .nothing: break
            case .plainFiles:
                try folder.write(old.privateKeyPEM, to: folder.key)
                try folder.write(old.certificate.pem, to: folder.crt)
                try folder.setMode(0o600, of: folder.key)
            case .earlierVersion: try await pull()
            }
            source.point(to: "two", new)
            let calls = Mutex(0)
            let isKilled = Mutex(false)
            let limit = kills
            do {
                try await pull(
                    SystemCalls { _ in
                        let number = calls.withLock {
                            $0 += 1
                            return $0
                        }
                        // Once killed nothing more is done, cleaning up included.
                        if number > limit {
                            isKilled.withLock { $0 = true }
                            throw Killed()
                        }
                        #expect(folder.isConsistent)
                        #expect(folder.exposedKeys == [])
                    })
            } catch is Killed {}
            #expect(folder.isConsistent, "after \(kills) calls")
            #expect(folder.exposedKeys == [])
            if start != .nothing { #expect(folder.serves(old) || folder.serves(new)) }
            try await pull()
            #expect(folder.serves(new))
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.store)
            #expect(left.count == 3 && left.contains("current") && left.contains("lock"), "\(left)")
            guard isKilled.withLock({ $0 }) else { break }
            kills += 1
        }
        // Fewer would mean that the calls are not announced.
        #expect(kills > 15)
    }
}
