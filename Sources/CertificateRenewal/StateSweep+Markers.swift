internal import AWSClient
internal import CertificateIssuance
internal import Logging
internal import Timekeeping

extension StateSweep {
    /// Markers that point at no record go. A young one may be about to get its record: the marker is written first.
    func sweepMarkers(
        _ objects: [ObjectSummary], deadline: UnixInstant, logger: Logger
    ) async throws -> SweepReport {
        try await forEach(objects) { object in
            var found = SweepReport(startedAt: now)
            found.tally.markers = 1
            guard let action = RenewalAction(key: object.key) else {
                found.tally.unreadable = 1
                return found
            }
            guard isOlder(object.lastModified, than: Self.grace),
                try await !state.exists(action.recordKey, deadline: deadline)
            else { return found }
            try await state.remove(action, deadline: deadline)
            found.tally.markersRemoved = 1
            return found
        }
    }
}
