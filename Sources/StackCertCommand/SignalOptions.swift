import AWSClient
import ArgumentParser
import CertificateAgent
import Timekeeping

/// Telling CloudFormation whether a server has come up.
struct SignalOptions: ParsableArguments {
    @Option(name: .customLong("signal-stack"), help: "Tell this CloudFormation stack how the first pull ended.")
    var stack: String?

    @Option(name: .customLong("signal-resource"), help: "The stack's resource that waits for it.")
    var resource: String?

    var isWanted: Bool { stack != nil }

    func validate() throws {
        guard (stack == nil) == (resource == nil) else {
            throw ValidationError("--signal-stack and --signal-resource belong together.")
        }
    }

    /// Does the work and signals SUCCESS or FAILURE with this instance's id. The work's own error is thrown either way.
    func report(through connection: AWSConnection, _ work: () async throws -> Void) async throws {
        do {
            try await work()
        } catch {
            do {
                try await send(.failure, through: connection)
            } catch let unsent as AWSError {
                StandardStreams.complain(unsent.message)
            }
            throw error
        }
        try await send(.success, through: connection)
    }

    private func send(_ status: CloudFormation.SignalStatus, through connection: AWSConnection) async throws {
        guard let stack, let resource else { return }
        let deadline = connection.clock.now.advanced(by: .seconds(60))
        let instance = try await connection.instance.instanceID(deadline: deadline)
        let isWaiting = try await CloudFormation(connection.client).signalResource(
            stack: stack, logicalID: resource, uniqueID: instance, status: status, deadline: deadline)
        if !isWaiting { StandardStreams.complain("\(resource) does not wait for signals now.") }
    }
}
