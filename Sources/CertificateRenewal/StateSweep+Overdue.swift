internal import AWSClient
internal import CertificateIssuance
package import Timekeeping

extension StateSweep {
    /// The schedule starts a sweep every seven days, and the first one a week after the installation.
    private static let longestPause: Duration = .days(8)

    /// Whether a sweep has to begin without waiting for its schedule: none ever came to its end here, as after an
    /// installation over bundles that were there before, whose certificates renewal does not know; or the last one is
    /// too long ago.
    ///
    /// - Throws: `AWSError`.
    package func isOverdue(deadline: UnixInstant) async throws -> Bool {
        do {
            guard let latest = try await SweepReport.latest(in: state, deadline: deadline) else { return true }
            return isOlder(latest.startedAt, than: Self.longestPause)
        } catch let error as IssuanceError {
            // A damaged report is written anew. What a later version wrote is that version's business.
            return error.code == .unreadable
        }
    }
}
