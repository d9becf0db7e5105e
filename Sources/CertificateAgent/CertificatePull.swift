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
            /// There is another bundle, but the stack's update may still be rolled back.
            case waiting
        }

        package let change: Change
        /// The S3 key of the bundle that the server has.
        package let pointer: String
        package let certificate: IssuedCertificate
        /// For standard error: what somebody has to look at although the server has its certificate.
        package let warnings: [AgentError]
    }

    private let source: any BundleSource
    private let files: CertificateFileSet
    private let reload: (any Reloading)?
    private let acknowledgement: (any Acknowledging)?
    private let gate: (any UpdateGate)?
    private let calls: SystemCalls
    private let clock: any WallClock
    private let timeout: Duration

    /// - Parameters:
    ///   - reload: how the server is told; nil when it looks by itself.
    ///   - acknowledgement: where it is said what the server serves; nil when nobody waits for it.
    ///   - gate: says when a certificate may be replaced by another one; nil: at any time.
    ///   - timeout: how long AWS may take in all.
    package init(
        source: any BundleSource, files: CertificateFileSet, reload: (any Reloading)?,
        acknowledgement: (any Acknowledging)? = nil, gate: (any UpdateGate)? = nil, calls: SystemCalls = .real,
        clock: any WallClock, timeout: Duration = .seconds(60)
    ) {
        self.source = source
        self.files = files
        self.reload = reload
        self.acknowledgement = acknowledgement
        self.gate = gate
        self.calls = calls
        self.clock = clock
        self.timeout = timeout
    }

    /// Downloads only when the pointer names another bundle, or when the files are not as they should be: a bundle
    /// never changes.
    ///
    /// - Throws: ``AgentError``, or `CancellationError`. The server has what it had before, unless the message says
    ///   that it could only not be acknowledged.
    package func run() async throws -> Outcome {
        let deadline = clock.now.advanced(by: timeout)
        let outcome = try await bringUpToDate(deadline: deadline)
        // Only now: what is acknowledged is served. Each time, since who falls silent is taken to be gone.
        try await acknowledgement?.acknowledge(outcome.pointer, at: clock.now, deadline: deadline)
        return outcome
    }

    private func bringUpToDate(deadline: UnixInstant) async throws -> Outcome {
        // The files come first: they tell of a mistake at once, AWS may take its time.
        let served = try ServedFiles(files, calls: calls)
        let pointer = try await source.pointer(deadline: deadline)
        if let version = try served.currentVersion() {
            let isWaiting =
                if version.pointer != pointer, let gate { try await !gate.isOpen(deadline: deadline) } else { false }
            if version.pointer == pointer || isWaiting {
                // Killed between the change and its reload, the run before has left the second to us.
                let isDue = reload != nil && !version.isLoaded
                let warnings = try await load(served)
                return outcome(
                    isDue ? .reloaded : isWaiting ? .waiting : .unchanged, version.pointer, version.certificate,
                    warnings)
            }
        }
        let bundle = try await source.bundle(pointer, deadline: deadline)
        let new = try ServerCertificate(bundle: bundle, now: clock.now)
        try served.install(new, pointer: pointer)
        let warnings = try await load(served)
        return outcome(.written, pointer, new.certificate, warnings)
    }

    private func outcome(
        _ change: Outcome.Change, _ pointer: String, _ certificate: IssuedCertificate, _ left: [AgentError]
    ) -> Outcome {
        var warnings = left.map {
            AgentError($0.code, "\($0.message) It may hold an earlier private key: remove it.", cause: $0)
        }
        // A Classic Load Balancer looks at no dates: a server without files serves nobody, one with these most.
        if certificate.notAfter <= clock.now {
            warnings.append(
                AgentError(
                    .bundleInvalid,
                    "The certificate from \(pointer) ended on \(certificate.notAfter.iso8601): clients that check dates "
                        + "refuse it. Renew it: stackcert status says why that has not happened."))
        }
        return Outcome(change: change, pointer: pointer, certificate: certificate, warnings: warnings)
    }

    /// Has the server load the current version unless it did so already. If it will not, it gets back what it had.
    ///
    /// - Returns: why something is still there that should have been removed.
    private func load(_ served: ServedFiles) async throws -> [AgentError] {
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
        return try served.markLoaded()
    }
}
