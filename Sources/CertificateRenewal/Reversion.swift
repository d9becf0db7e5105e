internal import AWSClient
internal import CertificateIssuance
package import Timekeeping

/// A rotation that somebody took back after the renewal: `reverted/<stack GUID>.<LogicalId>.<generation>.json` in the
/// state bucket, for as long as that generation is in use.
///
/// A pipeline that deploys a stack with its own value of the rotation parameter does that, again and again: each time
/// the key and the servers are replaced, and the certificate may be one that expires soon.
package struct Reversion: Hashable, Sendable, Codable {
    static let root = "reverted/"

    package var version = 1
    package let stackID: String
    /// Of the generation that is in use again.
    package let recordKey: String
    package let noticedAt: UnixInstant
    /// What is wrong, and what to do.
    package let line: String

    init(_ record: CertificateRecord, watch: RenewalWatch, now: UnixInstant) {
        stackID = record.stackID
        recordKey = watch.recordKey
        noticedAt = now
        let parameter = record.settings.rotationParameter
        line =
            "\(parameter) was set back after the renewal of \(watch.renewedAt.iso8601.prefix(10)): the certificate of "
            + "\(record.logicalResourceID), which expires \(record.facts.notAfter.iso8601), is the one of before. Whoever "
            + "deploys the stack must not name \(parameter) at all; or declare it with the type "
            + "AWS::SSM::Parameter::Value<String>, and renewal changes the value in Parameter Store."
    }

    static func key(_ watch: RenewalWatch) -> String { "\(root)\(watch.name).json" }
}

extension RenewalRun {
    /// Looks whether what was renewed in the last weeks has stayed so. Each reversion is told once.
    func reversions(deadline: UnixInstant) async throws -> [RenewalReport.Line] {
        let state = environment.state
        try await forgetEnded(deadline: deadline)
        var lines: [RenewalReport.Line] = []
        for watch in try await state.watches(at: environment.clock.now, deadline: deadline) {
            // The record of what was replaced goes with it; one that was claimed since says that it is in use again.
            guard
                let record = try await state.readable(
                    CertificateRecord.self, at: watch.recordKey, deadline: deadline),
                record.claim.issuedAt >= watch.renewedAt
            else { continue }
            let reversion = Reversion(record, watch: watch, now: environment.clock.now)
            let isNew = try await unlessPreconditionFails {
                try await state.write(
                    reversion, at: Reversion.key(watch), ifNoneMatch: true, deadline: deadline)
            }
            guard isNew else { continue }
            let certificate = DueCertificate(
                logicalResourceID: record.logicalResourceID, generation: watch.generation,
                rotationParameter: record.settings.rotationParameter, notBefore: record.facts.notBefore,
                notAfter: record.facts.notAfter)
            lines.append(
                RenewalReport.Line(
                    stack: DueStack(id: record.stackID, guid: watch.stackGUID, certificates: [certificate]),
                    outcome: RenewalOutcome(.reverted, reversion.line), isNews: true))
        }
        return lines
    }

    /// A reversion ends when its generation is replaced again.
    private func forgetEnded(deadline: UnixInstant) async throws {
        let state = environment.state
        for key in try await state.keys(below: Reversion.root, deadline: deadline) {
            guard let reversion = try await state.readable(Reversion.self, at: key, deadline: deadline),
                try await !state.exists(reversion.recordKey, deadline: deadline)
            else { continue }
            try await state.delete(key, deadline: deadline)
        }
    }
}
