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
        /// A backup or another tool has put files in the place of our links, or of one of them.
        case plainFilesOverLinks, plainKeyOverLink, plainCertificateOverLink, plainFilesAndNoCurrentVersion
        /// Earlier kills, each at another point.
        case leftovers, currentLeadsToNothing

        var isAfterAnEarlierVersion: Bool { self != .nothing && self != .plainFiles }
    }

    @Test("a pull leaves a matching pair or nothing, and the next one finishes it", arguments: Start.allCases)
    func everyCall(start: Start) async throws {
        let old = try await TestBundle.make()
        let restored = try await TestBundle.make()
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
            if start.isAfterAnEarlierVersion { try await pull() }
            try prepare(start, folder, old: old, restored: restored)
            let before = folder.served()
            /// Nothing else than what was there, a mismatch included that we have not made, or the new pair.
            @Sendable func isAsBeforeOrNew() -> Bool { folder.served() == before || folder.serves(new) }
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
                        #expect(isAsBeforeOrNew())
                        #expect(folder.exposedKeys == [])
                    })
            } catch is Killed {}
            #expect(isAsBeforeOrNew(), "after \(kills) calls")
            #expect(folder.exposedKeys == [])
            try await pull()
            #expect(folder.serves(new))
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.store)
            #expect(left.count == 3 && left.contains("current") && left.contains("lock"), "\(left)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 3)
            guard isKilled.withLock({ $0 }) else { break }
            kills += 1
        }
        // Fewer would mean that the calls are not announced.
        #expect(kills > 15)
    }

    private func prepare(_ start: Start, _ folder: ServerFolder, old: TestBundle, restored: TestBundle) throws {
        func put(_ text: String, at path: String) throws {
            try? FileManager.default.removeItem(atPath: path)
            try folder.write(text, to: path)
            if path == folder.key { try folder.setMode(0o600, of: path) }
        }
        let current = folder.store + "/current"
        switch start {
        case .nothing, .earlierVersion: break
        case .plainFiles:
            try put(old.privateKeyPEM, at: folder.key)
            try put(old.certificate.pem, at: folder.crt)
        case .plainFilesOverLinks, .plainFilesAndNoCurrentVersion:
            try put(restored.privateKeyPEM, at: folder.key)
            try put(restored.certificate.pem, at: folder.crt)
            if start == .plainFilesAndNoCurrentVersion { try FileManager.default.removeItem(atPath: current) }
        case .plainKeyOverLink: try put(restored.privateKeyPEM, at: folder.key)
        case .plainCertificateOverLink: try put(restored.certificate.pem, at: folder.crt)
        case .leftovers:
            let target = try FileManager.default.destinationOfSymbolicLink(atPath: folder.crt)
            try FileManager.default.createSymbolicLink(
                atPath: folder.path + "/.server.crt.123.link", withDestinationPath: target)
            try FileManager.default.createSymbolicLink(
                atPath: folder.store + "/.current.123.link", withDestinationPath: "x")
            try FileManager.default.createDirectory(atPath: folder.store + "/half", withIntermediateDirectories: false)
            try put(old.privateKeyPEM, at: folder.store + "/half/private-key.pem")
            try folder.setMode(0o600, of: folder.store + "/half/private-key.pem")
        case .currentLeadsToNothing:
            let version = try FileManager.default.destinationOfSymbolicLink(atPath: current)
            try FileManager.default.removeItem(atPath: folder.store + "/" + version)
        }
    }
}
