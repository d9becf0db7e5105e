internal import Diagnostics
internal import Glibc

/// An open directory. Everything is named relative to it, so that nobody can put another directory in its place
/// between two steps.
final class Directory: Sendable {
    struct Entry: Hashable {
        enum Kind { case file, link, directory, other }
        let kind: Kind
        let user: UInt32
        let group: UInt32
        /// Permissions alone.
        let mode: UInt32
    }

    /// For messages.
    let path: String
    var name: String { String(path.split(separator: "/").last ?? "") }
    private let descriptor: Int32
    let calls: SystemCalls

    private init(path: String, descriptor: Int32, calls: SystemCalls) {
        self.path = path
        self.descriptor = descriptor
        self.calls = calls
    }

    deinit { close(descriptor) }

    /// Opens a directory that nobody else can change.
    ///
    /// - Throws: ``AgentError/Code/writeFailed`` when it is missing, somebody else's, or everybody may write to it.
    static func open(path: String, calls: SystemCalls) throws -> Directory {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemCalls.failure(path, "opened", errno) }
        return try Directory(path: path, descriptor: descriptor, calls: calls).checked()
    }

    /// A directory in this one; nil when there is none. A link is not followed.
    func subdirectory(_ name: String) throws -> Directory? {
        let path = "\(path)/\(name)"
        let opened = unsafe openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard opened >= 0 else {
            if errno == ENOENT { return nil }
            throw SystemCalls.failure(path, "opened", errno)
        }
        return try Directory(path: path, descriptor: opened, calls: calls).checked()
    }

    private func checked() throws -> Directory {
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0 else { throw SystemCalls.failure(path, "read", errno) }
        guard facts.st_uid == 0 || facts.st_uid == geteuid() else {
            throw AgentError(
                .writeFailed, "\(path) belongs to another user, who could exchange the files: use root's directory.")
        }
        guard facts.st_mode & 0o002 == 0 else {
            throw AgentError(
                .writeFailed, "\(path) can be written by everybody: chmod o-w, or use another directory.")
        }
        return self
    }

    /// Its path without links and `..`.
    func resolvedPath() throws -> String {
        guard let resolved = unsafe realpath(path, nil) else { throw SystemCalls.failure(path, "read", errno) }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// What stands under a name, a link itself and not what it leads to; nil when nothing does.
    func entry(_ name: String) throws -> Entry? {
        var facts = stat()
        guard unsafe fstatat(descriptor, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return nil }
            throw SystemCalls.failure("\(path)/\(name)", "read", errno)
        }
        let kind: Entry.Kind =
            switch facts.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFLNK: .link
            case S_IFDIR: .directory
            default: .other
            }
        return Entry(kind: kind, user: facts.st_uid, group: facts.st_gid, mode: facts.st_mode & 0o7777)
    }

    /// Where a link leads; nil when there is none.
    func linkTarget(_ name: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.count
        let length = unsafe buffer.withUnsafeMutableBytes { bytes -> Int in
            guard let start = bytes.baseAddress else { return -1 }
            return unsafe readlinkat(descriptor, name, start.assumingMemoryBound(to: CChar.self), count)
        }
        return length < 0 ? nil : String(decoding: buffer.prefix(length), as: UTF8.self)
    }

    /// A file's bytes; nil when there is none. A link is not followed.
    func contents(_ name: String) throws -> Redacted<[UInt8]>? {
        let file = unsafe openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw SystemCalls.failure("\(path)/\(name)", "read", errno)
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemCalls.failure("\(path)/\(name)", "read", errno)
            }
            if count == 0 { return Redacted(bytes) }
            bytes += buffer.prefix(count)
            guard bytes.count <= Directory.largestFile else {
                throw AgentError(.writeFailed, "\(path)/\(name) is too large for a certificate: move it away.")
            }
        }
    }

    func names() throws -> [String] {
        let copy = unsafe openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = unsafe fdopendir(copy) else { throw SystemCalls.failure(path, "read", errno) }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let found = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &found.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static let largestFile = 1 << 20
}

