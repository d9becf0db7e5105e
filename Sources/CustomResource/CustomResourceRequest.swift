package import Timekeeping

/// One Create, Update or Delete of a custom resource, with the envelope checked and the properties still as they came.
///
/// Bad properties must not stop a Delete or a rollback, so they are read later, by whoever needs them (case 12).
package struct CustomResourceRequest: Sendable {
    package enum RequestType: String, Sendable {
        case create = "Create"
        case update = "Update"
        case delete = "Delete"
    }

    package let requestType: RequestType
    package let responseURL: ResponseURL
    package let stackID: StackID
    package let requestID: String
    package let resourceType: String
    package let logicalResourceID: String
    /// Absent for a Create.
    package let physicalResourceID: String?
    package let properties: PropertyBag
    /// Present for an Update.
    package let oldProperties: PropertyBag?
    /// When CloudFormation issued the event: the date in the ResponseURL, else the invocation's start.
    package let issuedAt: UnixInstant
}

extension CustomResourceRequest {
    /// Lambda takes no larger asynchronous event than this, and CloudFormation invokes asynchronously.
    package static let maximumEventBytes = 1 << 20

    /// Reads an event as CloudFormation sends it, directly or through an SNS topic (case 25).
    ///
    /// - Parameters:
    ///   - startedAt: the invocation's start, for events whose ResponseURL has no date.
    ///   - loopbackAllowed: see ``ResponseURL/init(_:loopbackAllowed:)``.
    /// - Throws: ``CustomResourceError`` with ``CustomResourceError/Code/malformedEvent`` or
    ///   ``CustomResourceError/Code/responseURLRefused``: without these fields nobody can be answered.
    package init(
        decoding payload: [UInt8], startedAt: UnixInstant, loopbackAllowed: Bool
    ) throws(CustomResourceError) {
        let event = try Self.unwrapped(payload)
        let responseURL = try ResponseURL(event.text("ResponseURL", maximum: 8192), loopbackAllowed: loopbackAllowed)
        guard let requestType = RequestType(rawValue: try event.text("RequestType", maximum: 16)) else {
            throw .malformed("RequestType is not Create, Update or Delete")
        }
        guard let stackID = StackID(try event.text("StackId", maximum: 512)) else {
            throw .malformed("StackId is not a stack's ARN")
        }
        let logicalResourceID = try event.text("LogicalResourceId", maximum: 255)
        guard logicalResourceID.utf8.allSatisfy({ $0.isDigit || $0.isLetter }) else {
            throw .malformed("LogicalResourceId has other characters than letters and digits")
        }
        self.requestType = requestType
        self.responseURL = responseURL
        self.stackID = stackID
        self.requestID = try event.text("RequestId", maximum: 128)
        self.resourceType = try event.text("ResourceType", maximum: 128)
        self.logicalResourceID = logicalResourceID
        self.physicalResourceID =
            requestType == .create ? nil : try event.text("PhysicalResourceId", maximum: 1024)
        self.properties = event.bag("ResourceProperties") ?? PropertyBag([:])
        self.oldProperties = event.bag("OldResourceProperties")
        // A date in the future would let an old event pass for a newer one.
        self.issuedAt = min(responseURL.signedAt ?? startedAt, startedAt)
    }

    private static func unwrapped(_ payload: [UInt8]) throws(CustomResourceError) -> Envelope {
        let event = try Envelope(payload)
        guard case .array(let records)? = event.members["Records"] else { return event }
        guard records.count == 1, case .object(let record)? = records.first, case .object(let sns)? = record["Sns"],
            case .string(let message)? = sns["Message"]
        else { throw .malformed("Records is not one notification of SNS") }
        return try Envelope(Array(message.utf8))
    }
}

/// The event's members, with errors that name the field and never quote it.
private struct Envelope {
    let members: [String: JSONValue]

    init(_ payload: [UInt8]) throws(CustomResourceError) {
        guard payload.count <= CustomResourceRequest.maximumEventBytes else {
            throw .malformed("it has \(payload.count) bytes, more than \(CustomResourceRequest.maximumEventBytes)")
        }
        guard case .object(let members) = try JSONParser.value(of: payload) else {
            throw .malformed("it is not a JSON object")
        }
        self.members = members
    }

    func text(_ field: String, maximum: Int) throws(CustomResourceError) -> String {
        guard let value = members[field] else { throw .malformed("\(field) is missing") }
        guard case .string(let text) = value else { throw .malformed("\(field) is \(value), not a string") }
        guard (1...maximum).contains(text.utf8.count) else {
            throw .malformed("\(field) has \(text.utf8.count) bytes, not 1 to \(maximum)")
        }
        return text
    }

    /// Nil for anything but an object: who needs a property then misses it and says so, who needs none goes on.
    func bag(_ field: String) -> PropertyBag? {
        guard case .object(let members)? = members[field] else { return nil }
        return PropertyBag(members)
    }
}

extension CustomResourceError {
    fileprivate static func malformed(_ what: String) -> CustomResourceError {
        CustomResourceError(.malformedEvent, "The event is no custom-resource request: \(what).")
    }
}
