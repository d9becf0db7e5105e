package import Logging
internal import Synchronization
package import Timekeeping

/// What one kind of resource does for each request. Replies, deadlines and envelopes are not its business.
///
/// A request may come twice, late, or again with the same properties: each method must converge on the same result.
package protocol ResourceHandler: Sendable {
    /// Makes the resource, or finds it again.
    func create(_ request: CustomResourceRequest, in context: ResourceContext) async throws -> ResourceOutcome

    /// Makes the resource that the new properties describe, or finds it again. Another physical id in the outcome
    /// makes CloudFormation delete the old one when nothing needs it any more.
    func update(
        _ request: CustomResourceRequest, of physicalResourceID: String, in context: ResourceContext
    ) async throws -> ResourceOutcome

    /// Removes what `physicalResourceID` names; that it is gone already is success.
    func delete(
        _ request: CustomResourceRequest, of physicalResourceID: String, in context: ResourceContext
    ) async throws
}

/// What a handler gets beside the request.
package struct ResourceContext: Sendable {
    /// When the work must have ended. Lambda's own deadline is later by what the reply needs.
    package let deadline: UnixInstant
    package let logger: Logger
    package let progress: ResourceProgress

    package init(deadline: UnixInstant, logger: Logger, progress: ResourceProgress = ResourceProgress()) {
        self.deadline = deadline
        self.logger = logger
        self.progress = progress
    }
}

/// What a successful Create or Update returns to the template.
package struct ResourceOutcome: Hashable, Sendable {
    package let physicalResourceID: String
    /// For `Fn::GetAtt`. Everything that is documented is in every outcome (case 16), and nothing secret (case 24).
    package let attributes: [String: String]

    package init(physicalResourceID: String, attributes: [String: String]) {
        self.physicalResourceID = physicalResourceID
        self.attributes = attributes
    }
}

/// Remembers the physical id under which a Create may have stored something, for the case that it fails or runs out of
/// time: only that id lets the rollback's Delete clean up (cases 1 and 2).
package final class ResourceProgress: Sendable {
    private let id = Mutex<String?>(nil)

    package init() {}

    package var physicalResourceID: String? { id.withLock { $0 } }

    /// To be called before the first write.
    package func willStore(as physicalResourceID: String) {
        id.withLock { $0 = physicalResourceID }
    }
}
