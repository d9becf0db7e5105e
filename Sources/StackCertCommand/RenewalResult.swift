import AWSClient
import CertificateRenewal
import Timekeeping

/// What became of one stack, or would become of it.
struct RenewalResult: Encodable, Sendable {
    let stack: String
    let stackId: String
    /// A ``RenewalOutcome/Code``; of a dry run `WouldRenew` when nothing speaks against it; `NotDue`.
    let outcome: String
    let message: String
    /// Whether it is as was asked for.
    let isDone: Bool
    var changes: [Change]?

    struct Change: Encodable, Sendable {
        let resource: String
        let type: String
        let action: String
        let replacement: String?
        /// Whether it belongs to the rotation.
        let allowed: Bool
        let cause: String
    }

    private enum CodingKeys: String, CodingKey {
        case stack, stackId, outcome, message, changes
    }

    private init(_ stack: DueStack, outcome: String, _ message: String, isDone: Bool) {
        self.stack = stack.name
        stackId = stack.id
        self.outcome = outcome
        self.message = message
        self.isDone = isDone
    }

    init(_ stack: DueStack, _ outcome: RenewalOutcome) {
        // The last two are as the scheduled function leaves them, too.
        let isDone = [.renewed, .stackDeleted, .switchedOff].contains(outcome.code)
        self.init(stack, outcome: outcome.code.rawValue, outcome.line, isDone: isDone)
    }

    init(_ preview: RenewalPreview) {
        if let refusal = preview.refusal {
            self.init(preview.stack, refusal)
        } else {
            self.init(
                preview.stack, outcome: "WouldRenew",
                "The update with \(preview.rotation) does nothing but rotate, and would be started.", isDone: true)
        }
        changes = preview.verdicts.map { verdict in
            Change(
                resource: verdict.change.logicalResourceID, type: verdict.change.resourceType,
                action: verdict.change.action, replacement: verdict.change.replacement, allowed: verdict.isExpected,
                cause: verdict.causes)
        }
    }

    /// A stack whose certificates nobody has to renew yet.
    init(notDue stack: DueStack) {
        let parts = stack.certificates.map { certificate in
            "\(certificate.logicalResourceID) on \(certificate.due?.day ?? "a day that cannot be read")"
                + " (valid until \(certificate.notAfter.day))"
        }
        self.init(
            stack, outcome: "NotDue", "Not due yet. Renewal: \(parts.joined(separator: ", ")).", isDone: true)
    }

    /// The changes, a line for each, and how it ended.
    var lines: [String] {
        let changes = (changes ?? []).map { change in
            let replacement = change.replacement == "True" ? ", replacing it" : ""
            return "  \(change.allowed ? "yes" : "NO ")  \(change.action) \(change.resource) (\(change.type))"
                + "\(replacement): \(change.cause)"
        }
        return changes + ["\(stack): \(outcome): \(message)"]
    }

    /// Results on standard output, what somebody has to see to on standard error.
    func write() {
        for line in lines.dropLast() { StandardStreams.write(line) }
        guard let last = lines.last else { return }
        isDone ? StandardStreams.write(last) : StandardStreams.complain(last)
    }
}
