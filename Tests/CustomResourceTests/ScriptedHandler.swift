import CustomResource
import Diagnostics
import Synchronization

/// A resource that does what the test says, and remembers what it was asked for.
final class ScriptedHandler: ResourceHandler {
    typealias Work = @Sendable (CustomResourceRequest, ResourceContext) async throws -> ResourceOutcome

    private let work: Work
    private let names = Mutex<[String]>([])

    init(
        _ work: @escaping Work = { _, _ in ResourceOutcome(physicalResourceID: "made", attributes: ["Name": "value"]) }
    ) {
        self.work = work
    }

    /// `create`, `update id`, `delete id`, in order.
    var calls: [String] { names.withLock { $0 } }

    func create(_ request: CustomResourceRequest, in context: ResourceContext) async throws -> ResourceOutcome {
        names.withLock { $0.append("create") }
        return try await work(request, context)
    }

    func update(
        _ request: CustomResourceRequest, of physicalResourceID: String, in context: ResourceContext
    ) async throws -> ResourceOutcome {
        names.withLock { $0.append("update \(physicalResourceID)") }
        return try await work(request, context)
    }

    func delete(
        _ request: CustomResourceRequest, of physicalResourceID: String, in context: ResourceContext
    ) async throws {
        names.withLock { $0.append("delete \(physicalResourceID)") }
        _ = try await work(request, context)
    }
}

/// An error of ours.
struct Mishap: DiagnosticError {
    let code = 1
    let message: String
    var cause: (any Error)?

    init(_ message: String, cause: (any Error)? = nil) {
        self.message = message
        self.cause = cause
    }
}
