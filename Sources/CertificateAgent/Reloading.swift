internal import CGlibcCompat
internal import FoundationEssentials
internal import Glibc

/// How a server is told that its files have changed.
package protocol Reloading: Sendable {
    /// - Throws: ``AgentError/Code/reloadFailed``.
    func run() async throws
}

/// A command for `/bin/sh -c`. What it prints goes to standard error. It gets no other open file of this process, no
/// credentials from its environment, and every signal as the system delivers it: what it starts may run for years.
package struct ReloadCommand: Reloading {
    private let command: String
    private let timeout: Duration
    private let environment: [String: String]

    /// - Parameter environment: where the command's comes from: what it holds of credentials is left out. This process's
    ///   own unless given.
    package init(_ command: String, timeout: Duration, environment: [String: String]? = nil) {
        self.command = command
        self.timeout = timeout
        self.environment = (environment ?? ProcessInfo.processInfo.environment).filter {
            !Self.credentials.contains($0.key)
        }
    }

    package func run() async throws {
        let process = try start()
        let limit = ContinuousClock.now.advanced(by: timeout)
        var pause = Duration.milliseconds(5)
        while true {
            var status: Int32 = 0
            let waited = unsafe waitpid(process, &status, WNOHANG)
            if waited == process { return try check(status) }
            guard waited == 0 || errno == EINTR else {
                throw AgentError(.reloadFailed, "The reload command could not be watched.")
            }
            guard ContinuousClock.now < limit else {
                // The whole group: a shell's children would go on.
                kill(-process, SIGKILL)
                unsafe waitpid(process, &status, 0)
                throw AgentError(.reloadFailed, "The reload command did not end within \(timeout) and was killed.")
            }
            try? await ContinuousClock().sleep(for: pause)
            pause = min(pause * 2, .milliseconds(200))
        }
    }

    /// The low seven bits are the signal that ended it, the next eight the status that it ended with.
    private func check(_ status: Int32) throws(AgentError) {
        let signal = status & 0x7F
        guard signal == 0 else {
            throw AgentError(.reloadFailed, "The reload command was ended by signal \(signal).")
        }
        let code = (status >> 8) & 0xFF
        guard code == 0 else { throw AgentError(.reloadFailed, "The reload command failed with status \(code).") }
    }

    private func start() throws(AgentError) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        // Standard output is the tool's own, and may be JSON.
        unsafe posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
        unsafe posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        var process: pid_t = 0
        let words = unsafe Self.copies(["/bin/sh", "-c", command])
        let variables = unsafe Self.copies(environment.map { "\($0.key)=\($0.value)" })
        defer { unsafe (words + variables).forEach { unsafe free($0) } }
        let failure = unsafe posix_spawn(
            &process, "/bin/sh", &actions, &attributes, words + [nil], variables + [nil])
        guard failure == 0 else {
            throw AgentError(.reloadFailed, "The reload command could not be started: system error \(failure).")
        }
        return process
    }

    private static func copies(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        unsafe texts.map { (text: String) in unsafe strdup(text) }
    }

    /// Variables that hold credentials themselves. Files that others name are protected by their permissions.
    private static let credentials: Set<String> = [
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    ]
}
