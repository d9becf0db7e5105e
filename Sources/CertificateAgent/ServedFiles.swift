internal import Diagnostics
internal import FoundationEssentials
internal import Glibc
internal import PKI

/// The files that a server reads, changed all at once.
///
/// A private key and a certificate cannot be renamed together. Therefore each version of them is a folder of its own,
/// beside the private key, and the names that the server knows are links through a link `current`:
///
/// ```
/// server.key  → .server.key.stackcert/current/private-key.pem
/// server.crt  → .server.key.stackcert/current/certificate.pem
/// .server.key.stackcert/current → 3f2a90c1d8e47b65-9c41…
/// ```
///
/// A version is written completely, and then the one link is replaced by a rename. Killed at any point, what the names
/// lead to is the old pair or the new one, and what was begun is removed by the next run. Plain files that stood under
/// the names before are first taken over as a version of their own: each name becomes a link to what it held, and only
/// then the pair changes. A link that is not ours is refused, and so is a directory that others may write to.
struct ServedFiles {
    /// What a version says of itself.
    private struct Record: Codable {
        let pointer: String
        let certificateSHA256: String
        /// The version to go back to if this one cannot be loaded.
        let previous: String?
    }

    /// What the server's names lead to.
    struct Version {
        let pointer: String
        let isLoaded: Bool
        let previous: String?
        let certificate: IssuedCertificate
    }

    private let set: CertificateFileSet
    private let store: Directory
    /// Held until this is gone.
    private let lock: FileLock
    private let places: [(file: CertificateFile, directory: Directory, target: String)]

    /// - Throws: ``AgentError/Code/writeFailed``, before anything is changed that a server could notice.
    init(_ set: CertificateFileSet, calls: SystemCalls) throws {
        self.set = set
        let home = try Directory.open(path: set.secret.directory, calls: calls)
        let folder = ".\(set.secret.name).stackcert"
        if let existing = try home.subdirectory(folder) {
            self.store = existing
        } else {
            self.store = try home.makeDirectory(folder)
            try home.sync()
        }
        self.lock = try store.lock("lock")
        // Servers that do not run as root pass through it; names and certificates are no secret. The mode is set here,
        // since whoever made the folder may have been killed before.
        if try home.entry(folder)?.mode != ServedFiles.openMode { try store.setMode(ServedFiles.openMode) }
        let homePath = try home.resolvedPath()
        self.places = try set.files.map { file in
            let directory = try Directory.open(path: file.directory, calls: calls)
            let isHome = try directory.resolvedPath() == homePath
            let prefix = isHome ? "" : homePath == "/" ? "/" : homePath + "/"
            let target = "\(prefix)\(folder)/\(ServedFiles.current)/\(file.role.rawValue)"
            try ServedFiles.check(file, in: directory, target: target)
            return (file, directory, target)
        }
    }

    /// A name may be free, a plain file, or our own link.
    private static func check(_ file: CertificateFile, in directory: Directory, target: String) throws {
        guard let entry = try directory.entry(file.name) else { return }
        switch entry.kind {
        case .file:
            return
        case .link:
            guard entry.user == 0 || entry.user == geteuid(), directory.linkTarget(file.name) == target else {
                throw AgentError(.writeFailed, "\(file.path) is a link that stackcert did not make: remove it.")
            }
        case .directory, .other:
            throw AgentError(.writeFailed, "\(file.path) is in the way: it is not a file.")
        }
    }

    // MARK: What is there

    /// The version in use; nil when there is none, or when a file of it is missing, damaged, or has not the owner, mode
    /// or name that it should have.
    func currentVersion() throws -> Version? {
        guard let name = store.linkTarget(ServedFiles.current), let folder = try versionFolder(name),
            let record = try record(in: folder), try placesAreLinked()
        else { return nil }
        for file in set.files {
            guard let entry = try folder.entry(file.role.rawValue), entry.kind == .file,
                entry.mode == set.mode(of: file.role),
                set.owner == nil || set.owner == FileOwner(user: entry.user, group: entry.group)
            else { return nil }
        }
        guard let certificate = try matchingCertificate(in: folder), certificate.fingerprint == record.certificateSHA256
        else { return nil }
        return Version(
            pointer: record.pointer, isLoaded: try folder.entry(ServedFiles.loaded) != nil,
            previous: record.previous, certificate: certificate)
    }

    private func placesAreLinked() throws -> Bool {
        try places.allSatisfy { place in
            try place.directory.entry(place.file.name)?.kind == .link
                && place.directory.linkTarget(place.file.name) == place.target
        }
    }

    private func versionFolder(_ name: String) throws -> Directory? {
        name.contains("/") ? nil : try store.subdirectory(name)
    }

    private func record(in folder: Directory) throws -> Record? {
        guard let bytes = try folder.contents(ServedFiles.record)?.exposed else { return nil }
        return try? JSONDecoder().decode(Record.self, from: Data(bytes))
    }

