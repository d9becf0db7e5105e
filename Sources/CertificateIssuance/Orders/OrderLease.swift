internal import Timekeeping

/// Keeps two processes from ordering for the same names at the same time.
struct OrderLease: Sendable {
    private let storage: any ACMEStorage
    private let name: String
    private let clock: any WallClock

    /// A process that was killed blocks others for so long at most.
    private static let term = Duration.seconds(60)
    private static let renewal = Duration.seconds(20)

    /// - Parameter digest: of the names.
    init(storage: any ACMEStorage, digest: String, clock: any WallClock) {
        self.storage = storage
        self.name = "locks/\(digest).json"
        self.clock = clock
    }

    private struct Document: Codable {
        let holder: String
        let until: UnixInstant
    }

    /// Runs `work` as the only one. Its task is cancelled when the lease is lost to somebody else, which takes a pause of
    /// this process as long as its term.
    ///
    /// - Parameter waiting: called each time that somebody else has the lease; what it returns makes the work superfluous.
    func hold<Result: Sendable>(
        deadline: UnixInstant, waiting: () async throws -> Result?,
        work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let holder = String(UInt64.random(in: 0 ... .max), radix: 36)
        var tag = try await take(holder, deadline: deadline)
        while tag == nil {
            if let result = try await waiting() { return result }
            let pause = Duration.milliseconds(Int64.random(in: 500...2000))
            guard clock.now.advanced(by: pause) < deadline else {
                throw IssuanceError(
                    .contention, "Another order for the same names is under way and did not end in time: try again.")
            }
            try await clock.sleep(for: pause)
            tag = try await take(holder, deadline: deadline)
        }
        guard let taken = tag else { throw CancellationError() }
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await whileRenewing(holder, taken, deadline: deadline, work))
        } catch {
            outcome = .failure(error)
        }
        // Also when this task is cancelled. Who cannot be told waits for the term's end.
        let lease = self
        _ = await uncancelled { try await lease.release(holder, deadline: deadline.advanced(by: .seconds(5))) }
        return try outcome.get()
    }

    private func whileRenewing<Result: Sendable>(
        _ holder: String, _ tag: String, deadline: UnixInstant, _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Event<Result>.self) { group in
            group.addTask { .done(try await work()) }
            group.addTask {
                try await renew(holder, tag, deadline: deadline)
                return .lost
            }
            defer { group.cancelAll() }
            guard case .done(let result) = try await group.next() else {
                throw IssuanceError(.contention, "Another process took over the order for these names: try again.")
            }
            return result
        }
    }

    private enum Event<Result: Sendable>: Sendable {
        case done(Result)
        case lost
    }

    private func take(_ holder: String, deadline: UnixInstant) async throws -> String? {
        let found = try await storage.document(Document.self, at: name, deadline: deadline)
        if let found, found.document.until > clock.now { return nil }
        return try await write(holder, replacing: found?.tag, deadline: deadline)
    }

    private func write(_ holder: String, replacing tag: String?, deadline: UnixInstant) async throws -> String? {
        try await storage.write(
            Document(holder: holder, until: clock.now.advanced(by: Self.term)), as: name, replacing: tag,
            deadline: deadline)
    }

    /// Lets the next one in at once.
    private func release(_ holder: String, deadline: UnixInstant) async throws {
        guard let (found, tag) = try await storage.document(Document.self, at: name, deadline: deadline),
            found.holder == holder
        else { return }
        _ = try await storage.write(
            Document(holder: "", until: clock.now), as: name, replacing: tag, deadline: deadline)
    }

    /// Until it is cancelled, or somebody else has the lease.
    private func renew(_ holder: String, _ tag: String, deadline: UnixInstant) async throws {
        var tag = tag
        while true {
            try await clock.sleep(for: Self.renewal)
            guard let next = try await write(holder, replacing: tag, deadline: deadline) else { return }
            tag = next
        }
    }
}
