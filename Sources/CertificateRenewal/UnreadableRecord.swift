internal import CertificateIssuance
internal import Logging
internal import Timekeeping

/// A certificate that is due and cannot be renewed, because its record cannot be read. The sweep writes the record again.
struct UnreadableRecord: Hashable, Sendable {
    let stackGUID: String
    let recordKey: String
    let outcome: RenewalOutcome

    init(_ action: RenewalAction, stateBucket: String, error: any Error) {
        stackGUID = action.stackGUID
        recordKey = action.recordKey
        let object = "s3://\(stateBucket)/\(action.recordKey)"
        outcome =
            switch (error as? IssuanceError)?.code {
            case .unreadable:
                RenewalOutcome(
                    .recordUnreadable,
                    "The certificate of \(action.logicalResourceID) is due and is not renewed: its record cannot be read. "
                        + "\(object) is damaged, or is another certificate's. The weekly sweep writes it again; to do so "
                        + "now, invoke the renewal function with the payload {\"sweep\": true}.")
            case .laterFormat:
                RenewalOutcome(
                    .recordUnreadable,
                    "The certificate of \(action.logicalResourceID) is due and is not renewed: a later version of "
                        + "StackCert wrote its record (\(object)). Update the provider stack to that version.")
            default:
                RenewalOutcome(failure: error)
            }
    }

    /// When it was last told: once a day is enough.
    private struct Note: Codable {
        var version = 1
        let toldAt: UnixInstant
    }

    /// `sweep/unreadable/<stack GUID>/<LogicalId>/<generation>.json`
    static func noteKey(recordKey: String) -> String {
        "sweep/unreadable/\(recordKey.dropFirst(CertificateRecord.root.count))"
    }

    /// Whether whoever is on call has not heard of it today.
    fileprivate func isNews(in state: StateBucket, now: UnixInstant, deadline: UnixInstant) async -> Bool {
        let key = Self.noteKey(recordKey: recordKey)
        do {
            let note = try await state.document(Note.self, at: key, deadline: deadline)?.document
            if let note, note.toldAt <= now, note.toldAt.duration(to: now) < .days(1) { return false }
        } catch {
            // A damaged note is replaced.
            Logger.current.warning("a note cannot be read", metadata: ["error.message": "\(text(of: error))"])
        }
        do {
            try await state.write(Note(toldAt: now), at: key, deadline: deadline)
        } catch {
            Logger.current.warning("a note cannot be written", metadata: ["error.message": "\(text(of: error))"])
        }
        return true
    }
}

extension RenewalRun {
    /// The line of each of them in the report.
    func lines(of unreadable: [UnreadableRecord], deadline: UnixInstant) async -> [RenewalReport.Line] {
        var lines: [RenewalReport.Line] = []
        for one in unreadable {
            let isNews = await one.isNews(in: environment.state, now: environment.clock.now, deadline: deadline)
            // Nothing that can be read says what the stack is called.
            let stack = DueStack(id: one.stackGUID, guid: one.stackGUID, certificates: [])
            lines.append(RenewalReport.Line(stack: stack, outcome: one.outcome, isNews: isNews))
        }
        return lines
    }
}
