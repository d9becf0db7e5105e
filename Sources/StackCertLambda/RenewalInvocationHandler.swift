import AWSClient
import CertificateRenewal
import LambdaRuntime
import Logging
import Timekeeping

/// One run of the renewal, whatever the event says: the schedule only wakes it.
struct RenewalInvocationHandler: InvocationHandler {
    let run: RenewalRun
    let configuration: RenewalConfiguration
    let sns: SNS
    let clock: any WallClock

    /// Kept back of the invocation's time for notifications and metrics.
    private static let reserve: Duration = .seconds(20)

    func handle(_ invocation: Invocation) async throws -> [UInt8] {
        let time = clock.now.duration(to: invocation.deadline)
        let deadline = invocation.deadline.advanced(by: .zero - min(Self.reserve, time / 2))
        let report = try await run.run(until: deadline, logger: .current)
        emit(report)
        await notify(report, deadline: invocation.deadline.advanced(by: .seconds(-2)))
        let counts = RenewalOutcome.Code.allCases.compactMap { code in
            report.count(code) > 0 ? "\"\(code.rawValue)\":\(report.count(code))" : nil
        }
        return Array("{\"Due\":\(report.due),\"Stacks\":{\(counts.joined(separator: ","))}}".utf8)
    }

    private func emit(_ report: RenewalReport) {
        var record = MetricRecord(
            namespace: "StackCert", dimensions: [("FunctionName", configuration.functionName)])
        record.add("CertificatesDue", report.due)
        record.add("RenewalsStarted", report.count(.started))
        record.add("RenewalsCompleted", report.count(.renewed))
        record.add("RenewalsFailed", report.failed)
        if let expiry = report.nearestExpiry {
            let days = clock.now.duration(to: expiry) / Duration.days(1)
            record.add("DaysToNearestExpiry", Int(days.rounded(.down)), .none)
        }
        record.emit(at: clock.now)
        for code in Set(report.lines.filter(\.outcome.isFailure).map(\.outcome.code)) {
            var record = MetricRecord(
                namespace: "StackCert",
                dimensions: [("FunctionName", configuration.functionName), ("Reason", code.rawValue)])
            record.add("RenewalsFailed", report.count(code))
            record.emit(at: clock.now)
        }
    }

    /// One message for each failure that is news. That one cannot be sent does not undo what was done.
    private func notify(_ report: RenewalReport, deadline: UnixInstant) async {
        guard let topic = configuration.topicARN else { return }
        for line in report.lines where line.isNews {
            let name = line.stack.id.split(separator: "/").dropFirst().first.map(String.init) ?? line.stack.id
            do {
                try await sns.publish(
                    to: topic,
                    subject: "StackCert: certificate of stack \(name) not renewed (\(line.outcome.code.rawValue))",
                    message:
                        "\(line.outcome.line)\n\nStack: \(line.stack.id)\nLog: function \(configuration.functionName)\n",
                    deadline: deadline)
            } catch {
                Logger.current.error("a notification could not be sent", metadata: ["error.message": "\(error)"])
            }
        }
    }
}

/// Stands in for a renewal that could not be set up: each run fails with the reason, and so raises the function's alarm.
struct UnconfiguredRenewal: InvocationHandler {
    let error: any Error

    func handle(_ invocation: Invocation) async throws -> [UInt8] { throw error }
}
