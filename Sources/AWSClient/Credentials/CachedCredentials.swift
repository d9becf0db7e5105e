package import SigV4
package import Timekeeping

/// Keeps keys until shortly before they expire, and asks for new ones once however many calls wait for them.
///
/// A failure is told to those who waited and forgotten: the next call asks again. While the old keys still work, a
/// failure to renew them is nobody's problem.
package actor CachedCredentials: CredentialsProvider {
    private let source: any CredentialsProvider
    private let clock: any WallClock
    private let refreshAhead: Duration
    private var current: SigningCredentials?
    private var notBefore: UnixInstant?
    private var refresh: Task<SigningCredentials, any Error>?

    /// After a failed renewal of keys that still work, how long they are used without another try.
    private static let pauseAfterFailure = Duration.seconds(30)
    /// Keys that expire sooner do not outlast the call that they are for.
    private static let leastRemaining = Duration.seconds(60)
    private static let longestRefresh = Duration.seconds(30)

    /// - Parameter refreshAhead: how long before their expiration keys are renewed.
    package init(_ source: any CredentialsProvider, clock: any WallClock, refreshAhead: Duration = .seconds(600)) {
        self.source = source
        self.clock = clock
        self.refreshAhead = refreshAhead
    }

    package func credentials(deadline: UnixInstant) async throws -> SigningCredentials {
        while true {
            if let current, isFresh(current) { return current }
            let isOurs = refresh == nil
            let task = refresh ?? startRefresh(deadline: deadline)
            do {
                return try await task.value
            } catch {
                try Task.checkCancellation()
                if let current, remaining(current) > CachedCredentials.leastRemaining { return current }
                // Somebody else's time may have run out, not ours.
                guard !isOurs, clock.now < deadline else { throw error }
            }
        }
    }

    /// The task belongs to nobody, so that the first caller's cancellation does not take the keys from the others.
    private func startRefresh(deadline: UnixInstant) -> Task<SigningCredentials, any Error> {
        let limit = min(deadline, clock.now.advanced(by: CachedCredentials.longestRefresh))
        let task = Task { [source] in
            let outcome = await Result { try await source.credentials(deadline: limit) }
            return try finish(outcome)
        }
        refresh = task
        return task
    }

    private func finish(_ outcome: Result<SigningCredentials, any Error>) throws -> SigningCredentials {
        refresh = nil
        do {
            let new = try outcome.get()
            guard remaining(new) > .zero else {
                throw AWSError(.credentialsUnavailable, "The AWS credentials that were given have expired.")
            }
            current = new
            notBefore = nil
            return new
        } catch {
            notBefore = clock.now.advanced(by: CachedCredentials.pauseAfterFailure)
            throw error
        }
    }

    private func isFresh(_ credentials: SigningCredentials) -> Bool {
        let remaining = remaining(credentials)
        if remaining > refreshAhead { return true }
        guard let notBefore else { return false }
        return clock.now < notBefore && remaining > CachedCredentials.leastRemaining
    }

    private func remaining(_ credentials: SigningCredentials) -> Duration {
        credentials.expiration.map { clock.now.duration(to: $0) } ?? .days(365)
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ work: () async throws -> Success) async {
        do {
            self = .success(try await work())
        } catch {
            self = .failure(error)
        }
    }
}
