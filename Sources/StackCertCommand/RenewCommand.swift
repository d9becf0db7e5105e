import ArgumentParser
import CertificateRenewal
import Diagnostics
import Logging
import Timekeeping

/// `stackcert renew`
struct RenewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew",
        abstract: "Renew now what is due, as the scheduled function would, and wait for the end.",
        discussion: """
            Each stack is updated with its own template, parameters and service role; only the rotation parameter \
            changes. An update that would do more is not started. Should the command be ended in the middle, the \
            scheduled function looks after the rest; the two never rotate twice.

            Exit code 0: done, or nothing was due. 1: something failed or needs a person; the last lines say what. \
            2: it could not be read what is due.

            EXAMPLES
              stackcert renew
              stackcert renew --dry-run
              stackcert renew shop blog --output json
            """)

    @Argument(help: "Names or ARNs of the stacks. Default: all in which something is due.")
    var stacks: [String] = []

    @OptionGroup var options: RenewalOptions

    func run() async throws {
        let results: [RenewalResult]
        do {
            results = try await options.aws.withAWS { try await renew($0) }
        } catch {
            StandardStreams.complain(Reason(error).description)
            throw ExitCode(2)
        }
        switch options.output.output {
        case .json: StandardStreams.write(try OutputOptions.document(results))
        case .text:
            for result in results { result.write() }
            if results.isEmpty { StandardStreams.write("Nothing is due.") }
        }
        if results.contains(where: { !$0.isDone }) { throw ExitCode(1) }
    }

    private func renew(_ connection: AWSConnection) async throws -> [RenewalResult] {
        let deadline = connection.clock.now.advanced(by: .seconds(120))
        let environment = try await options.environment(connection, trigger: .person, deadline: deadline)
        let logger = Logger(label: "stackcert", factory: { _ in SwiftLogNoOpLogHandler() })
        let due = try await RenewalRun(environment).stacks(deadline: deadline, logger: logger)
        guard !stacks.isEmpty else {
            let results = await options.run(due, environment: environment) { _ in true }
            return options.dryRun ? results + (try await notDue(besides: due, environment, deadline)) : results
        }
        var chosen: [DueStack] = []
        var results: [RenewalResult] = []
        for name in stacks {
            let found = due.filter { $0.isNamed(name) }
            if found.isEmpty {
                results.append(
                    RenewalResult(
                        notDue: try await options.certified(name, environment: environment, deadline: deadline)))
            }
            chosen += found.filter { !chosen.contains($0) }
        }
        return await options.run(chosen, environment: environment) { _ in true } + results
    }

    private func notDue(
        besides due: [DueStack], _ environment: RenewalEnvironment, _ deadline: UnixInstant
    ) async throws -> [RenewalResult] {
        let statuses = try await CertificateStatus.all(
            in: environment.state, now: environment.clock.now, deadline: deadline)
        var results: [RenewalResult] = []
        for id in Set(statuses.map(\.stackID)).sorted() where !due.contains(where: { $0.id == id }) {
            let stack = try await DueStack.certified(id, environment: environment, deadline: deadline)
            if let stack { results.append(RenewalResult(notDue: stack)) }
        }
        return results
    }
}
