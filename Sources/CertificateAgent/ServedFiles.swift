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
/// lead to is the old pair or the new one, and what was begun is removed by the next run. Where a plain file stands under
/// a name, at the first run or because a backup was restored, what all the names show is first taken over as a version of
/// its own: each name becomes a link to what it showed, and only then the pair changes. A link that is not ours is
/// refused, and so is a directory that others may write to.
struct ServedFiles {
    /// What a version says of itself.
    struct Record: Codable {
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

    let set: CertificateFileSet
    let store: Directory
    /// Held until this is gone.
    private let lock: FileLock
    let places: [(file: CertificateFile, directory: Directory, target: String)]

    /// - Throws: ``AgentError/Code/writeFailed``, before anything is changed that a server could notice.
    init(_ set: CertificateFileSet, calls: SystemCalls) throws {
        self.set = set
        let home = try Directory.open(path: set.secret.directory, calls: calls)
        let homePath = try home.resolvedPath()
        let directories = try set.files.map { try Directory.open(path: $0.directory, calls: calls) }
        try ServedFiles.checkPaths(of: set.files, in: directories)
        let folder = ".\(set.secret.name)\(ServedFiles.storeSuffix)"
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
        self.places = try zip(set.files, directories).map { file, directory in
            let isHome = try directory.resolvedPath() == homePath
            let prefix = isHome ? "" : homePath == "/" ? "/" : homePath + "/"
            let target = "\(prefix)\(folder)/\(ServedFiles.current)/\(file.role.rawValue)"
            try ServedFiles.check(file, in: directory, target: target)
            return (file, directory, target)
        }
    }

    /// Each file needs a path of its own, outside the folders of versions, however it is written.
    private static func checkPaths(of files: [CertificateFile], in directories: [Directory]) throws {
        var paths = Set<String>()
        for (file, directory) in zip(files, directories) {
            let parents = try directory.resolvedPath()
            let path = parents == "/" ? "/\(file.name)" : "\(parents)/\(file.name)"
            guard !path.split(separator: "/").contains(where: { $0.hasPrefix(".") && $0.hasSuffix(storeSuffix) }) else {
                throw AgentError(
                    .usage, "\(file.path) is in a folder where stackcert keeps versions: give a path outside of it.")
            }
            guard paths.insert(path).inserted else {
                throw AgentError(.usage, "\(path) is given for two files: give each of them a path of its own.")
            }
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

    func versionFolder(_ name: String) throws -> Directory? {
        name.contains("/") ? nil : try store.subdirectory(name)
    }

    func record(in folder: Directory) throws -> Record? {
        guard let bytes = try folder.contents(ServedFiles.record)?.exposed else { return nil }
        return try? JSONDecoder().decode(Record.self, from: Data(bytes))
    }

    /// The certificate, if the private key beside it is its own.
    func matchingCertificate(in folder: Directory) throws -> IssuedCertificate? {
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

    static let storeSuffix = ".stackcert"
    static let current = "current"
    static let record = "version.json"
    static let loaded = "loaded"
    static let openMode: UInt32 = 0o755
}
