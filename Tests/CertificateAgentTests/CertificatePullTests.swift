import CertificateAgent
import Diagnostics
import Foundation
import PKI
import Synchronization
import TestSupport
import Testing
import Timekeeping

@Suite("A pull")
struct CertificatePullTests {
    private let folder: ServerFolder
    private let clock = VirtualClock(TestBundle.now)

    init() throws { folder = try ServerFolder() }

    private func pull(
        _ source: ScriptedSource, reload: ScriptedReload? = nil, files: CertificateFileSet? = nil
    ) async throws -> CertificatePull.Outcome {
        try await CertificatePull(source: source, files: files ?? folder.pair, reload: reload, clock: clock).run()
    }

    @Test("writes a pair, key 0400 and certificate 0444, and does not download it again")
    func writesOnce() async throws {
        let bundle = try await TestBundle.make()
        let source = ScriptedSource("one", bundle)
        #expect(try await pull(source).change == .written)
        #expect(folder.serves(bundle))
        #expect(try mode(folder.key) == 0o400)
        #expect(try mode(folder.crt) == 0o444)
        #expect(try await pull(source).change == .unchanged)
        #expect(source.downloads == 1)
    }

    @Test("repairs files that were damaged or let others in", arguments: ["damaged", "removed", "opened", "unlinked"])
    func repairs(how: String) async throws {
        let bundle = try await TestBundle.make()
        let source = ScriptedSource("one", bundle)
        _ = try await pull(source)
        let key = try FileManager.default.destinationOfSymbolicLink(atPath: folder.key)
        let file = folder.path + "/" + key
        switch how {
        case "damaged":
            try FileManager.default.removeItem(atPath: file)
            try folder.write("x", to: file)
        case "removed": try FileManager.default.removeItem(atPath: file)
        case "opened": try folder.setMode(0o644, of: file)
        default: try FileManager.default.removeItem(atPath: folder.crt)
        }
        #expect(try await pull(source).change == .written)
        #expect(folder.serves(bundle))
        #expect(try mode(folder.key) == 0o400)
    }

    @Test("takes another certificate only when the gate is open, and the first one at once")
    func gate() async throws {
        let (first, second) = (try await TestBundle.make(), try await TestBundle.make())
        let source = ScriptedSource("first", first)
        let gate = ScriptedGate()
        let pull = CertificatePull(source: source, files: try folder.pair, reload: nil, gate: gate, clock: clock)
        #expect(try await pull.run().change == .written)
        source.point(to: "second", second)
        let waiting = try await pull.run()
        #expect(waiting.change == .waiting)
        #expect(waiting.pointer == "first")
        #expect(folder.serves(first))
        gate.open()
        #expect(try await pull.run().change == .written)
        #expect(folder.serves(second))
    }

    @Test("puts key and certificate into one file when asked for that")
    func combined() async throws {
        let bundle = try await TestBundle.make()
        let path = folder.path + "/all.pem"
        let files = try CertificateFileSet(files: [CertificateFile(.combined, path: path)], secretMode: 0o440)
        let source = ScriptedSource("one", bundle)
        #expect(try await pull(source, files: files).change == .written)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == bundle.privateKeyPEM + bundle.certificate.pem)
        #expect(try mode(path) == 0o440)
        #expect(try await pull(source, files: files).change == .unchanged)
    }

    @Test("keeps nobody out once it is done, although a process that was started meanwhile still has its lock open")
    func lockEnds() async throws {
        let source = ScriptedSource("one", try await TestBundle.make())
        let reload = LockCopyingReload(below: folder.path)
        let pull = CertificatePull(source: source, files: try folder.pair, reload: reload, clock: clock)
        _ = try await pull.run()
        #expect(reload.copies > 0)
        #expect(try await pull.run().change == .unchanged)
    }

    @Test("reloads on change only")
    func reloadsOnChange() async throws {
        let (one, two) = (try await TestBundle.make(), try await TestBundle.make())
        let source = ScriptedSource("one", one)
        let reload = ScriptedReload(folder)
        _ = try await pull(source, reload: reload)
        _ = try await pull(source, reload: reload)
        source.point(to: "two", two)
        _ = try await pull(source, reload: reload)
        #expect(reload.seen == [one.certificate.pem, two.certificate.pem])
    }

