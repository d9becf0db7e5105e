internal import Glibc

/// What stands before every system call that changes something on disk: nothing, or a test that ends the run there.
package struct SystemCalls: Sendable {
    /// Gets the call's name. What it throws ends the run as a kill would: nothing is cleaned up behind it.
    let before: @Sendable (_ call: String) throws -> Void

    package static let real = SystemCalls { _ in }

    package init(before: @escaping @Sendable (_ call: String) throws -> Void) {
        self.before = before
    }

    /// Makes a call whose result is negative when it failed.
    ///
    /// - Parameter what: what was being done, as in "could not be …".
    @discardableResult
    func make(
        _ name: String, _ subject: String, _ what: String, _ call: () -> Int32
    ) throws -> Int32 {
        try before(name)
        while true {
            let result = call()
            if result >= 0 { return result }
            let number = errno
            if number == EINTR { continue }
            throw SystemCalls.failure(subject, what, number)
        }
    }

    static func failure(_ subject: String, _ what: String, _ number: Int32) -> AgentError {
        AgentError(.writeFailed, "\(subject) could not be \(what): \(reason(number)).")
    }

    private static func reason(_ number: Int32) -> String {
        switch number {
        case ENOENT: "there is no such directory; make it first"
        case EACCES, EPERM: "this user may not; run as root or as the directory's owner"
        case ENOSPC, EDQUOT: "the disk is full"
        case EROFS: "the file system is read-only"
        case ELOOP, ENOTDIR: "it, or what leads to it, is not a directory"
        case EISDIR, ENOTEMPTY: "it is a directory that stackcert did not make, or holds such a one"
        case EEXIST: "something is in its place"
        default: "system error \(number)"
        }
    }
}