    /// The certificate, if the private key beside it is its own.
    private func matchingCertificate(in folder: Directory) throws -> IssuedCertificate? {
        func text(_ role: CertificateFile.Role) throws -> Redacted<String> {
            Redacted(String(decoding: try folder.contents(role.rawValue)?.exposed ?? [], as: UTF8.self))
        }
        let key: Redacted<String>
        let certificates: String
        if set.secret.role == .combined {
            let combined = try text(.combined).exposed
            let end = combined.firstRange(of: "-----BEGIN CERTIFICATE")?.lowerBound ?? combined.endIndex
            key = Redacted(String(combined[..<end]))
            certificates = String(combined[end...])
        } else {
            key = try text(.privateKey)
            certificates = try text(.certificate).exposed
        }
        guard let pair = try? KeyPair(pkcs8PEM: key.exposed),
            let certificate = try? IssuedCertificate.chain(pem: certificates).first,
            pair.publicKey == certificate.publicKey
        else { return nil }
        return certificate
    }

    // MARK: Changing it

    /// Makes a certificate the one in use.
    func install(_ new: ServerCertificate, pointer: String) throws {
        try takeOverPlainFiles()
        let previous = try versionToGoBackTo()
        try removeStale(keeping: previous)
        let name = "\(new.certificate.fingerprint.prefix(16))-\(UInt64.random(in: .min ... .max))"
        let folder = try store.makeDirectory(name)
        for file in set.files {
            try folder.create(
                file.role.rawValue, new.contents(of: file.role, hasChainFile: set.hasChainFile), owner: set.owner,
                mode: set.mode(of: file.role))
        }
        let record = Record(
            pointer: pointer, certificateSHA256: new.certificate.fingerprint, previous: previous)
        let text: [UInt8]
        do {
            text = Array(try JSONEncoder().encode(record))
        } catch {
            throw AgentError(.writeFailed, "The version could not be described.", cause: error)
        }
        try folder.create(ServedFiles.record, Redacted(text), owner: nil, mode: 0o444)
        try folder.setMode(ServedFiles.openMode)
        try folder.sync()
        for place in places where place.directory.linkTarget(place.file.name) != place.target {
            try place.directory.link(place.file.name, to: place.target)
        }
        try store.link(ServedFiles.current, to: name)
    }

    /// Notes that the server uses the current version, and removes the others: old keys are of no use to anybody.
    func markLoaded() throws {
        guard let name = store.linkTarget(ServedFiles.current), let folder = try versionFolder(name) else { return }
        if try folder.entry(ServedFiles.loaded) == nil {
            try folder.create(ServedFiles.loaded, Redacted([]), owner: nil, mode: 0o444)
            try folder.sync()
        }
        try removeStale(keeping: nil)
    }

    /// Makes the version before the current one the current one again. False when there is none.
    func goBack() throws -> Bool {
        guard let name = store.linkTarget(ServedFiles.current), let folder = try versionFolder(name),
            let previous = try record(in: folder)?.previous, try versionFolder(previous) != nil
        else { return false }
        try store.link(ServedFiles.current, to: previous)
        return true
    }

    /// What stands under the names before the first version becomes a version, so that names can become links without a
    /// server seeing half a pair.
    private func takeOverPlainFiles() throws {
        guard store.linkTarget(ServedFiles.current) == nil else { return }
        let plain = try places.compactMap { place in
            try place.directory.entry(place.file.name).flatMap { $0.kind == .file ? (place, $0) : nil }
        }
        guard !plain.isEmpty else { return }
        let name = "before-\(UInt64.random(in: .min ... .max))"
        let folder = try store.makeDirectory(name)
        for (place, entry) in plain {
            guard let bytes = try place.directory.contents(place.file.name) else { continue }
            try folder.create(
                place.file.role.rawValue, bytes, owner: FileOwner(user: entry.user, group: entry.group),
                mode: place.file.role.isSecret ? entry.mode & 0o770 : entry.mode & 0o775)
        }
        try folder.create(ServedFiles.loaded, Redacted([]), owner: nil, mode: 0o444)
        try folder.setMode(ServedFiles.openMode)
        try folder.sync()
        try store.link(ServedFiles.current, to: name)
    }

    /// The version that servers are known to have loaded last.
    private func versionToGoBackTo() throws -> String? {
        guard let name = store.linkTarget(ServedFiles.current), let folder = try versionFolder(name) else { return nil }
        if try folder.entry(ServedFiles.loaded) != nil {
            let isIntact = try record(in: folder) == nil || matchingCertificate(in: folder) != nil
            return isIntact ? name : nil
        }
        guard let previous = try record(in: folder)?.previous, try versionFolder(previous) != nil else { return nil }
        return previous
    }

    private func removeStale(keeping kept: String?) throws {
        let current = store.linkTarget(ServedFiles.current)
        for name in try store.names() where ![current, kept, ServedFiles.current, "lock"].contains(name) {
            if try store.entry(name)?.kind == .directory {
                try store.removeDirectory(name)
            } else {
                try store.remove(name)
            }
        }
    }

    private static let current = "current"
    private static let record = "version.json"
    private static let loaded = "loaded"
    private static let openMode: UInt32 = 0o755
}