// What changes something.
extension Directory {
    /// A new file, complete and with its owner and permissions when this returns. Until then only this user may read
    /// it, whatever the umask is.
    func create(_ name: String, _ bytes: Redacted<[UInt8]>, owner: FileOwner?, mode: UInt32) throws {
        let path = "\(path)/\(name)"
        let file = try calls.make("openat", path, "made") {
            unsafe openat(descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        }
        defer { close(file) }
        var rest = bytes.exposed[...]
        var offset = 0
        while !rest.isEmpty {
            // Not write, which goes to sockets as well: tests find the calls by their names.
            let written = try calls.make("pwrite", path, "written") {
                let count = unsafe rest.withUnsafeBytes { unsafe pwrite(file, $0.baseAddress, $0.count, offset) }
                return Int32(truncatingIfNeeded: count)
            }
            rest = rest.dropFirst(Int(written))
            offset += Int(written)
        }
        if let owner {
            try calls.make("fchown", path, "given to its owner") { fchown(file, owner.user, owner.group) }
        }
        try calls.make("fchmod", path, "given its mode") { fchmod(file, mode) }
        try calls.make("fsync", path, "written") { fsync(file) }
    }

    /// A new directory that only this user can enter.
    func makeDirectory(_ name: String) throws -> Directory {
        try calls.make("mkdirat", "\(path)/\(name)", "made") { unsafe mkdirat(descriptor, name, 0o700) }
        guard let made = try subdirectory(name) else { throw SystemCalls.failure("\(path)/\(name)", "opened", ENOENT) }
        return made
    }

    func setMode(_ mode: UInt32) throws {
        try calls.make("fchmod", path, "given its mode") { fchmod(descriptor, mode) }
    }

    func sync() throws {
        try calls.make("fsync", path, "written") { fsync(descriptor) }
    }

    /// Puts a link under a name, in the place of what was there, in one step.
    func link(_ name: String, to target: String) throws {
        let temporary = "\(Self.beginning(of: name))\(UInt64.random(in: .min ... .max))\(Self.linkEnding)"
        try calls.make("symlinkat", "\(path)/\(name)", "made") { unsafe symlinkat(target, descriptor, temporary) }
        do {
            try calls.make("renameat", "\(path)/\(name)", "put in its place") {
                unsafe renameat(descriptor, temporary, descriptor, name)
            }
        } catch let error as AgentError {
            try remove(temporary)
            throw error
        }
        try sync()
    }

    /// Removes what ``link(_:to:)`` leaves when it is killed.
    func removeLeftoverLinks(of name: String, to target: String) throws {
        for left in try names() where left.hasPrefix(Self.beginning(of: name)) && left.hasSuffix(Self.linkEnding) {
            if linkTarget(left) == target { try remove(left) }
        }
    }

    private static func beginning(of name: String) -> String { ".\(name)." }
    private static let linkEnding = ".link"

    func remove(_ name: String) throws {
        try calls.make("unlinkat", "\(path)/\(name)", "removed") { unsafe unlinkat(descriptor, name, 0) }
    }

    /// Removes a directory of files. What cannot be removed does not keep the rest.
    func removeDirectory(_ name: String) throws {
        var failure: AgentError?
        if let directory = try subdirectory(name) {
            for file in try directory.names() {
                do {
                    try directory.remove(file)
                } catch let error as AgentError {
                    failure = failure ?? error
                }
            }
        }
        if let failure { throw failure }
        try calls.make("unlinkat", "\(path)/\(name)", "removed") { unsafe unlinkat(descriptor, name, AT_REMOVEDIR) }
    }

    /// Keeps other agents away until the returned lock is gone.
    func lock(_ name: String) throws -> FileLock {
        let path = "\(path)/\(name)"
        let file = unsafe openat(descriptor, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemCalls.failure(path, "made", errno) }
        let lock = FileLock(file)
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            throw AgentError(.writeFailed, "Another stackcert pull is at work on these files: try again later.")
        }
        return lock
    }
}

/// A lock, held for as long as this lives. A killed process's is gone with it.
final class FileLock: Sendable {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit {
        // Closing alone would leave it to a process that was being started meanwhile: until that runs its program it has
        // the file open as well.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
