import CertificateIssuance
import PKI
import Testing
import Timekeeping

@testable import CertificateRenewal
@testable import StackCertCommand

/// Certificates in every state.
enum Fleet {
    static let now = UnixInstant(seconds: 1_800_000_000)

    /// - Parameter days: until it expires.
    static func status(
        _ stack: String, resource: String = "Certificate", days: Int, validity: Int = 90,
        attempt: (RenewalOutcome, isRunning: Bool)? = nil
    ) async throws -> CertificateStatus {
        try await recorded(stack, resource: resource, days: days, validity: validity, attempt: attempt).status
    }

    static func recorded(
        _ stack: String, resource: String = "Certificate", names: [String]? = nil, days: Int, validity: Int = 90,
        attempt: (RenewalOutcome, isRunning: Bool)? = nil
    ) async throws -> (record: CertificateRecord, status: CertificateStatus) {
        let id = "arn:aws:cloudformation:eu-west-1:111122223333:stack/\(stack)/guid"
        let owner = CertificateOwner(stackID: id, stackGUID: "guid", logicalResourceID: resource)
        let definition = CertificateDefinition(
            appDomain: try DomainName("shop.example.com"), appName: "shop", bucket: "certificates",
            keyAlgorithm: .ecP256, validityDays: validity, subjectAlternativeNames: [], rotation: "1")
        let address = CertificateAddress(definition, of: owner)
        let end = now.advanced(by: .days(days))
        let facts = CertificateFacts(
            publicKey: try await KeyPair.generate(.ecP256).publicKey.base64, previousPublicKey: "",
            previousKeyDiscarded: true, certificateFingerprint: "", serialNumber: "01",
            notBefore: end.advanced(by: .days(0 - validity)), notAfter: end, requestID: "request", issuedAt: now)
        let record = CertificateRecord(
            address: address, owner: owner,
            settings: CertificateSettings(rotationParameter: "CertificateRotation", stableS3Key: false), facts: facts,
            names: names, claim: Claim(requestID: "request", issuedAt: now))
        let memory = attempt.map { outcome, isRunning in
            let due = DueCertificate(
                logicalResourceID: "Certificate", generation: address.generation.description,
                rotationParameter: "CertificateRotation", notBefore: facts.notBefore, notAfter: facts.notAfter)
            var memory = RenewalAttempt(DueStack(id: id, guid: "guid", certificates: [due]), now: now)
            if isRunning { memory.execution = RenewalAttempt.Execution(changeSetID: "change-set", startedAt: now) }
            return memory.after(outcome, now: now)
        }
        return (record, try #require(CertificateStatus(record, attempt: memory, now: now)))
    }
}
