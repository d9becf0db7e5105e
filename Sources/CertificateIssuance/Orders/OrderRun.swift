internal import ACME
internal import Diagnostics
internal import PKI
internal import Timekeeping

/// Carries out one order, from wherever an earlier process left it to the certificate (RFC 8555, section 7.4).
struct OrderRun: Sendable {
    let request: OrderRequest
    /// See ``ACMEIssuer/obtain(_:for:solver:replaces:externalAccount:deadline:find:save:)``.
    let destination: String
    let solver: any ChallengeSolver
    let accounts: AccountStore
    let clock: any WallClock
    let progress: @Sendable (OrderStep) -> Void
    let replaces: CertificateID?
    let externalAccount: ExternalAccount?

    /// Kept back of the time to take answers to challenges back.
    private static let cleanUpReserve = Duration.seconds(20)
    /// How long earlier answers may take to be removed.
    private static let leftoverTime = Duration.seconds(60)

    func complete(_ book: inout OpenBook, deadline: UnixInstant) async throws -> ObtainedCertificate {
        try await removeLeftovers(&book, deadline: deadline)
        var account = try await accounts.open(
            request.authority, externalAccount: externalAccount, deadline: deadline)
        try checkProfile(of: account.server.directory)
        if let (order, keyPair) = try await resume(book.contents.open, of: account, deadline: deadline) {
            progress(.resumed)
            do {
                let obtained = try await carryOut(order, keyPair, of: account, noting: &book, deadline: deadline)
                let certificate = obtained.certificate
                let due = RenewalSchedule.point(notBefore: certificate.notBefore, notAfter: certificate.notAfter)
                if due > clock.now { return obtained }
            } catch let error as IssuanceError where error.code == .validationFailed {
                // The authority may have looked while the answers of the interrupted process were gone already.
                book.contents.failures.append(clock.now)
            }
            book.contents.open = nil
            try await book.write(deadline: deadline)
        }
        try book.contents.checkLimits(for: request, at: clock.now, accounts.settings)
        // An order counts against the CA's limits, also one whose challenges cannot be answered.
        try await solver.checkPlaces(for: request.challengedDomains, deadline: deadline)
        let (order, keyPair) = try await begin(&book, &account, deadline: deadline)
        do {
            return try await carryOut(order, keyPair, of: account, noting: &book, deadline: deadline)
        } catch let error as IssuanceError where error.code == .validationFailed {
            // The order is lost with its authorization.
            book.contents.failures.append(clock.now)
            book.contents.open = nil
            try? await book.write(deadline: deadline)
            throw error
        }
    }

    private func carryOut(
        _ order: Order, _ keyPair: KeyPair, of account: Account, noting book: inout OpenBook, deadline: UnixInstant
    ) async throws -> ObtainedCertificate {
        let validated = try await validate(order, of: account, noting: &book, deadline: deadline)
        let obtained = try await finish(validated, keyPair, of: account, deadline: deadline)
        try await removeLeftovers(&book, deadline: deadline)
        return obtained
    }

    /// A process that was killed, or had no time left, may have left answers to challenges. One that cannot be removed
    /// keeps nobody from a certificate: it is tried again with each order of these names.
    private func removeLeftovers(_ book: inout OpenBook, deadline: UnixInstant) async throws {
        let (before, now) = (book.contents.leftovers, clock.now)
        if let open = book.contents.open, !open.placements.isEmpty {
            book.contents.leftovers += open.placements.map {
                OrderBook.Leftover(challengeType: open.challengeType, placement: $0, since: now)
            }
            book.contents.open?.placements = []
        }
        let own = book.contents.leftovers.filter { $0.challengeType == solver.challengeType }.map(\.placement)
        if !own.isEmpty {
            do {
                try await solver.cleanUp(own, deadline: min(deadline, now.advanced(by: Self.leftoverTime)))
                book.contents.leftovers.removeAll { $0.challengeType == solver.challengeType }
            } catch let error as CancellationError {
                throw error
            } catch {
                // An object's name has the token in it, which no log shall have.
                progress(
                    .leftoversStay(own.map { "\($0.domain) in \($0.container)" }, why: "\(Reason(error))"))
            }
        }
        if before != book.contents.leftovers || !own.isEmpty { try await book.write(deadline: deadline) }
    }

    /// A CA without profiles ignores the member, and would issue something else than what was asked for.
    private func checkProfile(of directory: Directory) throws {
        let offered = directory.meta.profiles ?? [:]
        guard let profile = request.profile, offered[profile] == nil else { return }
        let (host, setting) = (request.authority.directory.host, accounts.settings.profile)
        let wanted = ForeignText.sanitized(profile, hiding: [], limit: 64)
        guard !offered.isEmpty else {
            throw IssuanceError(
                .unknownProfile,
                "\(host) offers no certificate profiles, and \(setting) asks for \"\(wanted)\": leave \(setting) out.")
        }
        let names = offered.keys.sorted().map { ForeignText.sanitized($0, hiding: [], limit: 40) }
        throw IssuanceError(
            .unknownProfile,
            "\(host) does not offer the certificate profile \"\(wanted)\". Set \(setting) to one that it offers "
                + "(\(names.joined(separator: ", "))), or leave it out.")
    }

