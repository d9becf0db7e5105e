package import Timekeeping

/// AWS CloudFormation: stacks as they are, and change sets.
///
/// Every call throws ``AWSError`` or `CancellationError` and is tried again as the client's policy says.
package struct CloudFormation: Sendable {
    let client: AWSServiceClient
    static let encoder = QueryEncoder(version: "2010-05-15")

    package init(_ client: AWSServiceClient) {
        self.client = client
    }

    /// A stack, also one that was deleted less than 90 days ago when it is named by its ARN.
    ///
    /// - Parameter name: the stack's ARN or, of one that is not deleted, its name.
    /// - Throws: ``AWSError`` for which `isMissingStack` is true when there is no such stack.
    package func describeStack(_ name: String, deadline: UnixInstant) async throws -> Stack {
        try await send("DescribeStacks", [("StackName", name)], deadline: deadline) { result throws(AWSError) in
            guard let stack = result.members("Stacks").first else {
                throw AWSError(.invalidResponse, "The answer names no stack.")
            }
            return try Stack(stack)
        }
    }

    /// The events of a stack, the latest first, up to the page with one that `isKnown`: by default one page, which holds
    /// a whole small operation; never more than twenty, which are two thousand events.
    package func describeStackEvents(
        _ name: String, deadline: UnixInstant, isKnown: (StackEvent) -> Bool = { _ in true }
    ) async throws -> [StackEvent] {
        var events: [StackEvent] = []
        var token: String?
        for _ in 0..<20 {
            let page = try await send(
                "DescribeStackEvents", [("StackName", name), ("NextToken", token)], deadline: deadline
            ) { result throws(AWSError) in
                var events: [StackEvent] = []
                for member in result.members("StackEvents") { events.append(try StackEvent(member)) }
                return (events, result["NextToken"])
            }
            events += page.0
            guard let next = page.1, !next.isEmpty, next != token, !page.0.contains(where: isKnown) else { break }
            token = next
        }
        return events
    }

    func send<Value>(
        _ action: String, _ parameters: [(key: String, value: String?)], deadline: UnixInstant,
        read: (XMLElement) throws(AWSError) -> Value
    ) async throws -> Value {
        try await client.send(
            Self.encoder.call(.cloudFormation, action, parameters), deadline: deadline, read: read)
    }
}

extension AWSError {
    /// CloudFormation has no code of its own for a stack that does not exist.
    package var isMissingStack: Bool {
        code.rawValue == "ValidationError" && message.contains("does not exist")
    }

    package var isMissingChangeSet: Bool { code.rawValue == "ChangeSetNotFound" }
}
