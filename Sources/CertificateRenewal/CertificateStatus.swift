package import CertificateIssuance
package import Timekeeping

/// How one certificate is doing.
package struct CertificateStatus: Hashable, Sendable {
    package enum State: String, Hashable, Sendable, CaseIterable {
        case valid = "ok"
        /// Its time has come; the next run renews it.
        case due = "due"
        /// Its stack is being updated.
        case renewing = "renewing"
        /// It could not be renewed; `note` says why and what to do.
        case failing = "failing"
        case expired = "EXPIRED"
        /// Its renewal was taken back; `note` says what to do.
        case reverted = "REVERTED"
        /// The last sweep found that no stack's resource names it; `note` says what to do.
        case orphan = "ORPHAN"
    }

    package let stackID: String
    package let logicalResourceID: String
    /// Base64 SubjectPublicKeyInfo.
    package let publicKey: String
    package let notBefore: UnixInstant
    package let notAfter: UnixInstant
    package let due: UnixInstant
    package let state: State
    /// One line; nil when there is nothing to say.
    package let note: String?

    /// - Parameters:
    ///   - attempt: what is remembered of the stack's renewal.
    ///   - orphan: what the last sweep found of the bundle.
    ///   - reversion: of this generation.
    package init?(
        _ record: CertificateRecord, attempt: RenewalAttempt?, orphan: Orphan? = nil, reversion: Reversion? = nil,
        now: UnixInstant
    ) {
        guard let generation = record.address?.generation else { return nil }
        stackID = record.stackID
        logicalResourceID = record.logicalResourceID
        publicKey = record.facts.publicKey
        notBefore = record.facts.notBefore
        notAfter = record.facts.notAfter
        due = RenewalSchedule(notBefore: notBefore, notAfter: notAfter, generation: generation).due
        let concerned = attempt?.certificates.contains { $0.generation == generation.description } == true
        let failure = concerned && attempt?.execution == nil ? attempt?.failureLine : nil
        note = orphan?.line ?? failure ?? reversion?.line
        if orphan != nil {
            state = .orphan
        } else if notAfter <= now {
            state = .expired
        } else if failure != nil {
            state = .failing
        } else if reversion != nil {
            state = .reverted
        } else if concerned, attempt?.execution != nil {
            state = .renewing
        } else {
            state = due <= now ? .due : .valid
        }
    }

    /// A bundle without a record.
    init?(_ orphan: Orphan) {
        guard let address = CertificateAddress(bucket: orphan.bucket, key: orphan.key) else { return nil }
        stackID = orphan.stackID ?? orphan.stackGUID
        logicalResourceID = orphan.logicalResourceID
        publicKey = orphan.publicKey
        notBefore = orphan.notBefore
        notAfter = orphan.notAfter
        due = RenewalSchedule(notBefore: notBefore, notAfter: notAfter, generation: address.generation).due
        state = .orphan
        note = orphan.line
    }

    /// Whether somebody has to look at it.
    package var needsAttention: Bool { [.failing, .expired, .reverted, .orphan].contains(state) }

    /// `shop`, of the stack's ARN.
    package var stackName: String { stackID.split(separator: "/").dropFirst().first.map(String.init) ?? stackID }
}

extension RenewalAttempt {
    fileprivate var failureLine: String? {
        // A stack that is merely busy has not failed.
        guard failures > 0, let outcome, let line, RenewalOutcome(outcome, line).isFailure else { return nil }
        return "\(outcome.rawValue): \(line)"
    }
}

extension CertificateStatus {
    /// All certificates that the state bucket knows, those that expire first at the beginning. One GET for each.
    ///
    /// Certificates that an earlier system made, and that were never rotated since, are not among them.
    package static func all(
        in state: StateBucket, now: UnixInstant, deadline: UnixInstant
    ) async throws -> [CertificateStatus] {
        var attempts: [String: RenewalAttempt] = [:]
        for key in try await state.keys(below: RenewalAttempt.root, deadline: deadline) {
            if let attempt = try await state.document(RenewalAttempt.self, at: key, deadline: deadline)?.document {
                attempts[attempt.stackID] = attempt
            }
        }
        var orphans = Dictionary(
            try await SweepReport.latest(in: state, deadline: deadline)?.orphans.map { ($0.key, $0) } ?? []
        ) { first, _ in first }
        var reversions: [String: Reversion] = [:]
        for key in try await state.keys(below: Reversion.root, deadline: deadline) {
            if let reversion = try await state.document(Reversion.self, at: key, deadline: deadline)?.document {
                reversions[reversion.recordKey] = reversion
            }
        }
        let keys = try await state.keys(below: "records/", deadline: deadline).filter { !$0.hasSuffix("/adopted.json") }
        let records = try await withThrowingTaskGroup(of: CertificateRecord?.self) { group in
            var waiting = keys[...]
            func add() {
                guard let key = waiting.popFirst() else { return }
                group.addTask {
                    try await state.document(CertificateRecord.self, at: key, deadline: deadline)?.document
                }
            }
            for _ in 0..<readsAtOnce { add() }
            var records: [CertificateRecord] = []
            while let record = try await group.next() {
                if let record { records.append(record) }
                add()
            }
            return records
        }
        let recorded = records.compactMap {
            CertificateStatus(
                $0, attempt: attempts[$0.stackID], orphan: orphans.removeValue(forKey: $0.key),
                reversion: $0.address.flatMap { reversions[$0.recordKey] }, now: now)
        }
        return (recorded + orphans.values.compactMap { CertificateStatus($0) })
            .sorted {
                ($0.notAfter, $0.stackID, $0.logicalResourceID) < ($1.notAfter, $1.stackID, $1.logicalResourceID)
            }
    }

    private static let readsAtOnce = 16
}
