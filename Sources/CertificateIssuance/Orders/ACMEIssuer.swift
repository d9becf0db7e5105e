package import ACME
internal import AWSClient
internal import Diagnostics
package import PKI
package import Timekeeping

/// Gets certificates from an authority: one order at a time for each set of names, gone on with after an interruption,
/// and none that would run into the authority's limits.
///
/// Reading order: this file decides whether there is to be an order; ``OrderRun`` carries it out; ``OrderBook`` is what
/// is remembered in between.
package struct ACMEIssuer: Sendable {
    private let accounts: AccountStore
    private let storage: any ACMEStorage
    private let clock: any WallClock
    private let progress: @Sendable (OrderStep) -> Void

    /// - Parameter progress: told of each step; may be called from several tasks.
    package init(
        accounts: AccountStore, storage: any ACMEStorage, clock: any WallClock,
        progress: @escaping @Sendable (OrderStep) -> Void = { _ in }
    ) {
        self.accounts = accounts
        self.storage = storage
        self.clock = clock
        self.progress = progress
    }

    /// Gets a certificate and has it saved.
    ///
    /// - Parameters:
    ///   - destination: where the certificate is going to be stored. What was stored, or was about to be, is given to the
    ///     same destination again, and to no other.
    ///   - replaces: the certificate whose time has come by the authority's own renewal information.
    ///   - deadline: answers are taken back before it.
    ///   - find: looks whether the result is there already: another process may have been faster.
    ///   - save: stores the certificate where it belongs. Before it has returned nothing is forgotten.
    package func obtain<Result: Sendable>(
        _ request: OrderRequest, for destination: String, solver: any ChallengeSolver, replaces: CertificateID? = nil,
        externalAccount: ExternalAccount? = nil, deadline: UnixInstant,
        find: @escaping @Sendable () async throws -> Result?,
        save: @escaping @Sendable (ObtainedCertificate) async throws -> Result
    ) async throws -> Result {
        let lease = OrderLease(storage: storage, digest: request.nameSetDigest, clock: clock)
        return try await lease.hold(deadline: deadline) {
            progress(.waiting)
            return try await find()
        } work: {
            if let found = try await find() { return found }
            var book = try await OpenBook(of: request, in: storage, deadline: deadline)
            book.contents.tidy(at: clock.now)
            if let kept = try? keptCertificate(for: request, destination, in: book.contents) {
                progress(.kept)
                book.contents.kept?.destination = destination
                try await book.write(deadline: deadline)
                let result = try await saving(kept, &book, deadline: deadline, save)
                book.contents.kept = nil
                try await book.write(deadline: deadline)
                return result
            }
            let run = OrderRun(
                request: request, destination: destination, solver: solver, accounts: accounts, clock: clock,
                progress: progress, replaces: replaces, externalAccount: externalAccount)
            let obtained = try await run.complete(&book, deadline: deadline)
            let certificate = obtained.certificate
            if book.contents.open?.destination == nil {
                book.contents.open?.destination = destination
                book.contents.failures = []
                book.contents.issuances.append(
                    OrderBook.Issuance(
                        at: clock.now,
                        due: RenewalSchedule.point(notBefore: certificate.notBefore, notAfter: certificate.notAfter)))
                try await book.write(deadline: deadline)
            }
            let result = try await saving(obtained, &book, deadline: deadline, save)
            book.contents.open = nil
            try await book.write(deadline: deadline)
            progress(.issued(notAfter: certificate.notAfter))
            return result
        }
    }

    /// What is known not to have been stored may go to another destination.
    private func saving<Result: Sendable>(
        _ obtained: ObtainedCertificate, _ book: inout OpenBook, deadline: UnixInstant,
        _ save: @Sendable (ObtainedCertificate) async throws -> Result
    ) async throws -> Result {
        do {
            return try await save(obtained)
        } catch let error as AWSError where error.isRefusal {
            book.contents.open?.destination = nil
            book.contents.kept?.destination = nil
            try? await book.write(deadline: deadline)
            throw error
        }
    }

    /// Does something for a certificate while no other process orders one for the same names, or does the same.
    package func alone<Result: Sendable>(
        _ request: OrderRequest, deadline: UnixInstant, _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let none: Result? = nil
        return try await OrderLease(storage: storage, digest: request.nameSetDigest, clock: clock)
            .hold(deadline: deadline, waiting: { none }, work: work)
    }

    /// Keeps a certificate that is being deleted, for a request that may want the same again. What is soon to be renewed
    /// is not kept.
    ///
    /// - Parameter pem: the certificate first, then its chain.
    package func keep(_ keyPair: KeyPair, pem: String, for request: OrderRequest, deadline: UnixInstant) async throws {
        let certificate = try ObtainedCertificate(pem: pem, keyPair: keyPair, names: request.names).certificate
        guard
            RenewalSchedule.point(notBefore: certificate.notBefore, notAfter: certificate.notAfter) > clock.now
        else { return }
        try await alone(request, deadline: deadline) {
            var book = try await OpenBook(of: request, in: storage, deadline: deadline)
            book.contents.tidy(at: clock.now)
            book.contents.kept = OrderBook.KeptCertificate(
                holder: request.holder, kind: OrderBook.Kind(request), privateKeyPEM: keyPair.privateKeyPEM.exposed,
                chainPEM: pem, until: clock.now.advanced(by: OrderBook.memory))
            try await book.write(deadline: deadline)
        }
    }

    /// Nil when none was kept that would do.
    private func keptCertificate(
        for request: OrderRequest, _ destination: String, in book: OrderBook
    ) throws -> ObtainedCertificate? {
        guard let kept = book.kept, kept.holder == request.holder, kept.kind == OrderBook.Kind(request),
            kept.destination == nil || kept.destination == destination
        else { return nil }
        let obtained = try ObtainedCertificate(
            pem: kept.chainPEM, keyPair: KeyPair(pkcs8PEM: kept.privateKeyPEM), names: request.names)
        let certificate = obtained.certificate
        let due = RenewalSchedule.point(notBefore: certificate.notBefore, notAfter: certificate.notAfter)
        return due > clock.now ? obtained : nil
    }
}

extension AWSError {
    /// Whether it is certain that nothing was written.
    fileprivate var isRefusal: Bool {
        [.accessDenied, .noSuchBucket].contains(code) || code.rawValue.hasPrefix("KMS.")
    }
}

/// An order book, as it was read and as it is to be written.
struct OpenBook {
    var contents: OrderBook
    private var tag: String?
    private let name: String
    private let storage: any ACMEStorage

    init(of request: OrderRequest, in storage: any ACMEStorage, deadline: UnixInstant) async throws {
        name = "orders/\(request.nameSetDigest).json"
        self.storage = storage
        let found = try await storage.document(OrderBook.self, at: name, deadline: deadline)
        contents = found?.document ?? OrderBook()
        tag = found?.tag
    }

    /// - Throws: ``IssuanceError/Code/contention`` when somebody else has written meanwhile: the lease was lost.
    mutating func write(deadline: UnixInstant) async throws {
        guard let next = try await storage.write(contents, as: name, replacing: tag, deadline: deadline) else {
            throw IssuanceError(.contention, "Another process took over the order for these names: try again.")
        }
        tag = next
    }
}
