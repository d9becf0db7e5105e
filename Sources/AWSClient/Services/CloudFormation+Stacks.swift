package import Timekeeping

extension CloudFormation {
    /// What DescribeStacks says of a stack.
    package struct Stack: Hashable, Sendable {
        /// The ARN.
        package let id: String
        package let name: String
        /// Such as `UPDATE_COMPLETE`.
        package let status: String
        package let statusReason: String?
        package let parameters: [Parameter]
        /// The service role that CloudFormation was last given for the stack.
        package let roleARN: String?
        package let capabilities: [String]
        package let notificationARNs: [String]
        package let tags: [String: String]
        /// By their keys, not by the names of their exports.
        package let outputs: [String: String]
        /// The ARN of the outermost stack, of a nested one.
        package let rootID: String?
        /// `STANDARD` or `EXPRESS`; nil when CloudFormation says nothing of it, which is standard.
        package let deploymentMode: String?

        package init(
            id: String, name: String, status: String, statusReason: String? = nil, parameters: [Parameter] = [],
            roleARN: String? = nil, capabilities: [String] = [], notificationARNs: [String] = [],
            tags: [String: String] = [:], outputs: [String: String] = [:], rootID: String? = nil,
            deploymentMode: String? = nil
        ) {
            self.id = id
            self.name = name
            self.status = status
            self.statusReason = statusReason
            self.parameters = parameters
            self.roleARN = roleARN
            self.capabilities = capabilities
            self.notificationARNs = notificationARNs
            self.tags = tags
            self.outputs = outputs
            self.rootID = rootID
            self.deploymentMode = deploymentMode
        }
    }

    /// A parameter's value. `NoEcho` values come as asterisks.
    package struct Parameter: Hashable, Sendable {
        package let key: String
        /// As it was given: for a type such as `AWS::SSM::Parameter::Value<String>`, the name of the SSM parameter.
        package let value: String
        /// What that name stood for at the stack's last operation.
        package let resolvedValue: String?

        package init(key: String, value: String, resolvedValue: String? = nil) {
            self.key = key
            self.value = value
            self.resolvedValue = resolvedValue
        }
    }

    package struct StackEvent: Hashable, Sendable {
        /// Unique in the stack.
        package let id: String
        package let logicalResourceID: String
        package let resourceType: String
        /// Such as `UPDATE_FAILED`.
        package let status: String
        package let statusReason: String?
        package let timestamp: UnixInstant?

        package init(
            id: String, logicalResourceID: String, resourceType: String, status: String, statusReason: String?,
            timestamp: UnixInstant?
        ) {
            self.id = id
            self.logicalResourceID = logicalResourceID
            self.resourceType = resourceType
            self.status = status
            self.statusReason = statusReason
            self.timestamp = timestamp
        }
    }
}

extension CloudFormation.Stack {
    init(_ element: XMLElement) throws(AWSError) {
        var parameters: [CloudFormation.Parameter] = []
        for member in element.members("Parameters") {
            parameters.append(
                CloudFormation.Parameter(
                    key: try member.required("ParameterKey"), value: member["ParameterValue"] ?? "",
                    resolvedValue: member["ResolvedValue"]))
        }
        var tags: [String: String] = [:]
        for member in element.members("Tags") { tags[try member.required("Key")] = member["Value"] ?? "" }
        var outputs: [String: String] = [:]
        for member in element.members("Outputs") {
            outputs[try member.required("OutputKey")] = member["OutputValue"] ?? ""
        }
        self.init(
            id: try element.required("StackId"), name: try element.required("StackName"),
            status: try element.required("StackStatus"), statusReason: element["StackStatusReason"],
            parameters: parameters, roleARN: element["RoleARN"],
            capabilities: element.members("Capabilities").map(\.text),
            notificationARNs: element.members("NotificationARNs").map(\.text), tags: tags,
            outputs: outputs, rootID: element["RootId"], deploymentMode: element.first("DeploymentConfig")?["Mode"])
    }
}

extension CloudFormation.StackEvent {
    init(_ element: XMLElement) throws(AWSError) {
        self.init(
            id: try element.required("EventId"), logicalResourceID: try element.required("LogicalResourceId"),
            resourceType: element["ResourceType"] ?? "", status: element["ResourceStatus"] ?? "",
            statusReason: element["ResourceStatusReason"],
            timestamp: element["Timestamp"].flatMap { UnixInstant(iso8601: $0) })
    }
}
