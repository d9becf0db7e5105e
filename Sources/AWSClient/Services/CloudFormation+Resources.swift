package import Timekeeping

extension CloudFormation {
    /// A resource as its stack knows it.
    package struct StackResource: Hashable, Sendable {
        package let logicalResourceID: String
        /// Nil before the resource exists.
        package let physicalResourceID: String?
        /// Such as `CREATE_COMPLETE`.
        package let status: String

        /// Whether the stack has it: CloudFormation lists what it deleted, or kept behind, for some time.
        package var isPresent: Bool { !["DELETE_COMPLETE", "DELETE_SKIPPED"].contains(status) }
    }

    /// All resources of a stack, also of one that was deleted less than 90 days ago when it is named by its ARN.
    package func listStackResources(_ stack: String, deadline: UnixInstant) async throws -> [StackResource] {
        var resources: [StackResource] = []
        var token: String?
        while true {
            let page = try await send(
                "ListStackResources", [("StackName", stack), ("NextToken", token)], deadline: deadline
            ) { result throws(AWSError) in
                var page: [StackResource] = []
                for member in result.members("StackResourceSummaries") { page.append(try StackResource(member)) }
                return (page, result["NextToken"])
            }
            resources += page.0
            guard let next = page.1, !next.isEmpty else { return resources }
            guard next != token, resources.count <= 10_000 else {
                throw AWSError(.invalidResponse, "The resources lead back to where they were.")
            }
            token = next
        }
    }

    /// One page of the ARNs of this account's stacks in this region, those that were deleted in the last 90 days
    /// included.
    ///
    /// - Parameter token: what the page before said; nil for the first.
    package func listStacks(
        after token: String? = nil, deadline: UnixInstant
    ) async throws -> (ids: [String], next: String?) {
        try await send("ListStacks", [("NextToken", token)], deadline: deadline) { result throws(AWSError) in
            var ids: [String] = []
            for member in result.members("StackSummaries") { ids.append(try member.required("StackId")) }
            return (ids, result["NextToken"].flatMap { $0.isEmpty || $0 == token ? nil : $0 })
        }
    }
}

extension CloudFormation.StackResource {
    init(_ element: XMLElement) throws(AWSError) {
        self.init(
            logicalResourceID: try element.required("LogicalResourceId"),
            physicalResourceID: element["PhysicalResourceId"], status: element["ResourceStatus"] ?? "")
    }
}
