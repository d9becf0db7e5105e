package import Timekeeping

/// Pulls again and again: at the first start until there is a bundle, and then for ever.
package struct CertificateWatch: Sendable {
    private let pull: @Sendable () async throws -> CertificatePull.Outcome
    private let clock: any WallClock
    private let jitter: @Sendable (ClosedRange<Double>) -> Double

    /// - Parameter jitter: picks a factor; tests pick their own.
    package init(
        clock: any WallClock, jitter: @escaping @Sendable (ClosedRange<Double>) -> Double = { .random(in: $0) },
        pull: @escaping @Sendable () async throws -> CertificatePull.Outcome
    ) {
        self.pull = pull
        self.clock = clock
        self.jitter = jitter
    }

    /// Pulls until it succeeds: at a server's first start its stack may not have come so far yet.
    ///
    /// - Throws: the last error once `limit` is over; at once what waiting does not change.
    package func first(within limit: Duration) async throws -> CertificatePull.Outcome {
        let end = clock.now.advanced(by: limit)
        var pause = Duration.seconds(1)
        while true {
            do {
                return try await pull()
            } catch let error as AgentError {
                guard error.mayPassByItself, clock.now.advanced(by: pause) < end else { throw error }
            }
            try await clock.sleep(for: pause)
            pause = min(pause * 2, .seconds(15))
        }
    }

    /// Pulls every `interval`, a tenth more or less so that a fleet does not ask in step. After an error that may pass
    /// it asks sooner, after ten seconds and then ever later; after one that hurts a server, such as a failed reload,
    /// ever later, up to an hour.
    ///
    /// - Parameter report: is told of each pull, one after the other.
    /// - Throws: `CancellationError`, and ``AgentError/Code/usage``; everything else is reported.
    package func watch(
        every interval: Duration, report: (Result<CertificatePull.Outcome, AgentError>) -> Void
    ) async throws {
        var failures = 0
        while true {
            var pause = interval
            do {
                report(.success(try await pull()))
                failures = 0
            } catch let error as AgentError {
                guard error.code != .usage else { throw error }
                report(.failure(error))
                failures = min(failures + 1, 20)
                let factor = 1 << (failures - 1)
                pause =
                    error.code == .reloadFailed
                    ? min(interval * factor, max(interval, .seconds(3600))) : min(.seconds(10) * factor, interval)
            }
            try await clock.sleep(for: .milliseconds(Int64(Double(pause.wholeMilliseconds) * jitter(0.9...1.1))))
        }
    }
}

extension AgentError {
    /// A role's permissions and a parameter may come later than the server.
    fileprivate var mayPassByItself: Bool {
        switch code {
        case .pointerMissing, .accessDenied, .unreachable, .notConfigured, .bundleInvalid: true
        case .usage, .writeFailed, .reloadFailed: false
        }
    }
}
