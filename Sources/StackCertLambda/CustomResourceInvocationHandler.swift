import CustomResource
import HTTPTransport
import LambdaRuntime
import Logging
import Timekeeping

/// Passes an invocation's event to the resource's handler.
struct CustomResourceInvocationHandler<Handler: ResourceHandler>: InvocationHandler {
    let handler: Handler
    let executor: any HTTPExecutor
    let clock: any WallClock
    /// Empty: the account of the function itself.
    let allowedAccounts: Set<String>
    let loopbackResponseURLsAllowed: Bool

    func handle(_ invocation: Invocation) async throws -> [UInt8] {
        let settings = CustomResourceSettings(
            allowedAccounts: allowedAccounts.isEmpty ? [account(of: invocation)] : allowedAccounts,
            loopbackResponseURLsAllowed: loopbackResponseURLsAllowed)
        let function = CustomResourceFunction(
            handler: handler, sender: ReplySender(executor: executor, clock: clock), settings: settings, clock: clock)
        let status = try await function.handle(
            invocation.payload, deadline: invocation.deadline, logger: .current)
        return Array("{\"Status\":\"\(status.rawValue)\"}".utf8)
    }

    /// `arn:aws:lambda:<region>:<account>:function:<name>`
    private func account(of invocation: Invocation) -> String {
        let fields = invocation.invokedFunctionARN.split(separator: ":", omittingEmptySubsequences: false)
        return fields.count > 4 ? String(fields[4]) : ""
    }
}

/// Stands in for a handler that could not be set up: each event is answered with the reason, so that no stack hangs for
/// an hour because of the provider's configuration (case 20).
struct UnconfiguredHandler: ResourceHandler {
    let error: any Error

    func create(_ request: CustomResourceRequest, in context: ResourceContext) async throws -> ResourceOutcome {
        throw error
    }

    func update(
        _ request: CustomResourceRequest, of physicalResourceID: String, in context: ResourceContext
    ) async throws -> ResourceOutcome {
        throw error
    }

    func delete(
        _ request: CustomResourceRequest, of physicalResourceID: String, in context: ResourceContext
    ) async throws {
        throw error
    }
}
