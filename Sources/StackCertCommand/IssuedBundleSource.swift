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
    private let timing: IssueTiming
    private let obtained = Mutex<Redacted<[UInt8]>?>(nil)

    /// - Parameter served: what the files hold now.
    init(
        issuer: ACMEIssuer, request: OrderRequest, solver: any ChallengeSolver, externalAccount: ExternalAccount?,
        served: (pointer: String, certificate: IssuedCertificate)?, force: Bool, timing: IssueTiming
    ) {
        self.issuer = issuer
        self.request = request
        self.solver = solver
        self.externalAccount = externalAccount
        self.served = served
        self.force = force
        self.timing = timing
    }

    func pointer(deadline: UnixInstant) async throws -> String {
        if let served, !force, try await isGood(served, deadline: deadline) { return served.pointer }
        let none: (bundle: Redacted<[UInt8]>, fingerprint: String)? = nil
        let request = request
        let new = try await issuer.obtain(
            request, for: "files after \(served?.pointer ?? "none")", solver: solver, replaces: replaced,
            externalAccount: externalAccount, deadline: deadline,
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

    /// For all the names, of the authority and the kind of key that are asked for, and not due.
    private func isGood(
        _ served: (pointer: String, certificate: IssuedCertificate), deadline: UnixInstant
    ) async throws -> Bool {
        // What staging issued must not stay when production is wanted.
        guard isOfRequest(served.pointer) || !served.pointer.hasPrefix(Self.mark),
            Set(request.names) == Set(served.certificate.names),
            served.certificate.publicKey.keyAlgorithm == request.keyAlgorithm
        else { return false }
        return try await !timing.isDue(current(served), deadline: deadline)
    }

    /// Files that were there before the first run may be of any authority: none is asked about them.
    private func current(_ served: (pointer: String, certificate: IssuedCertificate)) -> IssueTiming.Current {
        let current = IssueTiming.Current(served.certificate)
        return isOfRequest(served.pointer)
            ? current : IssueTiming.Current(notBefore: current.notBefore, notAfter: current.notAfter, id: nil)
    }

    private func isOfRequest(_ pointer: String) -> Bool {
        pointer.hasPrefix(Self.mark) && pointer.hasSuffix(request.nameSetDigest)
    }

    /// What the new certificate takes the place of: an authority may let such an order through its limits.
    private var replaced: CertificateID? { served.flatMap { current($0).id } }
}
