import AWSClient
import CertificateIssuance
import CertificateRenewal
import FoundationEssentials
import LambdaRuntime
import Logging
import Timekeeping

/// One run of the renewal, or of the sweep when the event is `{"sweep": true}`: two schedules wake the function. After each
/// renewal a sweep that ran out of time is gone on with, and one that is overdue begins.
struct RenewalInvocationHandler: InvocationHandler {
    let environment: RenewalEnvironment
    let bundles: BundleListing?
    let configuration: RenewalConfiguration
    let sns: SNS
    let clock: any WallClock

    /// Kept back of the invocation's time for notifications and metrics.
    private static let reserve: Duration = .seconds(20)

    func handle(_ invocation: Invocation) async throws -> [UInt8] {
        let time = clock.now.duration(to: invocation.deadline)
        let deadline = invocation.deadline.advanced(by: .zero - min(Self.reserve, time / 2))
        if asksForSweep(invocation.payload) {
            return try await sweep(invocation, begins: true, until: deadline)
        }
        let report = try await RenewalRun(environment).run(until: deadline, logger: .current)
        emit(report)
        await notify(report, deadline: invocation.deadline.advanced(by: .seconds(-2)))
        if bundles != nil { _ = try await sweep(invocation, until: deadline) }
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

extension RenewalInvocationHandler {
    private struct Event: Decodable {
        let sweep: Bool?
    }

    private func asksForSweep(_ payload: [UInt8]) -> Bool {
        (try? JSONDecoder().decode(Event.self, from: Data(payload)))?.sweep == true
    }

    /// - Parameter begins: whether a sweep that is not overdue begins as well.
    private func sweep(
        _ invocation: Invocation, begins: Bool = false, until deadline: UnixInstant
    ) async throws -> [UInt8] {
        guard let bundles else {
            throw ConfigurationError(
                .missing("STACKCERT_CERTIFICATE_BUCKET"),
                "The renewal function has no environment variable STACKCERT_CERTIFICATE_BUCKET: update the provider "
                    + "stack from its own template.")
        }
        let sweep = StateSweep(environment, bundles: bundles, home: home(of: invocation))
        var begins = begins
        if !begins { begins = try await sweep.isOverdue(deadline: deadline) }
        switch try await sweep.run(begins: begins, until: deadline, logger: .current) {
        case .idle: return Array(#"{"Sweep":"Idle"}"#.utf8)
        case .interrupted: return Array(#"{"Sweep":"Interrupted"}"#.utf8)
        case .complete(let report):
            emit(report.tally)
            return Array(#"{"Sweep":"Complete","Orphans":\#(report.tally.orphans)}"#.utf8)
        }
    }

    /// `arn:aws:lambda:<region>:<account>:function:<name>`, made the beginning of the ARNs of stacks beside it.
    private func home(of invocation: Invocation) -> String {
        let fields = invocation.invokedFunctionARN.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count > 4 else { return "arn:" }
        return "arn:\(fields[1]):cloudformation:\(fields[3]):\(fields[4]):stack/"
    }

    private func emit(_ tally: SweepTally) {
        var record = MetricRecord(
            namespace: "StackCert", dimensions: [("FunctionName", configuration.functionName)])
        record.add("Orphans", tally.orphans)
        record.add("RecordsRepaired", tally.recordsWritten)
        record.add("RecordsRemoved", tally.recordsRemoved)
        record.add("MarkersRepaired", tally.markersWritten)
        record.add("MarkersRemoved", tally.markersRemoved)
        record.emit(at: clock.now)
    }
}

/// Stands in for a renewal that could not be set up: each run fails with the reason, and so raises the function's alarm.
struct UnconfiguredRenewal: InvocationHandler {
    let error: any Error

    func handle(_ invocation: Invocation) async throws -> [UInt8] { throw error }
}
