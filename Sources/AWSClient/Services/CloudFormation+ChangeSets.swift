package import Timekeeping

extension CloudFormation {
    /// An update of an existing stack with its own template and, as no other is named, its own service role: to go on
    /// with that one needs no iam:PassRole.
    package struct ChangeSetRequest: Sendable {
        /// The stack's ARN.
        package let stackID: String
        /// Unique in the stack: `[A-Za-z][A-Za-z0-9-]{0,127}`.
        package let name: String
        /// Shown in the console.
        package let description: String
        /// All of the stack's parameters: a nil value keeps the previous one.
        package let parameters: [(key: String, value: String?)]
        package let capabilities: [String]
        package let notificationARNs: [String]

        package init(
            stackID: String, name: String, description: String, parameters: [(key: String, value: String?)],
            capabilities: [String], notificationARNs: [String]
        ) {
            self.stackID = stackID
            self.name = name
            self.description = description
            self.parameters = parameters
            self.capabilities = capabilities
            self.notificationARNs = notificationARNs
        }
    }

    /// What CloudFormation would do, or why it cannot.
    package struct ChangeSet: Hashable, Sendable {
        /// The ARN.
        package let id: String
        /// `CREATE_PENDING`, `CREATE_IN_PROGRESS`, `CREATE_COMPLETE`, `FAILED` …
        package let status: String
        /// `AVAILABLE`, `UNAVAILABLE`, `EXECUTE_COMPLETE` …
        package let executionStatus: String
        package let statusReason: String?
        package let changes: [ResourceChange]
    }

    package struct ResourceChange: Hashable, Sendable {
        /// `Add`, `Modify`, `Remove`, `Import`, `Dynamic`.
        package let action: String
        package let logicalResourceID: String
        package let resourceType: String
        /// `True`, `False`, `Conditional`; nil unless the action is `Modify`.
        package let replacement: String?
        package let details: [ChangeDetail]
        /// Of a nested stack that changes.
        package let changeSetID: String?

        package init(
            action: String, logicalResourceID: String, resourceType: String, replacement: String? = nil,
            details: [ChangeDetail], changeSetID: String? = nil
        ) {
            self.action = action
            self.logicalResourceID = logicalResourceID
            self.resourceType = resourceType
            self.replacement = replacement
            self.details = details
            self.changeSetID = changeSetID
        }
    }

    /// One reason for which one property of a resource changes.
    package struct ChangeDetail: Hashable, Sendable {
        /// `Properties`, `Tags`, `Metadata` …, and the property's name.
        package let attribute: String
        package let name: String?
        /// `Static` when CloudFormation knows the new value already, else `Dynamic`.
        package let evaluation: String
        /// `ParameterReference`, `ResourceReference`, `ResourceAttribute`, `DirectModification`, `Automatic`.
        package let source: String?
        /// A parameter's name, a logical id, or `<logical id>.<attribute>`.
        package let causingEntity: String?

        package init(
            attribute: String, name: String?, evaluation: String, source: String?, causingEntity: String?
        ) {
            self.attribute = attribute
            self.name = name
            self.evaluation = evaluation
            self.source = source
            self.causingEntity = causingEntity
        }
    }

    /// Asks for a change set, nested stacks included.
    ///
    /// - Returns: its ARN.
    /// - Throws: ``AWSError`` with `AlreadyExistsException` when the stack has one of this name.
    package func createChangeSet(_ request: ChangeSetRequest, deadline: UnixInstant) async throws -> String {
        var parameters: [(key: String, value: String?)] = [
            ("StackName", request.stackID), ("ChangeSetName", request.name), ("ChangeSetType", "UPDATE"),
            ("Description", request.description), ("UsePreviousTemplate", "true"), ("IncludeNestedStacks", "true"),
        ]
        for (index, parameter) in request.parameters.enumerated() {
            let prefix = "Parameters.member.\(index + 1)."
            parameters.append((prefix + "ParameterKey", parameter.key))
            parameters.append((prefix + "ParameterValue", parameter.value))
            parameters.append((prefix + "UsePreviousValue", parameter.value == nil ? "true" : nil))
        }
        for (index, capability) in request.capabilities.enumerated() {
            parameters.append(("Capabilities.member.\(index + 1)", capability))
        }
        for (index, topic) in request.notificationARNs.enumerated() {
            parameters.append(("NotificationARNs.member.\(index + 1)", topic))
        }
        return try await send("CreateChangeSet", parameters, deadline: deadline) { result throws(AWSError) in
            try result.required("Id")
        }
    }