    /// Nil when there is nothing to go on with.
    private func resume(
        _ open: OrderBook.OpenOrder?, of account: Account, deadline: UnixInstant
    ) async throws -> (Order, KeyPair)? {
        guard let open, open.kind == OrderBook.Kind(request), open.account == account.url,
            open.holder == request.holder, open.destination == nil || open.destination == destination,
            let keyPair = try? KeyPair(pkcs8PEM: open.privateKeyPEM)
        else { return nil }
        do {
            let order = try await account.order(at: open.url, deadline: deadline).order
            return order.status == .invalid || Set(order.identifiers) != Set(request.identifiers)
                ? nil : (order, keyPair)
        } catch let error as ACMEError
            where [.problem(.malformed), .problem(.unauthorized), .problem(.accountDoesNotExist)].contains(error.code)
        {
            // The authority has forgotten it.
            return nil
        }
    }

    private func begin(
        _ book: inout OpenBook, _ account: inout Account, deadline: UnixInstant
    ) async throws -> (Order, KeyPair) {
        async let key = KeyPair.generate(request.keyAlgorithm)
        let order: Order
        do {
            order = try await newOrder(&account, deadline: deadline)
        } catch let error as ACMEError where error.code == .problem(.rateLimited) {
            // However long the authority asks to wait, a week is the longest of the limits that are known.
            let longest = clock.now.advanced(by: OrderBook.memory)
            book.contents.refusedUntil = min(error.retryAt ?? clock.now.advanced(by: .seconds(3600)), longest)
            try? await book.write(deadline: deadline)
            throw error
        }
        let keyPair = try await key
        book.contents.open = OrderBook.OpenOrder(
            url: order.url, account: account.url, holder: request.holder, kind: OrderBook.Kind(request),
            privateKeyPEM: keyPair.privateKeyPEM.exposed, challengeType: solver.challengeType)
        try await book.write(deadline: deadline)
        progress(.ordered(names: request.names.count))
        return (order, keyPair)
    }

    private func newOrder(_ account: inout Account, deadline: UnixInstant) async throws -> Order {
        func order() async throws -> Order {
            try await account.newOrder(
                request.identifiers, profile: request.profile, replaces: replaces, deadline: deadline)
        }
        do {
            return try await order()
        } catch let error as ACMEError
            where [.problem(.accountDoesNotExist), .problem(.unauthorized)].contains(error.code)
        {
            // A refusal may be about the account or about the order.
            guard let standing = try? await account.standing(deadline: deadline), standing != .valid else {
                throw error
            }
            account = try await accounts.renewed(
                account, standing, of: request.authority, externalAccount: externalAccount, deadline: deadline)
            progress(.accountReplaced(authority: request.authority.directory.host))
            return try await order()
        }
    }

    private func validate(
        _ order: Order, of account: Account, noting book: inout OpenBook, deadline: UnixInstant
    ) async throws -> Order {
        guard order.status == .pending else { return order }
        let validation = OrderValidation(
            account: account, solver: solver, clock: clock, settings: accounts.settings,
            progress: progress)
        try await validation.run(
            order,
            noting: { placements in
                book.contents.open?.challengeType = solver.challengeType
                book.contents.open?.placements = placements
                try await book.write(deadline: deadline)
            },
            cleanUpReserve: min(Self.cleanUpReserve, clock.now.duration(to: deadline) / 4), deadline: deadline)
        return try await account.order(at: order.url, deadline: deadline).order
    }

    private func finish(
        _ order: Order, _ keyPair: KeyPair, of account: Account, deadline: UnixInstant
    ) async throws -> ObtainedCertificate {
        progress(.finalizing)
        var order = order
        var polling = Polling(clock: clock, deadline: deadline)
        var isFinalized = false
        var retryAt: UnixInstant?
        while true {
            if order.status == .valid, let url = order.certificate {
                return try await download(url, keyPair, of: account, deadline: deadline)
            }
            if order.status == .invalid { throw refusal(of: order) }
            if order.status == .ready, !isFinalized {
                isFinalized = true
                do {
                    (order, retryAt) = try await account.finalize(
                        order, with: keyPair.certificateRequest(for: request.names), deadline: deadline)
                    continue
                } catch let error as ACMEError where error.code == .problem(.orderNotReady) {
                    // An earlier try got through, and only its answer was lost.
                    retryAt = nil
                }
            }
            guard try await polling.pause(until: retryAt) else {
                throw IssuanceError(
                    .notInTime,
                    "\(request.authority.directory.host) has not issued the certificate for \(request.title) in time: "
                        + "try again, and the order is gone on with.")
            }
            (order, retryAt) = try await account.order(at: order.url, deadline: deadline)
        }
    }

    private func refusal(of order: Order) -> IssuanceError {
        let words = order.error.map { ": \($0.summary())" } ?? ""
        return IssuanceError(
            .refused,
            "\(request.authority.directory.host) refused the certificate for \(request.title)\(words)"
                + (words.hasSuffix(".") ? "" : "."))
    }

    private func download(
        _ url: ResourceURL, _ keyPair: KeyPair, of account: Account, deadline: UnixInstant
    ) async throws -> ObtainedCertificate {
        let (pem, alternates) = try await account.certificate(at: url, deadline: deadline)
        let first = try ObtainedCertificate(pem: pem, keyPair: keyPair, names: request.names)
        guard let wanted = request.preferredChain, !first.isIssued(below: wanted) else { return first }
        for alternate in alternates {
            let (pem, _) = try await account.certificate(at: alternate, deadline: deadline)
            let other = try ObtainedCertificate(pem: pem, keyPair: keyPair, names: request.names)
            if other.isIssued(below: wanted) { return other }
        }
        progress(.chainNotOffered(issuer: wanted))
        return first
    }
}
