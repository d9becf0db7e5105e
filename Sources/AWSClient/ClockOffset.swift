internal import HTTPTypes
internal import Synchronization
internal import Timekeeping

/// How far AWS's clock is ahead of ours, as its answers told. Signatures more than five minutes off are refused.
final class ClockOffset: Sendable {
    private static let tolerance = Duration.seconds(240)

    private let offset = Mutex(Duration.zero)

    var current: Duration { offset.withLock { $0 } }

    /// Takes over the time of a refusal if it explains the refusal: true when it was off by minutes.
    func correct(from fields: HTTPFields, now: UnixInstant) -> Bool {
        guard let date = fields[.date].flatMap({ UnixInstant(httpDate: $0) }) else { return false }
        let measured = now.duration(to: date)
        return offset.withLock { offset in
            let difference = measured - offset
            guard difference > ClockOffset.tolerance || difference < .zero - ClockOffset.tolerance else { return false }
            offset = measured
            return true
        }
    }
}