    @Test("gives back what was loaded last when the reload fails, and loads that again")
    func restores() async throws {
        let (one, two) = (try await TestBundle.make(), try await TestBundle.make())
        let source = ScriptedSource("one", one)
        let reload = ScriptedReload(folder)
        _ = try await pull(source, reload: reload)
        source.point(to: "two", two)
        reload.refuse(two)
        await #expect(throws: AgentError.self) { try await pull(source, reload: reload) }
        #expect(folder.serves(one))
        #expect(reload.seen == [one.certificate.pem, two.certificate.pem, one.certificate.pem])
        reload.refuse()
        #expect(try await pull(source, reload: reload).change == .written)
        #expect(folder.serves(two))
    }

    @Test("keeps the first files when their reload fails: there are no others")
    func firstReloadFails() async throws {
        let one = try await TestBundle.make()
        let reload = ScriptedReload(folder)
        reload.refuse(one)
        let source = ScriptedSource("one", one)
        await #expect(throws: AgentError.self) { try await pull(source, reload: reload) }
        #expect(folder.serves(one))
        reload.refuse()
        #expect(try await pull(source, reload: reload).change == .reloaded)
        #expect(source.downloads == 1)
    }

    @Test("refuses a directory that everybody may write to, and a link that it did not make")
    func refusesUnsafePlaces() async throws {
        let bundle = try await TestBundle.make()
        let source = ScriptedSource("one", bundle)
        try folder.setMode(0o777, of: folder.path)
        await #expect(throws: AgentError.self) { try await pull(source) }
        try folder.setMode(0o755, of: folder.path)
        let victim = folder.path + "/victim"
        try folder.write("untouched", to: victim)
        try FileManager.default.createSymbolicLink(atPath: folder.key, withDestinationPath: victim)
        await #expect(throws: AgentError.self) { try await pull(source) }
        #expect(try String(contentsOfFile: victim, encoding: .utf8) == "untouched")
        try FileManager.default.removeItem(atPath: folder.key)
        #expect(try await pull(source).change == .written)
    }

    @Test("gives the version before back, not half a backup, when the reload fails")
    func restoresOverHalfABackup() async throws {
        let (one, two) = (try await TestBundle.make(), try await TestBundle.make())
        let backup = try await TestBundle.make()
        let source = ScriptedSource("one", one)
        let reload = ScriptedReload(folder)
        _ = try await pull(source, reload: reload)
        try FileManager.default.removeItem(atPath: folder.key)
        try folder.write(backup.privateKeyPEM, to: folder.key)
        source.point(to: "two", two)
        reload.refuse(two)
        await #expect(throws: AgentError.self) { try await pull(source, reload: reload) }
        #expect(folder.serves(one))
    }

    @Test("gives a whole backup back when the reload fails: it was what the server had")
    func restoresABackup() async throws {
        let (one, two) = (try await TestBundle.make(), try await TestBundle.make())
        let backup = try await TestBundle.make()
        let source = ScriptedSource("one", one)
        let reload = ScriptedReload(folder)
        _ = try await pull(source, reload: reload)
        for (path, text) in [(folder.key, backup.privateKeyPEM), (folder.crt, backup.certificate.pem)] {
            try FileManager.default.removeItem(atPath: path)
            try folder.write(text, to: path)
        }
        source.point(to: "two", two)
        reload.refuse(two)
        await #expect(throws: AgentError.self) { try await pull(source, reload: reload) }
        #expect(folder.serves(backup))
    }