    /// A change set with all pages of its changes.
    ///
    /// - Parameter name: its ARN, or its name together with the stack's.
    package func describeChangeSet(
        _ name: String, stack: String? = nil, deadline: UnixInstant
    ) async throws -> ChangeSet {
        var changes: [ResourceChange] = []
        var token: String?
        while true {
            let page = try await send(
                "DescribeChangeSet", [("ChangeSetName", name), ("StackName", stack), ("NextToken", token)],
                deadline: deadline
            ) { result throws(AWSError) in (try ChangeSet(result), result["NextToken"]) }
            changes += page.0.changes
            guard let next = page.1, !next.isEmpty else {
                return ChangeSet(
                    id: page.0.id, status: page.0.status, executionStatus: page.0.executionStatus,
                    statusReason: page.0.statusReason, changes: changes)
            }
            guard next != token, changes.count <= 10_000 else {
                throw AWSError(.invalidResponse, "The changes lead back to where they were.")
            }
            token = next
        }
    }

    /// Starts the update, which is rolled back when it fails. It goes on after the call. CloudFormation deletes the stack's
    /// other change sets (API reference of ExecuteChangeSet).
    ///
    /// - Parameters:
    ///   - name: its name, which policies can name too; not its ARN.
    ///   - stack: the stack's ARN.
    ///   - token: two calls with one token start one update.
    package func executeChangeSet(
        _ name: String, stack: String, token: String, deadline: UnixInstant
    ) async throws {
        try await send(
            "ExecuteChangeSet",
            [
                ("ChangeSetName", name), ("StackName", stack), ("ClientRequestToken", token),
                ("DisableRollback", "false"),
            ],
            deadline: deadline
        ) { _ in }
    }

    /// The names of a stack's change sets that could be executed now.
    ///
    /// - Parameter stack: the stack's ARN.
    package func executableChangeSets(of stack: String, deadline: UnixInstant) async throws -> [String] {
        var names: [String] = []
        var token: String?
        // Not more than a stack can have: 20 pages of 100.
        for _ in 0..<20 {
            let page = try await send(
                "ListChangeSets", [("StackName", stack), ("NextToken", token)], deadline: deadline
            ) { result in
                (
                    result.members("Summaries").filter { $0["ExecutionStatus"] == "AVAILABLE" }
                        .compactMap { $0["ChangeSetName"] },
                    result["NextToken"]
                )
            }
            names += page.0
            guard let next = page.1, !next.isEmpty, next != token else { break }
            token = next
        }
        return names
    }

    /// Nothing happens when there is no such change set.
    package func deleteChangeSet(_ name: String, stack: String, deadline: UnixInstant) async throws {
        try await send("DeleteChangeSet", [("ChangeSetName", name), ("StackName", stack)], deadline: deadline) { _ in }
    }
}

extension CloudFormation.ChangeSet {
    init(_ element: XMLElement) throws(AWSError) {
        var changes: [CloudFormation.ResourceChange] = []
        for member in element.members("Changes") {
            guard let change = member.first("ResourceChange") else { continue }
            changes.append(try CloudFormation.ResourceChange(change))
        }
        self.init(
            id: try element.required("ChangeSetId"), status: try element.required("Status"),
            executionStatus: element["ExecutionStatus"] ?? "", statusReason: element["StatusReason"],
            changes: changes)
    }
}

extension CloudFormation.ResourceChange {
    init(_ element: XMLElement) throws(AWSError) {
        self.init(
            action: try element.required("Action"), logicalResourceID: try element.required("LogicalResourceId"),
            resourceType: element["ResourceType"] ?? "", replacement: element["Replacement"],
            details: element.members("Details").map { CloudFormation.ChangeDetail($0) },
            changeSetID: element["ChangeSetId"])
    }
}

extension CloudFormation.ChangeDetail {
    init(_ element: XMLElement) {
        let target = element.first("Target")
        self.init(
            attribute: target?["Attribute"] ?? "", name: target?["Name"], evaluation: element["Evaluation"] ?? "",
            source: element["ChangeSource"], causingEntity: element["CausingEntity"])
    }
}
