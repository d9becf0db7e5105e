import CertificateIssuance
import PKI
import Testing
import Timekeeping

@testable import CertificateRenewal
@testable import StackCertCommand

/// What whoever is on call sees.
@Suite struct StatusTableTests {
    private static let now = UnixInstant(seconds: 1_800_000_000)

    private static func status(
        _ stack: String, days: Int, attempt: (RenewalOutcome, isRunning: Bool)? = nil
    ) async throws -> CertificateStatus {
        let id = "arn:aws:cloudformation:eu-west-1:111122223333:stack/\(stack)/guid"
        let owner = CertificateOwner(stackID: id, stackGUID: "guid", logicalResourceID: "Certificate")
        let definition = CertificateDefinition(
            appDomain: try DomainName("shop.example.com"), appName: "shop", bucket: "certificates",
            keyAlgorithm: .ecP256, validityDays: 90, subjectAlternativeNames: [], rotation: "1")
        let address = CertificateAddress(definition, of: owner)
        let end = now.advanced(by: .days(days))
        let facts = CertificateFacts(
            publicKey: try await KeyPair.generate(.ecP256).publicKey.base64, previousPublicKey: "",
            previousKeyDiscarded: true, certificateFingerprint: "", serialNumber: "01",
            notBefore: end.advanced(by: .days(-90)), notAfter: end, requestID: "request", issuedAt: now)
        let record = CertificateRecord(
            address: address, owner: owner,
            settings: CertificateSettings(rotationParameter: "CertificateRotation", stableS3Key: false), facts: facts,
            claim: Claim(requestID: "request", issuedAt: now))
        let memory = attempt.map { outcome, isRunning in
            let due = DueCertificate(
                logicalResourceID: "Certificate", generation: address.generation.description,
                rotationParameter: "CertificateRotation", notBefore: facts.notBefore, notAfter: facts.notAfter)
            var memory = RenewalAttempt(DueStack(id: id, guid: "guid", certificates: [due]), now: now)
            if isRunning { memory.execution = RenewalAttempt.Execution(changeSetID: "change-set", startedAt: now) }
            return memory.after(outcome, now: now)
        }
        return try #require(CertificateStatus(record, attempt: memory, now: now))
    }

    @Test("A line for each certificate, and under it what is wrong and what to do")
    func table() async throws {
        let text = StatusTable(
            [
                try await Self.status("old", days: -1),
                try await Self.status("stuck", days: 5, attempt: (RenewalOutcome(.noRole, "Attach one."), false)),
                try await Self.status("busy", days: 10, attempt: (RenewalOutcome(.started, "Started."), true)),
                try await Self.status("soon", days: 20),
                try await Self.status("fine", days: 80),
            ], now: Self.now
        ).text
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines[0] == "STACK  RESOURCE     ALGORITHM  NOT AFTER   DAYS  DUE         STATE")
        #expect(lines[1].hasPrefix("old    Certificate  EC_P256    2027-01-14  -1 "))
        #expect(lines[1].hasSuffix("EXPIRED"))
        #expect(lines[2].hasSuffix("failing"))
        #expect(lines[3] == "  NoRole: Attach one.")
        #expect(lines[4].hasSuffix("renewing"))
        #expect(lines[5].hasSuffix("due"))
        #expect(lines[6].hasSuffix("ok"))
        #expect(lines.count == 7)
    }

    @Test("As JSON it is a list of objects with whole dates")
    func json() async throws {
        let text = try StatusTable([try await Self.status("fine", days: 80)], now: Self.now).json()
        #expect(text.contains(#""daysLeft" : 80"#))
        #expect(text.contains(#""state" : "ok""#))
        #expect(text.contains(#""notAfter" : "2027-04-05T08:00:00Z""#))
        #expect(!text.contains("note"))
    }

    @Test("Without certificates it says so")
    func empty() {
        #expect(StatusTable([], now: Self.now).text == "There are no certificates.")
    }
}
