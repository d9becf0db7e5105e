internal import AWSClient
internal import CertificateIssuance
internal import Timekeeping

/// Which bundles a stack's resources name, as CloudFormation says.
struct StackInventory: Sendable {
    /// Whether a bundle is in use.
    enum Standing: Hashable, Sendable {
        /// A resource of the stack names it.
        case named
        /// The stack exists, is at rest, and its resource names another bundle or is not there.
        case unnamed
        /// The stack does not exist any more.
        case stackDeleted
        /// The stack is at work, or failed half-way, or cannot be seen from here.
        case undecided
    }

    private enum Contents: Sendable {
        case names(Set<String>)
        case deleted
        case invisible
    }

    let stackID: String
    private let contents: Contents
    private let cloudFormation: CloudFormation

    /// - Parameter home: the beginning of the ARNs of all stacks that can be seen. Of another account's stack
    ///   CloudFormation may say that it does not exist.
    init(
        _ stackID: String, home: String, cloudFormation: CloudFormation, deadline: UnixInstant
    ) async throws {
        self.stackID = stackID
        self.cloudFormation = cloudFormation
        guard stackID.hasPrefix(home) else {
            contents = .invisible
            return
        }
        do {
            let resources = try await cloudFormation.listStackResources(stackID, deadline: deadline)
            contents = .names(Set(resources.filter(\.isPresent).compactMap(\.physicalResourceID)))
        } catch let error as AWSError where error.isMissingStack {
            contents = .deleted
        }
    }

    func standing(of address: CertificateAddress, deadline: UnixInstant) async throws -> Standing {
        switch contents {
        case .invisible: return .undecided
        case .deleted: return .stackDeleted
        case .names(let names) where names.contains(PhysicalResourceID.certificate(address).text): return .named
        case .names:
            do {
                // What an update or a rollback is about to delete is no orphan yet.
                let status = try await cloudFormation.describeStack(stackID, deadline: deadline).status
                if status == "DELETE_COMPLETE" { return .stackDeleted }
                return status.hasSuffix("_COMPLETE") ? .unnamed : .undecided
            } catch let error as AWSError where error.isMissingStack {
                return .stackDeleted
            }
        }
    }
}
