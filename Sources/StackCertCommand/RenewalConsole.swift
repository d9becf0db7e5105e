import AWSClient
import CertificateRenewal
import Diagnostics
import Glibc
import Timekeeping

/// Tells what happens while stacks are updated: events as lines as they come, and on a terminal one more line that says
/// what is waited for. With JSON on standard output the events go to standard error.
actor RenewalConsole {
    private let eventsGoToErrors: Bool
    private let isTerminal: Bool
    private let begun = ContinuousClock.now
    private var states: [String: String] = [:]

    init(_ format: OutputOptions.Format, isTerminal: Bool = isatty(STDERR_FILENO) == 1) {
        eventsGoToErrors = format == .json
        self.isTerminal = isTerminal
    }

    func show(_ progress: StackProgress) {
        clear()
        for event in progress.events { write(Self.line(event, stack: progress.stack)) }
        states[progress.stack] = progress.status
        guard isTerminal else { return }
        let seconds = begun.duration(to: .now).components.seconds
        let text = states.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        StandardStreams.writePart("\(seconds / 60)m\(seconds % 60)s  \(text.prefix(100))", to: STDERR_FILENO)
    }

    /// Nothing more happens in this stack.
    func end(_ stack: String) {
        clear()
        states[stack] = nil
    }

    /// `07:12:03  shop  Certificate  UPDATE_IN_PROGRESS  Because.`
    static func line(_ event: CloudFormation.StackEvent, stack: String) -> String {
        let time = event.timestamp.map { String($0.iso8601.dropFirst(11).prefix(8)) } ?? "--:--:--"
        let parts = [time, stack, event.logicalResourceID, event.status, event.statusReason ?? ""]
        // A reason is whatever a resource's provider wrote.
        return Reason(parts.filter { !$0.isEmpty }.joined(separator: "  ")).description
    }

    private func write(_ line: String) {
        eventsGoToErrors ? StandardStreams.remark(line) : StandardStreams.write(line)
    }

    /// Takes the line away that says what is waited for.
    private func clear() {
        if isTerminal { StandardStreams.writePart("\r\u{1B}[K", to: STDERR_FILENO) }
    }
}