    @Test("goes on past what cannot be removed from its folder, and says so; a key beside it is removed")
    func leftInPlace() async throws {
        let (one, two) = (try await TestBundle.make(), try await TestBundle.make())
        let source = ScriptedSource("one", one)
        #expect(try await pull(source).warnings.isEmpty)
        let first = try FileManager.default.destinationOfSymbolicLink(atPath: folder.store + "/current")
        // In front of the key in the order of names.
        try FileManager.default.createDirectory(
            atPath: "\(folder.store)/\(first)/a/b", withIntermediateDirectories: true)
        source.point(to: "two", two)
        for change in [CertificatePull.Outcome.Change.written, .unchanged] {
            let outcome = try await pull(source)
            #expect(outcome.change == change)
            #expect(outcome.warnings.count == 1)
            #expect(outcome.warnings.allSatisfy { $0.message.contains("/a could not be removed: it is a directory") })
        }
        #expect(folder.serves(two))
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.store)/\(first)") == ["a"])
        try FileManager.default.removeItem(atPath: "\(folder.store)/\(first)/a")
        #expect(try await pull(source).warnings.isEmpty)
    }

    @Test("takes a certificate that has ended: a load balancer may look at no dates. Says so each time")
    func ended() async throws {
        let source = ScriptedSource("one", try await TestBundle.make(to: .zero))
        for change in [CertificatePull.Outcome.Change.written, .unchanged] {
            let outcome = try await pull(source)
            #expect(outcome.change == change)
            #expect(outcome.warnings.count == 1)
            #expect(outcome.warnings.allSatisfy { $0.message.contains("from one ended on 2027-01-15T08:00:00Z") })
        }
    }

    @Test(
        "refuses one file for two, and its own folder, however they are written",
        arguments: [
            "./server.key", "/server.key", "self/server.key", ".server.key.stackcert/current", ".x.stackcert/y",
        ]
    )
    func refusesSharedPaths(certificate: String) async throws {
        let source = ScriptedSource("one", try await TestBundle.make())
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/self", withDestinationPath: ".")
        try FileManager.default.createDirectory(
            atPath: folder.path + "/.x.stackcert", withIntermediateDirectories: false)
        // As after a first run.
        try FileManager.default.createDirectory(atPath: folder.store, withIntermediateDirectories: false)
        let files = try CertificateFileSet(files: [
            CertificateFile(.privateKey, path: folder.key),
            CertificateFile(.certificate, path: "\(folder.path)/\(certificate)"),
        ])
        do {
            _ = try await pull(source, files: files)
            Issue.record("it was taken")
        } catch let error as AgentError {
            #expect(error.code == .usage)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.store) == [])
        #expect(try await pull(source).change == .written)
    }

    @Test("lets no second agent at the same files")
    func oneAtATime() async throws {
        let bundle = try await TestBundle.make()
        let (folder, clock) = (folder, clock)
        let inner = ScriptedSource("one", bundle)
        struct Nested: BundleSource {
            let inner: ScriptedSource
            let again: @Sendable () async throws -> Void
            func pointer(deadline: UnixInstant) async throws -> String {
                await #expect(throws: AgentError.self) { try await again() }
                return try await inner.pointer(deadline: deadline)
            }
            func bundle(_ pointer: String, deadline: UnixInstant) async throws -> Redacted<[UInt8]> {
                try await inner.bundle(pointer, deadline: deadline)
            }
        }
        let nested = Nested(inner: inner) {
            _ = try await CertificatePull(source: inner, files: folder.pair, reload: nil, clock: clock).run()
        }
        let outcome = try await CertificatePull(source: nested, files: folder.pair, reload: nil, clock: clock).run()
        #expect(outcome.change == .written)
    }

    private func mode(_ path: String) throws -> Int {
        let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        return try FileManager.default.attributesOfItem(atPath: resolved)[.posixPermissions] as? Int ?? 0
    }
}

/// Has the open lock in its own hands afterwards, as a process has between its start and its program.
private final class LockCopyingReload: Reloading {
    private let path: String
    private let descriptors = Mutex<[Int32]>([])

    init(below path: String) { self.path = path }

    deinit { for descriptor in descriptors.withLock({ $0 }) { close(descriptor) } }

    var copies: Int { descriptors.withLock { $0.count } }

    func run() async throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)"),
                target.hasPrefix(path), target.hasSuffix("/lock"), let descriptor = Int32(name)
            else { continue }
            descriptors.withLock { $0.append(dup(descriptor)) }
        }
    }
}
