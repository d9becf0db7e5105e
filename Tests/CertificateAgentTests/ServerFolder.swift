import CertificateAgent
import Diagnostics
import Foundation
import PKI
import Synchronization
import Timekeeping

/// A bundle for a test, made once: keys take time.
struct TestBundle: Sendable {
    let json: Redacted<[UInt8]>
    let certificate: IssuedCertificate
    let privateKeyPEM: String

    static let now = UnixInstant(seconds: 1_800_000_000)

    static func make(from start: Duration = .days(-1), to end: Duration = .days(30)) async throws -> TestBundle {
        let key = try await KeyPair.generate(.ecP256)
        let certificate = try key.selfSigned(
            SelfSignedProfile(
                names: [.dns(try DomainName("app.example.com"))], commonName: "app.example.com",
                notBefore: now.advanced(by: start), notAfter: now.advanced(by: end)))
        return try TestBundle(key: key, certificate: certificate, publicKey: key.publicKey)
    }

    init(key: KeyPair, certificate: IssuedCertificate, publicKey: PublicKeyInfo, chain: String = "") throws {
        let members = [
            "private_key": key.privateKeyPEM.exposed, "certificate": certificate.pem, "public_key": publicKey.pem,
            "chain": chain, "app_name": "app",
        ]
        self.json = Redacted(Array(try JSONSerialization.data(withJSONObject: members)))
        self.certificate = certificate
        self.privateKeyPEM = key.privateKeyPEM.exposed
    }
}

/// A directory with a server's two files.
final class ServerFolder: Sendable {
    let path: String
    var key: String { path + "/server.key" }
    var crt: String { path + "/server.crt" }

    init() throws {
        path = NSTemporaryDirectory() + "stackcert-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var pair: CertificateFileSet {
        get throws {
            try CertificateFileSet(files: [
                CertificateFile(.privateKey, path: key), CertificateFile(.certificate, path: crt),
            ])
        }
    }

    func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    func setMode(_ mode: Int, of path: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    /// What a server reads that starts now.
    func served() -> (key: String?, crt: String?) {
        (try? String(contentsOfFile: key, encoding: .utf8), try? String(contentsOfFile: crt, encoding: .utf8))
    }

    /// True for no files at all or a pair that belongs together.
    var isConsistent: Bool {
        let (key, crt) = served()
        if key == nil, crt == nil { return true }
        guard let key, let crt, let pair = try? KeyPair(pkcs8PEM: key),
            let certificate = try? IssuedCertificate(pem: crt)
        else { return false }
        return pair.publicKey == certificate.publicKey
    }

    func serves(_ bundle: TestBundle) -> Bool {
        let (key, crt) = served()
        return key == bundle.privateKeyPEM && crt == bundle.certificate.pem
    }

    var store: String { path + "/.server.key.stackcert" }

    /// Every file below that holds a private key, and everybody may read.
    var exposedKeys: [String] {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return names.filter { name in
            let full = path + "/" + name
            let attributes = try? FileManager.default.attributesOfItem(atPath: full)
            guard attributes?[.type] as? FileAttributeType == .typeRegular,
                let mode = attributes?[.posixPermissions] as? Int, mode & 0o7 != 0,
                let text = try? String(contentsOfFile: full, encoding: .utf8)
            else { return false }
            return text.contains("PRIVATE KEY")
        }
    }
}

/// Says what the pointer is and which bundle it names, until the script ends.
final class ScriptedSource: BundleSource {
    private let state: Mutex<(pointer: String, bundles: [String: TestBundle], downloads: Int, error: AgentError?)>

    init(_ pointer: String, _ bundle: TestBundle) {
        state = Mutex((pointer, [pointer: bundle], 0, nil))
    }

    var downloads: Int { state.withLock { $0.downloads } }

    func point(to pointer: String, _ bundle: TestBundle) {
        state.withLock {
            $0.pointer = pointer
            $0.bundles[pointer] = bundle
        }
    }

    func fail(_ error: AgentError?) { state.withLock { $0.error = error } }

    func pointer(deadline: UnixInstant) async throws -> String {
        try state.withLock {
            if let error = $0.error { throw error }
            return $0.pointer
        }
    }

    func bundle(_ pointer: String, deadline: UnixInstant) async throws -> Redacted<[UInt8]> {
        try state.withLock {
            $0.downloads += 1
            guard let bundle = $0.bundles[pointer] else { throw AgentError(.bundleInvalid, "There is none.") }
            return bundle.json
        }
    }
}

/// A server that loads its files when it is told to, and may refuse.
final class ScriptedReload: Reloading {
    private let state = Mutex((refused: Set<String>(), seen: [String]()))
    private let folder: ServerFolder

    init(_ folder: ServerFolder) { self.folder = folder }

    /// The certificates that were in place at each call.
    var seen: [String] { state.withLock { $0.seen } }

    func refuse(_ bundles: TestBundle...) {
        state.withLock { $0.refused = Set(bundles.map(\.certificate.pem)) }
    }

    func run() async throws {
        let crt = folder.served().crt ?? ""
        try state.withLock {
            $0.seen.append(crt)
            if $0.refused.contains(crt) { throw AgentError(.reloadFailed, "The server refuses.") }
        }
    }
}

/// Closed until it is opened.
final class ScriptedGate: UpdateGate {
    private let state = Mutex(false)

    func open() { state.withLock { $0 = true } }

    func isOpen(deadline: UnixInstant) async throws -> Bool { state.withLock { $0 } }
}
