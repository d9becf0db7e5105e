internal import AWSClient
internal import CertificateIssuance
internal import Timekeeping

/// How far a sweep has come that is not at its end: `sweep/progress.json`. It is also the lock.
struct SweepProgress: Hashable, Sendable, Codable {
    static let key = "sweep/progress.json"

    /// In their order.
    enum Phase: String, Hashable, Sendable, Codable, CaseIterable {
        case records, bundles, letsEncryptBundles, markers
    }

    var version = 1
    /// Until then nobody else goes on with it.
    var leaseEnds: UnixInstant
    private(set) var phase = Phase.records
    /// The last key of this phase that is done.
    private(set) var position: String?
    var report: SweepReport
    private(set) var isAtEnd = false

    init(startedAt: UnixInstant) {
        leaseEnds = startedAt
        report = SweepReport(startedAt: startedAt)
    }

    /// Whether another run is at it.
    func isLeased(at now: UnixInstant) -> Bool {
        leaseEnds > now && leaseEnds <= now.advanced(by: RenewalAttempt.longestLease)
    }

    /// Notes a page that was gone through.
    mutating func pass(_ page: SweptPage) {
        report.add(page.findings)
        position = page.lastKey ?? position
        guard page.isLast else { return }
        position = nil
        switch phase {
        case .records: phase = .bundles
        case .bundles: phase = .letsEncryptBundles
        case .letsEncryptBundles: phase = .markers
        case .markers: isAtEnd = true
        }
    }
}

/// One page of a listing, gone through.
struct SweptPage: Sendable {
    let findings: SweepReport
    let lastKey: String?
    let isLast: Bool
}
