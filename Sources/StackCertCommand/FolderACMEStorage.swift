import CertificateIssuance
import Diagnostics
import FoundationEssentials
import Glibc
import Timekeeping

/// Accounts and orders in a folder of this machine that only its owner can read.
struct FolderACMEStorage: ACMEStorage {
    let path: String

    /// - Parameter path: made when it is not there; `~` is the home directory.
    init(_ path: String) throws {
        let home = ProcessInfo.processInfo.environment["HOME"] ?? ""
        self.path = path == "~" || path.hasPrefix("~/") ? home + path.dropFirst() : path
        for part in ["", "/accounts", "/orders", "/locks", "/renewal-info"] {
            guard unsafe mkdir(self.path + part, 0o700) == 0 || errno == EEXIST else {
                throw Self.failure(self.path + part)
            }
        }
        var status = stat()
        guard unsafe stat(self.path, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw CommandError(
                .unusable, "\(self.path) holds private keys, and others may look into it: chmod 700 \(self.path)")
        }
    }

    /// The names of what is below a folder, in their order.
    func names(in folder: String) throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")
                .filter { $0.hasSuffix(".json") }.sorted().map { "\(folder)/\($0)" }
        } catch {
            throw CommandError(.unusable, "\(path)/\(folder) cannot be read.", cause: error)
        }
    }

    func read(_ name: String, deadline: UnixInstant) async throws -> (bytes: Redacted<[UInt8]>, tag: String)? {
        let file = "\(path)/\(name)"
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        do {
            let bytes = Array(try Data(contentsOf: URL(filePath: file)))
            // The content itself tells it from any other.
            return (Redacted(bytes), String(decoding: bytes, as: UTF8.self))
        } catch {
            throw CommandError(.unusable, "\(file) cannot be read.", cause: error)
        }
    }

    func write(
        _ bytes: Redacted<[UInt8]>, as name: String, replacing tag: String?, deadline: UnixInstant
    ) async throws -> String? {
        let lock = unsafe open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw Self.failure("\(path)/lock") }
        defer {
            flock(lock, LOCK_UN)
            close(lock)
        }
        // Held for as long as a small file takes to be written.
        guard flock(lock, LOCK_EX) == 0 else { throw Self.failure("\(path)/lock") }
        guard try await read(name, deadline: deadline)?.tag == tag else { return nil }
        try replace("\(path)/\(name)", with: bytes)
        return String(decoding: bytes.exposed, as: UTF8.self)
    }

    /// Completely or not at all, and never for others to see. Call it with the lock held: what a killed process leaves
    /// has the same name for the next one, which overwrites it.
    private func replace(_ file: String, with bytes: Redacted<[UInt8]>) throws {
        let temporary = "\(file).new"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure(temporary) }
        defer { close(descriptor) }
        var rest = bytes.exposed[...]
        while !rest.isEmpty {
            // pwrite and not write: a test that counts the calls takes no other thread's for one of these.
            let written = unsafe rest.withUnsafeBytes {
                unsafe pwrite(descriptor, $0.baseAddress, $0.count, off_t(rest.startIndex))
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw Self.failure(temporary) }
            rest = rest.dropFirst(written)
        }
        guard fsync(descriptor) == 0, unsafe rename(temporary, file) == 0 else { throw Self.failure(file) }
    }

    private static func failure(_ file: String) -> CommandError {
        CommandError(.writeFailed, "\(file) could not be written: system error \(errno).")
    }
}
