internal import AWSClient
package import CertificateIssuance
package import Timekeeping

/// What the last whole sweep found and did: `sweep/latest.json` in the state bucket.
package struct SweepReport: Hashable, Sendable, Codable {
    static let key = "sweep/latest.json"

    package var version = 1
    package let startedAt: UnixInstant
    package var endedAt: UnixInstant?
    package var tally: SweepTally
    /// The first thousand of them; `tally` counts all.
    package private(set) var orphans: [Orphan] = []

    init(startedAt: UnixInstant) {
        self.startedAt = startedAt
        tally = SweepTally()
    }

    /// Findings of a page that was gone through.
    mutating func add(_ page: SweepReport) {
        tally.add(page.tally)
        orphans += page.orphans.prefix(1000 - orphans.count)
    }

    mutating func add(_ orphan: Orphan) {
        tally.orphans += 1
        orphans.append(orphan)
    }

    /// The last sweep that came to its end; nil when there was none.
    package static func latest(in state: StateBucket, deadline: UnixInstant) async throws -> SweepReport? {
        try await state.document(SweepReport.self, at: key, deadline: deadline)?.document
    }
}

/// How many of what a sweep saw and mended.
package struct SweepTally: Hashable, Sendable, Codable {
    package var records = 0
    package var bundles = 0
    package var markers = 0
    package var recordsWritten = 0
    package var recordsRemoved = 0
    package var markersWritten = 0
    package var markersRemoved = 0
    package var orphans = 0
    /// Left alone because their stack is busy, or another account's.
    package var undecided = 0
    /// Documents and objects that are not as the provider writes them.
    package var unreadable = 0

    mutating func add(_ other: SweepTally) {
        records += other.records
        bundles += other.bundles
        markers += other.markers
        recordsWritten += other.recordsWritten
        recordsRemoved += other.recordsRemoved
        markersWritten += other.markersWritten
        markersRemoved += other.markersRemoved
        orphans += other.orphans
        undecided += other.undecided
        unreadable += other.unreadable
    }
}

/// A bundle that no stack's resource names. The sweep never deletes one: it may be the only copy of a key that is in use.
package struct Orphan: Hashable, Sendable, Codable {
    package let bucket: String
    package let key: String
    /// The stack's ARN; nil when only its last part is known, from the bundle's key.
    package let stackID: String?
    package let stackGUID: String
    package let logicalResourceID: String
    /// Base64 SubjectPublicKeyInfo.
    package let publicKey: String
    package let notBefore: UnixInstant
    package let notAfter: UnixInstant
    /// What is wrong, and what to do.
    package let line: String

    init(_ address: CertificateAddress, stackID: String?, facts: CertificateFacts, reason: String) {
        bucket = address.bucket
        key = address.key
        self.stackID = stackID
        stackGUID = address.stackGUID
        logicalResourceID = address.logicalResourceID
        publicKey = facts.publicKey
        notBefore = facts.notBefore
        notAfter = facts.notAfter
        line =
            "\(reason) If no server uses it, delete s3://\(address.bucket)/\(address.key) with all its versions, with the "
            + "break-glass role."
    }
}
