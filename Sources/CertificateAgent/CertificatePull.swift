package import PKI
package import Timekeeping

/// One look at what the server should have, and the change when it has something else.
package struct CertificatePull: Sendable {
    package struct Outcome: Sendable {
        package enum Change: String, Sendable {
            case unchanged
            case written
            /// The files were there already, but the server had not been told.
            case reloaded
        }

        package let change: Change
        package let pointer: String
        package let certificate: IssuedCertificate
    }

    private let source: any BundleSource
    private let files: CertificateFileSet
    private let reload: (any Reloading)?
    private let calls: SystemCalls
    private let clock: any WallClock
    private let timeout: Duration

    /// - Parameters:
    ///   - reload: how the server is told; nil when it looks by itself.
    ///   - timeout: how long AWS may take in all.
    package init(
        source: any BundleSource, files: CertificateFileSet, reload: (any Reloading)?, calls: SystemCalls = .real,
        clock: any WallClock, timeout: Duration = .seconds(60)
    ) {
        self.source = source
        self.files = files
        self.reload = reload
        self.calls = calls
        self.clock = clock
        self.timeout = timeout
    }

    /// Downloads only when the pointer names another bundle, or when the files are not as they should be: a bundle
    /// never changes.
    ///
    /// - Throws: ``AgentError``, or `CancellationError`. The server has what it had before.
    package func run() async throws -> Outcome {
        let deadline = clock.now.advanced(by: timeout)
        // The files come first: they tell of a mistake at once, AWS may take its time.
        let served = try ServedFiles(files, calls: calls)
        let pointer = try await source.pointer(deadline: deadline)
        if let version = try served.currentVersion(), version.pointer == pointer {
            // Killed between the change and its reload, the run before has left the second to us.
            let isDue = reload != nil && !version.isLoaded
            try await load(served)
            return Outcome(change: isDue ? .reloaded : .unchanged, pointer: pointer, certificate: version.certificate)
        }
        let bundle = try await source.bundle(pointer, deadline: deadline)
        let new = try ServerCertificate(bundle: bundle, now: clock.now)
        try served.install(new, pointer: pointer)
        try await load(served)
        return Outcome(change: .written, pointer: pointer, certificate: new.certificate)
    }

    /// Has the server load the current version unless it did so already. If it will not, it gets back what it had.
    private func load(_ served: ServedFiles) async throws {
        guard let reload, try served.currentVersion()?.isLoaded == false else { return try served.markLoaded() }
        do {
            try await reload.run()
        } catch let error as AgentError {
            guard try served.goBack() else {
                throw AgentError(
                    .reloadFailed, "\(error.message) There are no earlier files to go back to: the new ones stay.",
                    cause: error)
            }
            do {
                try await reload.run()
            } catch let second as AgentError {
                throw AgentError(
                    .reloadFailed,
                    "\(error.message) The files before it are back, but could not be loaded again either: see the "
                        + "server's own log.", cause: second)
            }
            throw AgentError(
                .reloadFailed, "\(error.message) The files before it are back and loaded again.", cause: error)
        }
        try served.markLoaded()
    }
}
