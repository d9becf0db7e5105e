internal import ACME
internal import Diagnostics
internal import Timekeeping

/// Proves control of all names of one order.
struct OrderValidation: Sendable {
    let account: Account
    let solver: any ChallengeSolver
    let clock: any WallClock
    let settings: SettingNames
    let progress: @Sendable (OrderStep) -> Void

    /// One name that is still to be proven.
    private struct Task: Sendable {
        let authorization: Authorization
        let challenge: Challenge
    }

    /// Answers all challenges before the first is waited for. Answers are taken back whatever happens, even when this
    /// task is cancelled.
    ///
    /// - Parameters:
    ///   - noting: writes down where answers are about to stand.
    ///   - cleanUpReserve: what is kept back of the deadline to take them back.
    /// - Throws: ``IssuanceError/Code/validationFailed`` with the name, the challenge and the authority's own words.
    func run(
        _ order: Order, noting: ([ChallengePlacement]) async throws -> Void, cleanUpReserve: Duration,
        deadline: UnixInstant
    ) async throws {
        let authorizations = try await each(order.authorizations) { url in
            try await account.authorization(at: url, deadline: deadline).authorization
        }
        let tasks = try authorizations.compactMap(task)
        guard !tasks.isEmpty else { return }
        let placements = try await solver.placements(for: tasks.map(answer), deadline: deadline)
        try await noting(placements)
        let end = deadline.advanced(by: .zero - cleanUpReserve)
        let outcome: Result<Void, any Error>
        do {
            try await prove(tasks, placements, deadline: end)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        let solver = solver
        let cleaned = await uncancelled { try await solver.cleanUp(placements, deadline: deadline) }
        try outcome.get()
        // All names are proven: an answer that stays is no reason to fail. It is written down, and removed later.
        if case .success = cleaned { try await noting([]) }
    }

    /// In as many waves as there is room for.
    private func prove(_ tasks: [Task], _ placements: [ChallengePlacement], deadline: UnixInstant) async throws {
        var rest = placements
        while !rest.isEmpty {
            let standing = try await solver.present(rest, deadline: deadline)
            let tokens = Set(standing.map(\.token))
            guard !tokens.isEmpty else {
                throw IssuanceError(.contention, "There was no room for the answer to any challenge: try again.")
            }
            progress(.presented(answers: tokens.count, challengeType: solver.challengeType))
            let wave = tasks.filter { task in task.challenge.token.map(tokens.contains) ?? false }
            _ = try await each(wave) { try await start($0, deadline: deadline) }
            _ = try await each(wave) { try await waitForVerdict($0, deadline: deadline) }
            rest.removeAll { tokens.contains($0.token) }
            if !rest.isEmpty { try await solver.cleanUp(standing, deadline: deadline) }
        }
    }

    /// Nil when nothing is left to be proven.
    private func task(for authorization: Authorization) throws -> Task? {
        switch authorization.status {
        case .valid: return nil
        case .pending: break
        default: throw failure(of: authorization)
        }
        guard let challenge = authorization.challenges.first(where: { $0.type == solver.challengeType }) else {
            let offered = authorization.challenges.map { ForeignText.sanitized($0.type, hiding: []) }
            throw IssuanceError(
                .validationFailed,
                "\(account.server.url.host) offers no challenge \(solver.challengeType) for \(authorization.name), only "
                    + "\(offered.joined(separator: ", ")): choose another with \(settings.challenge).")
        }
        guard let token = challenge.token, account.key.keyAuthorization(token: token) != nil else {
            throw IssuanceError(
                .invalidChallenge,
                "\(account.server.url.host) sent a challenge for \(authorization.name) without a token.")
        }
        return Task(authorization: authorization, challenge: challenge)
    }

    private func answer(_ task: Task) -> ChallengeAnswer {
        let token = task.challenge.token ?? ""
        return ChallengeAnswer(
            domain: task.authorization.identifier.value, token: token,
            keyAuthorization: account.key.keyAuthorization(token: token) ?? Redacted(""))
    }

    private func start(_ task: Task, deadline: UnixInstant) async throws {
        do {
            try await account.start(task.challenge, deadline: deadline)
        } catch let error as ACMEError where error.code == .problem(.malformed) {
            // A challenge is started once. An earlier try may have got through, and only its answer was lost.
            let now = try await account.authorization(at: task.authorization.url, deadline: deadline).authorization
            let status = now.challenges.first { $0.url == task.challenge.url }?.status
            guard now.status != .pending || status != .pending else { throw error }
        }
    }

    private func waitForVerdict(_ task: Task, deadline: UnixInstant) async throws {
        let url = task.authorization.url
        var polling = Polling(clock: clock, deadline: deadline)
        while true {
            let (authorization, retryAt) = try await account.authorization(at: url, deadline: deadline)
            switch authorization.status {
            case .valid:
                progress(.validated(name: task.authorization.name))
                return
            case .pending, .init(rawValue: "processing"): break
            default: throw failure(of: authorization)
            }
            guard try await polling.pause(until: retryAt) else {
                throw IssuanceError(
                    .notInTime,
                    "\(account.server.url.host) has not validated \(task.authorization.name) by \(solver.challengeType) in "
                        + "time: try again, and the order is gone on with.")
            }
        }
    }

    private func failure(of authorization: Authorization) -> IssuanceError {
        var message =
            "\(account.server.url.host) could not validate \(authorization.name) by \(solver.challengeType)"
        if let (challenge, problem) = authorization.failure {
            let secrets = [challenge.token, account.key.thumbprint].compactMap { $0 }
            message += ": \(problem.summary(hiding: secrets))"
        } else {
            message += ": the authorization is \(ForeignText.sanitized(authorization.status.rawValue, hiding: []))"
        }
        return IssuanceError(.validationFailed, message.hasSuffix(".") ? message : message + ".")
    }
}

/// All at once, results in the order of the items. The first failure ends the others.
private func each<Item: Sendable, Result: Sendable>(
    _ items: [Item], _ work: @escaping @Sendable (Item) async throws -> Result
) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        for (index, item) in items.enumerated() {
            group.addTask { (index, try await work(item)) }
        }
        var results: [(Int, Result)] = []
        for try await result in group { results.append(result) }
        return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
}
