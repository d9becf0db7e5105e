package import CertificateIssuance
package import Timekeeping

/// Everything that is known of one generation without looking at its key: its record, how it is doing, and what is
/// remembered of its stack's renewal.
package struct CertificateDetails: Hashable, Sendable {
    package let record: CertificateRecord
    package let status: CertificateStatus
    /// Nil when no renewal is under way, and none failed since the last success.
    package let attempt: RenewalAttempt?
    /// Whether it is the one in use. While servers change over, the one before is still there.
    package let isCurrent: Bool
    /// What its authority said of its renewal; nil when it was not asked yet, or had nothing to say.
    package let advice: RenewalAdvice?

    package init(
        record: CertificateRecord, status: CertificateStatus, attempt: RenewalAttempt?, isCurrent: Bool,
        advice: RenewalAdvice? = nil
    ) {
        self.record = record
        self.status = status
        self.attempt = attempt
        self.isCurrent = isCurrent
        self.advice = advice
    }

    /// The certificates of a stack, by the names of their resources, those in use before those that they replaced.
    ///
    /// - Parameter stackID: the stack's ARN.
    package static func all(
        of stackID: String, in state: StateBucket, now: UnixInstant, deadline: UnixInstant
    ) async throws -> [CertificateDetails] {
        let guid = stackID.split(separator: "/").last.map(String.init) ?? stackID
        let attempt = try await state.document(
            RenewalAttempt.self, at: RenewalAttempt.key(stackGUID: guid), deadline: deadline)?.document
        var records: [CertificateRecord] = []
        for key in try await state.keys(below: "records/\(guid)/", deadline: deadline)
        where !key.hasSuffix("/adopted.json") {
            if let record = try await state.document(CertificateRecord.self, at: key, deadline: deadline)?.document {
                records.append(record)
            }
        }
        records.sort {
            ($0.logicalResourceID, $1.claim.issuedAt, $0.key) < ($1.logicalResourceID, $0.claim.issuedAt, $1.key)
        }
        var resources: Set<String> = []
        var all: [CertificateDetails] = []
        for record in records {
            guard let address = record.address, let status = CertificateStatus(record, attempt: attempt, now: now)
            else { continue }
            var advice: RenewalAdvice?
            if record.certificateID != nil {
                advice = try await state.document(RenewalAdvice.self, at: address.adviceKey, deadline: deadline)?
                    .document
            }
            all.append(
                CertificateDetails(
                    record: record, status: status, attempt: attempt,
                    isCurrent: resources.insert(record.logicalResourceID).inserted, advice: advice))
        }
        return all
    }
}
