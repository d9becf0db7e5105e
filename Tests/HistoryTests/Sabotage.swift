import CustomResource
import HTTPTypes
import Logging

/// A provider that is broken on purpose: each has to be caught, else the rules prove nothing.
enum Sabotage: String, CaseIterable, Sendable {
    /// Overwrites bundles.
    case ignoresIfNoneMatch
    /// Forgets what was deleted.
    case dropsTombstones
    /// An update that rotates deletes the old generation at once.
    case deletesInline
    /// Says that it deleted.
    case deletesNothing
    /// Logs a property's value.
    case logsProperties
    /// Logs the event as it came, with the URL that answers it.
    case logsEvents
    /// Logs what it sends, private keys among it.
    case logsBodies
    /// A failure carries a value in its reason.
    case quotesProperties

    /// The rules of which it has to break one.
    var rules: Set<Violation.Rule> {
        switch self {
        case .ignoresIfNoneMatch: [.liveKey, .oneBundle]
        case .dropsTombstones, .deletesNothing: [.oneBundle]
        case .deletesInline: [.liveKey]
        case .logsProperties, .logsEvents, .logsBodies, .quotesProperties: [.noSecret]
        }
    }

    func rewrite(_ request: HTTPRequest) -> HTTPRequest? {
        var request = request
        switch self {
        case .ignoresIfNoneMatch:
            request.headerFields[.ifNoneMatch] = nil
        case .dropsTombstones where request.method == .put && (request.path ?? "").contains("/tombstones/"):
            return nil
        case .deletesNothing where request.method == .delete:
            return nil
        default: break
        }
        return request
    }
}

/// The handler as it is, or with what a sabotage adds.
struct SabotagedHandler<Handler: ResourceHandler>: ResourceHandler {
    let handler: Handler
    let sabotage: Sabotage?

    func create(
        _ request: CustomResourceRequest, in context: ResourceContext
    ) async throws -> ResourceOutcome {
        try leak(request, in: context)
        return try await handler.create(request, in: context)
    }

    func update(
        _ request: CustomResourceRequest, of physicalResourceID: String, in context: ResourceContext
    ) async throws -> ResourceOutcome {
        try leak(request, in: context)
        let outcome = try await handler.update(request, of: physicalResourceID, in: context)
        if sabotage == .deletesInline, outcome.physicalResourceID != physicalResourceID {
            try await handler.delete(request, of: physicalResourceID, in: context)
        }
        return outcome
    }

    func delete(
        _ request: CustomResourceRequest, of physicalResourceID: String, in context: ResourceContext
    ) async throws {
        try await handler.delete(request, of: physicalResourceID, in: context)
    }

    private func leak(_ request: CustomResourceRequest, in context: ResourceContext) throws {
        guard case .string(let text)? = request.properties.members["Rotation"] else { return }
        if sabotage == .logsProperties { context.logger.info("request", metadata: ["rotation": "\(text)"]) }
        if sabotage == .quotesProperties { throw CustomResourceError.invalid("Rotation", "is \(text)") }
    }
}
