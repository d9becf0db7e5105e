import FoundationEssentials
import HTTPTransport
import HTTPTypes
import Timekeeping

extension RenewalScene {
    /// What CloudFormation, Parameter Store and STS know.
    struct State {
        var stacks: [String: Stack] = [:]
        var changeSets: [String: ChangeSet] = [:]
        var changes = RenewalScene.rotationChange
        /// By the ARN of a nested stack's change set.
        var nestedChanges: [String: String] = [:]
        var store: [String: String] = [:]
        var calls: [String] = []
        var faults: [String: [Fault]] = [:]
        var isDead = false
        /// What happens just before CloudFormation is called next, by the call.
        var interventions: [String: @Sendable () async throws -> Void] = [:]
        var executions: [String] = []
        var assumedRoles: [String] = []
        var trustsUs = true
        var signers: Set<String> = []

        func changeSet(named name: String?, of stackID: String) -> ChangeSet? {
            changeSets.values.first { $0.name == name && $0.stackID == stackID }
        }
    }
}

// MARK: What they answer

extension RenewalScene.State {
    mutating func assumeRole(_ form: Form, now: UnixInstant) -> HTTPExchange {
        assumedRoles.append(form["RoleArn"] ?? "")
        guard trustsUs else {
            return RenewalScene.answer(
                403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>No.</Message></Error></ErrorResponse>")
        }
        return RenewalScene.result(
            "AssumeRole",
            "<Credentials><AccessKeyId>ASIAABROAD</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
                + "<SessionToken>token</SessionToken>"
                + "<Expiration>\(now.advanced(by: .seconds(900)).iso8601)</Expiration></Credentials>")
    }

    mutating func respond(to action: String, _ form: Form) -> HTTPExchange {
        let stackID = form["StackName"] ?? ""
        switch action {
        case "DescribeStacks":
            guard let stack = stacks[stackID] else {
                return RenewalScene.refusal("ValidationError", "Stack with id \(stackID) does not exist")
            }
            let parameters = stack.parameters.map { key, value in
                "<member><ParameterKey>\(key)</ParameterKey>"
                    + "<ParameterValue>\(stack.storedParameters[key] ?? value)</ParameterValue>"
                    + (stack.storedParameters[key] == nil ? "" : "<ResolvedValue>\(value)</ResolvedValue>")
                    + "</member>"
            }
            let tags = stack.tags.map { "<member><Key>\($0)</Key><Value>\($1)</Value></member>" }
            return RenewalScene.result(
                action,
                "<Stacks><member><StackId>\(stackID)</StackId><StackName>\(stack.name)</StackName>"
                    + "<StackStatus>\(stack.status)</StackStatus><Parameters>\(parameters.joined())</Parameters>"
                    + (stack.roleARN.map { "<RoleARN>\($0)</RoleARN>" } ?? "")
                    + (stack.rootName.map { "<RootId>\(RenewalScene.stackID($0))</RootId>" } ?? "")
                    + "<Tags>\(tags.joined())</Tags></member></Stacks>")
        case "ListStacks":
            let summaries = stacks.keys.sorted().map { "<member><StackId>\($0)</StackId></member>" }
            return RenewalScene.result(action, "<StackSummaries>\(summaries.joined())</StackSummaries>")
        case "ListStackResources":
            guard let stack = stacks[stackID] else {
                return RenewalScene.refusal("ValidationError", "Stack with id \(stackID) does not exist")
            }
            let resources = stack.resources.map {
                "<member><LogicalResourceId>\($0)</LogicalResourceId><PhysicalResourceId>\($1)</PhysicalResourceId>"
                    + "<ResourceStatus>\(stack.status)</ResourceStatus></member>"
            }
            return RenewalScene.result(action, "<StackResourceSummaries>\(resources.joined())</StackResourceSummaries>")
        case "DescribeStackEvents":
            // Each its own id, counted from the earliest.
            let members = (stacks[stackID]?.events ?? "").split(separator: "<member>")
            let events = members.enumerated().map { "<member><EventId>\(members.count - $0)</EventId>\($1)" }
            return RenewalScene.result(action, "<StackEvents>\(events.joined())</StackEvents>")
        case "CreateChangeSet":
            let name = form["ChangeSetName"] ?? ""
            if changeSets.values.contains(where: { $0.stackID == stackID && $0.name == name }) {
                return RenewalScene.refusal("AlreadyExistsException", "ChangeSet \(name) already exists")
            }
            let id = "arn:aws:cloudformation:::changeSet/\(name)/\(calls.count)"
            var rotation = form.parameters["CertificateRotation"] ?? nil
            if let name = stacks[stackID]?.storedParameters["CertificateRotation"] {
                guard rotation == nil else { return RenewalScene.refusal("ValidationError", "No such SSM parameter") }
                rotation = store[name]
            }
            var made = RenewalScene.ChangeSet(id: id, stackID: stackID, name: name, rotation: rotation)
            if rotation == nil || rotation == stacks[stackID]?.parameters["CertificateRotation"] {
                made.status = "FAILED"
                made.executionStatus = "UNAVAILABLE"
                made.reason = "The submitted information didn't contain changes."
            }
            changeSets[id] = made
            return RenewalScene.result(action, "<Id>\(id)</Id><StackId>\(stackID)</StackId>")
        case "DescribeChangeSet":
            let name = form["ChangeSetName"] ?? ""
            if let nested = nestedChanges[name] {
                return RenewalScene.result(
                    action,
                    "<ChangeSetId>\(name)</ChangeSetId><Status>CREATE_COMPLETE</Status>"
                        + "<ExecutionStatus>UNAVAILABLE</ExecutionStatus><Changes>\(nested)</Changes>")
            }
            guard
                let found = changeSets[name]
                    ?? changeSets.values.first(where: { $0.name == name && $0.stackID == stackID })
            else {
                return RenewalScene.refusal("ChangeSetNotFound", "ChangeSet [\(name)] does not exist")
            }
            return RenewalScene.result(
                action,
                "<ChangeSetId>\(found.id)</ChangeSetId><Status>\(found.status)</Status>"
                    + "<ExecutionStatus>\(found.executionStatus)</ExecutionStatus>"
                    + (found.reason.map { "<StatusReason>\($0)</StatusReason>" } ?? "")
                    + "<Changes>\(changes)</Changes>")
        case "ExecuteChangeSet":
            guard let found = changeSet(named: form["ChangeSetName"], of: stackID) else {
                return RenewalScene.refusal("ChangeSetNotFound", "ChangeSet does not exist")
            }
            guard found.executionStatus == "AVAILABLE" else {
                return RenewalScene.refusal("InvalidChangeSetStatus", "ChangeSet cannot be executed")
            }
            guard form["DisableRollback"] == "false" else {
                return RenewalScene.refusal("ValidationError", "The update would not be rolled back")
            }
            changeSets = changeSets.filter { $0.key == found.id || $0.value.stackID != stackID }
            changeSets[found.id]?.executionStatus = "EXECUTE_IN_PROGRESS"
            stacks[found.stackID]?.parameters["CertificateRotation"] = found.rotation
            stacks[found.stackID]?.status = "UPDATE_IN_PROGRESS"
            executions.append(found.rotation ?? "")
            return RenewalScene.result(action, "")
        case "ListChangeSets":
            let summaries = changeSets.values.filter { $0.stackID == stackID }.sorted { $0.id < $1.id }.map {
                "<member><ChangeSetName>\($0.name)</ChangeSetName><ExecutionStatus>\($0.executionStatus)"
                    + "</ExecutionStatus></member>"
            }
            return RenewalScene.result(action, "<Summaries>\(summaries.joined())</Summaries>")
        case "DeleteChangeSet":
            if let found = changeSet(named: form["ChangeSetName"], of: stackID) {
                changeSets[found.id] = nil
            }
            return RenewalScene.result(action, "")
        case "GetParameter":
            guard let value = store[form["Name"] ?? ""] else {
                return RenewalScene.answer(400, #"{"__type":"ParameterNotFound"}"#)
            }
            return RenewalScene.answer(200, #"{"Parameter":{"Value":"\#(value)","Version":1}}"#)
        case "PutParameter":
            store[form["Name"] ?? ""] = form["Value"]
            return RenewalScene.answer(200, #"{"Version":2}"#)
        default:
            return RenewalScene.refusal("InvalidAction", action)
        }
    }
}

extension RenewalScene {
    static func answer(_ status: Int, _ xml: String) -> HTTPExchange {
        HTTPExchange(response: HTTPResponse(status: .init(code: status)), body: Array(xml.utf8))
    }

    static func result(_ action: String, _ xml: String) -> HTTPExchange {
        answer(200, "<\(action)Response><\(action)Result>\(xml)</\(action)Result></\(action)Response>")
    }

    static func refusal(_ code: String, _ message: String) -> HTTPExchange {
        answer(400, "<ErrorResponse><Error><Code>\(code)</Code><Message>\(message)</Message></Error></ErrorResponse>")
    }
}

/// A request of the Query protocol.
struct Form {
    private var values: [String: String] = [:]

    init(_ body: [UInt8]) {
        for pair in String(decoding: body, as: UTF8.self).split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { part in
                part.removingPercentEncoding
            }
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
    }

    /// A request of the protocol AWS JSON 1.1.
    init(json body: [UInt8]) {
        let members = try? JSONDecoder().decode(Members.self, from: Data(body))
        values = ["Name": members?.Name ?? "", "Value": members?.Value ?? ""]
    }

    // swift-format-ignore: AlwaysUseLowerCamelCase
    private struct Members: Decodable {
        let Name: String
        let Value: String?
    }

    subscript(name: String) -> String? { values[name] }

    /// Nil for a value that stays as it is.
    var parameters: [String: String?] {
        var found: [String: String?] = [:]
        for index in 1...50 {
            guard let key = values["Parameters.member.\(index).ParameterKey"] else { break }
            found[key] = .some(values["Parameters.member.\(index).ParameterValue"])
        }
        return found
    }
}

extension Substring {
    fileprivate var removingPercentEncoding: String {
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
