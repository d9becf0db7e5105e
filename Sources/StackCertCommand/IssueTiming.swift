import ACME
import CertificateIssuance
import CertificateRenewal
import PKI
import Timekeeping

/// Decides whether `stackcert issue` renews what is there: the CA is asked (RFC 9773), as the scheduled function does.
struct IssueTiming: Sendable {
    let request: OrderRequest
    let adviser: any RenewalAdviser
    let storage: FolderACMEStorage
    let clock: any WallClock

    /// `issue` is run daily: what falls before the next run is for this one. Of a certificate that lasts for days only it
    /// is less, so that one that is new is not renewed.
    private static let wakeUp = Duration.days(1)
    /// Nothing depends on the answer: the lifetime decides without it.
    private static let patience = Duration.seconds(30)

    /// What is known of the certificate that is there.
    struct Current: Sendable {
        let notBefore: UnixInstant
        let notAfter: UnixInstant
        /// Nil when the CA that is asked for has not issued it, as far as is known, or has no name for it.
        let id: CertificateID?

        fileprivate var due: UnixInstant { RenewalSchedule.point(notBefore: notBefore, notAfter: notAfter) }
    }

    func isDue(_ current: Current, deadline: UnixInstant) async throws -> Bool {
        guard let id = current.id else { return current.due <= clock.now }
        let planner = RenewalPlanner(
            adviser: adviser, memory: FolderAdvice(storage: storage, name: adviceName), clock: clock,
            wakeUp: min(Self.wakeUp, current.notBefore.duration(to: current.notAfter) / 10))
        let (plan, failure) = try await planner.plan(
            RenewalPlanner.Subject(
                notBefore: current.notBefore, notAfter: current.notAfter, due: current.due, id: id,
                directory: request.authority.directory),
            deadline: min(deadline, clock.now.advanced(by: Self.patience)))
        if let failure {
            StandardStreams.remark(
                "stackcert: renewal information is not available, the lifetime decides. \(failure.message)")
        }
        return plan == .renewNow
    }

    /// One for each kind of key: a server may have two certificates for the same names.
    private var adviceName: String { "renewal-info/\(request.nameSetDigest)-\(request.keyAlgorithm.rawValue).json" }
}

extension IssueTiming.Current {
    init(_ certificate: IssuedCertificate) {
        self.init(
            notBefore: certificate.notBefore, notAfter: certificate.notAfter,
            id: certificate.authorityKeyIdentifier.map {
                CertificateID(authorityKeyIdentifier: $0, serialNumber: certificate.serialNumberContent)
            })
    }
}

extension IssueTiming.Current {
    init(_ label: BundleShelf.Label) {
        self.init(notBefore: label.notBefore, notAfter: label.notAfter, id: label.certificateID)
    }
}

private struct FolderAdvice: RenewalAdviceMemory {
    let storage: FolderACMEStorage
    let name: String

    func lastAdvice(deadline: UnixInstant) async throws -> RenewalAdvice? {
        try await storage.document(RenewalAdvice.self, at: name, deadline: deadline)?.document
    }

    /// Another run may be faster: its advice is as good.
    func remember(_ advice: RenewalAdvice, deadline: UnixInstant) async throws {
        let tag = try await storage.read(name, deadline: deadline)?.tag
        _ = try await storage.write(advice, as: name, replacing: tag, deadline: deadline)
    }
}
