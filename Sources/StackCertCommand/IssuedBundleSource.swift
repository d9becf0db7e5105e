import ACME
import CertificateAgent
import CertificateIssuance
import Diagnostics
import PKI
import Synchronization
import Timekeeping

/// Gives the certificate that is there as long as it is not due, and a new one then.
final class IssuedBundleSource: BundleSource {
    private let issuer: ACMEIssuer
    private let request: OrderRequest
    private let solver: any ChallengeSolver
    private let externalAccount: ExternalAccount?
    private let served: (pointer: String, certificate: IssuedCertificate)?
    private let force: Bool
    private let clock: any WallClock
    private let obtained = Mutex<Redacted<[UInt8]>?>(nil)

    /// - Parameter served: what the files hold now.
    init(
        issuer: ACMEIssuer, request: OrderRequest, solver: any ChallengeSolver, externalAccount: ExternalAccount?,
        served: (pointer: String, certificate: IssuedCertificate)?, force: Bool, clock: any WallClock
    ) {
        self.issuer = issuer
        self.request = request
        self.solver = solver
        self.externalAccount = externalAccount
        self.served = served
        self.force = force
        self.clock = clock
    }

    func pointer(deadline: UnixInstant) async throws -> String {
        if let served, !force, isWanted(served.pointer), isGood(served.certificate) { return served.pointer }
        let none: (bundle: Redacted<[UInt8]>, fingerprint: String)? = nil
        let request = request
        let new = try await issuer.obtain(
            request, for: "files after \(served?.pointer ?? "none")", solver: solver, externalAccount: externalAccount,
            deadline: deadline,
            find: { none },
            save: { obtained in
                let fingerprint = obtained.certificate.fingerprint
                let bundle = try CertificateBundle(
                    keyPair: obtained.keyPair, certificate: obtained.certificate, chainPEM: obtained.chainPEM,
                    appName: "stackcert", appDomain: request.firstName, generation: fingerprint
                ).encoded()
                return (bundle, fingerprint)
            })
        obtained.withLock { $0 = new.bundle }
        return "\(Self.mark)\(new.fingerprint) \(request.nameSetDigest)"
    }

    func bundle(_ pointer: String, deadline: UnixInstant) async throws -> Redacted<[UInt8]> {
        guard let bundle = obtained.withLock({ $0 }) else {
            // The files were damaged since they were looked at.
            throw AgentError(.writeFailed, "The files changed while they were looked at: try again.")
        }
        return bundle
    }

    private static let mark = "issued "

    /// Of the authority that is asked for: what staging issued must not stay when production is wanted. Files that were
    /// there before the first run are taken as they are.
    private func isWanted(_ pointer: String) -> Bool {
        !pointer.hasPrefix(Self.mark) || pointer.hasSuffix(request.nameSetDigest)
    }

    /// For all the names, of the kind of key that is asked for, and not due.
    private func isGood(_ certificate: IssuedCertificate) -> Bool {
        Set(request.names) == Set(certificate.names)
            && certificate.publicKey.keyAlgorithm == request.keyAlgorithm
            && RenewalSchedule.point(notBefore: certificate.notBefore, notAfter: certificate.notAfter) > clock.now
    }
}
