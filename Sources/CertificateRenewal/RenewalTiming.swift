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

    /// - Returns: nil when it is to be renewed now, else when to look again.
    func nextLook(_ record: CertificateRecord, _ address: CertificateAddress) async throws -> UnixInstant? {
        guard address.kind == .letsEncrypt else { return nil }
        let facts = record.facts
        let due = RenewalSchedule(
            notBefore: facts.notBefore, notAfter: facts.notAfter, generation: address.generation
        ).due
        // A record that the sweep has written again does not say whom to ask.
        guard let adviser = environment.adviser, let directory = record.settings.order?.directory,
            let id = record.certificateID.flatMap({ CertificateID($0) })
        else {
            return due.wholeMinute <= environment.clock.now ? nil : due
        }
        let planner = RenewalPlanner(
            adviser: adviser, memory: StateBucketAdvice(state: environment.state, key: address.adviceKey),
            clock: environment.clock, wakeUp: Self.wakeUp, jitter: environment.jitter)
        let (plan, failure) = try await planner.plan(
            RenewalPlanner.Subject(
                notBefore: facts.notBefore, notAfter: facts.notAfter, due: due.wholeMinute, id: id,
                directory: directory), deadline: deadline)
        if let failure {
            logger.warning(
                "the authority could not be asked for renewal information",
                metadata: ["cfn.stack_id": "\(record.stackID)", "error.message": "\(failure)"])
        }
        return switch plan {
        case .renewNow: nil
        case .lookAgain(let time): time
        }
    }
}

private struct StateBucketAdvice: RenewalAdviceMemory {
    let state: StateBucket
    let key: String

    func lastAdvice(deadline: UnixInstant) async throws -> RenewalAdvice? {
        try await state.readable(RenewalAdvice.self, at: key, deadline: deadline)
    }

    func remember(_ advice: RenewalAdvice, deadline: UnixInstant) async throws {
        _ = try await state.write(advice, at: key, deadline: deadline)
    }
}
