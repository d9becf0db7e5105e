internal import ACME
internal import CertificateIssuance
internal import Logging
internal import Timekeeping

/// Decides whether a certificate whose marker is due is to be renewed now.
struct RenewalTiming: Sendable {
    let environment: RenewalEnvironment
    let deadline: UnixInstant
    let logger: Logger

    /// The scheduled function runs every hour: what falls before its next run is for this one.
    private static let wakeUp = Duration.seconds(3600)
    /// When an authority cannot be asked.
    private static let retry = Duration.seconds(3600)

    /// - Returns: nil when it is to be renewed now, else when to look again.
    func nextLook(_ record: CertificateRecord, _ address: CertificateAddress) async throws -> UnixInstant? {
        guard address.kind == .letsEncrypt else { return nil }
        let now = environment.clock.now
        let facts = record.facts
        let lifetime = facts.notBefore.duration(to: facts.notAfter)
        // With so little left nobody is asked any more.
        guard now < facts.notAfter.advanced(by: .zero - lifetime / 20) else { return nil }
        let due = RenewalSchedule(
            notBefore: facts.notBefore, notAfter: facts.notAfter, generation: address.generation
        ).due
        // A record that the sweep has written again does not say whom to ask.
        guard let adviser = environment.adviser, let directory = record.settings.order?.directory,
            let id = record.certificateID.flatMap({ CertificateID($0) })
        else {
            return isDue(due, at: now) ? nil : due
        }
        let stored = try await environment.state.document(
            RenewalAdvice.self, at: address.adviceKey, deadline: deadline)?.document
        var advice = stored.flatMap { $0.certificateID == id.description ? $0 : nil }
        if advice == nil || advice.map({ $0.askAgainAt <= now }) == true {
            do {
                guard let info = try await adviser.renewalInfo(of: id, at: directory, deadline: deadline) else {
                    return isDue(due, at: now) ? nil : due
                }
                advice = chosen(info, id, keeping: advice)
                try await environment.state.write(advice, at: address.adviceKey, deadline: deadline)
            } catch let error as ACMEError {
                logger.warning(
                    "the authority could not be asked for renewal information",
                    metadata: ["cfn.stack_id": "\(record.stackID)", "error.message": "\(error)"])
                // What it said before still counts; without that the lifetime does.
                guard let advice else { return isDue(due, at: now) ? nil : min(due, now.advanced(by: Self.retry)) }
                return look(for: advice, at: now, orAt: now.advanced(by: Self.retry))
            }
        }
        return advice.flatMap { look(for: $0, at: now, orAt: $0.askAgainAt) }
    }

    /// In the last run before the time that was chosen, or earlier; nil when this is that run.
    private func look(for advice: RenewalAdvice, at now: UnixInstant, orAt other: UnixInstant) -> UnixInstant? {
        let last = advice.chosen.advanced(by: .zero - Self.wakeUp)
        return isDue(last, at: now) ? nil : min(last, other)
    }

    /// Markers are to the minute.
    private func isDue(_ due: UnixInstant, at now: UnixInstant) -> Bool { due.seconds / 60 <= now.seconds / 60 }

    /// The time stays as long as the window does.
    private func chosen(_ info: RenewalInfo, _ id: CertificateID, keeping earlier: RenewalAdvice?) -> RenewalAdvice {
        let isSame = earlier.map { $0.windowStart == info.start && $0.windowEnd == info.end } ?? false
        let width = info.start.duration(to: info.end).wholeMilliseconds
        let chosen = info.start.advanced(by: .milliseconds(environment.jitter(0...max(0, width))))
        return RenewalAdvice(
            certificateID: id.description, windowStart: info.start, windowEnd: info.end,
            chosen: isSame ? earlier?.chosen ?? chosen : chosen, askAgainAt: info.askAgainAt,
            explanationURL: info.explanationURL)
    }
}
