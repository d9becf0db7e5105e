package import CustomResource
internal import FoundationEssentials
package import Timekeeping

/// One event as CloudFormation sends it to a custom resource's function.
package struct StackEvent: Sendable, Hashable, Codable {
    package var requestType: String
    package var requestID: String
    /// To the second: it is the date in the ResponseURL.
    package var issuedAt: UnixInstant
    package var properties: [String: String]
    package var oldProperties: [String: String]?
    package var physicalResourceID: String?
    package var stackID = Self.stackID
    package var logicalResourceID = "ElbBackendCertificate"
    /// Takes the place of the event's own URL when it is given.
    package var responseURL: String?

    package static let account = "111122223333"
    package static let stackGUID = "6f0c7a10-1f2e-11f0-9c1d-0a58a9feac02"
    package static let stackID = "arn:aws:cloudformation:eu-west-1:\(account):stack/shop/\(stackGUID)"
    package static let responseHost = "cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com"

    package init(
        _ requestType: CustomResourceRequest.RequestType, requestID: String, issuedAt: UnixInstant,
        properties: [String: String], oldProperties: [String: String]? = nil, physicalResourceID: String? = nil
    ) {
        self.requestType = requestType.rawValue
        self.requestID = requestID
        self.issuedAt = issuedAt
        self.properties = properties
        self.oldProperties = oldProperties
        self.physicalResourceID = physicalResourceID
    }

    /// The secret part of the URL: whoever has it can answer for the provider, so it may be nowhere but in the request.
    package var signature: String { "secret\(requestID)signature" }

    /// The URL's path, by which ``ReplyInbox`` keeps answers apart.
    package var responsePath: String { "/\(requestID)" }

    package var url: String {
        responseURL
            ?? "https://\(Self.responseHost)\(responsePath)?X-Amz-Date=\(issuedAt.basicISO8601)"
            + "&X-Amz-Expires=7200&X-Amz-Signature=\(signature)"
    }

    /// The event's JSON.
    package func payload() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return Array(try encoder.encode(Body(self)))
    }

    private struct Body: Encodable {
        let requestType: String
        let responseURL: String
        let stackID: String
        let requestID: String
        let resourceType = "Custom::ElbBackendCertificate"
        let logicalResourceID: String
        let physicalResourceID: String?
        let resourceProperties: [String: String]
        let oldResourceProperties: [String: String]?
        let serviceToken = "arn:aws:lambda:eu-west-1:111122223333:function:stackcert"

        init(_ event: StackEvent) {
            requestType = event.requestType
            responseURL = event.url
            stackID = event.stackID
            requestID = event.requestID
            logicalResourceID = event.logicalResourceID
            physicalResourceID = event.physicalResourceID
            // CloudFormation repeats the token among the properties.
            resourceProperties = event.properties.merging(["ServiceToken": serviceToken]) { own, _ in own }
            oldResourceProperties = event.oldProperties?.merging(["ServiceToken": serviceToken]) { own, _ in own }
        }

        enum CodingKeys: String, CodingKey {
            case requestType = "RequestType"
            case responseURL = "ResponseURL"
            case stackID = "StackId"
            case requestID = "RequestId"
            case resourceType = "ResourceType"
            case logicalResourceID = "LogicalResourceId"
            case physicalResourceID = "PhysicalResourceId"
            case resourceProperties = "ResourceProperties"
            case oldResourceProperties = "OldResourceProperties"
            case serviceToken = "ServiceToken"
        }
    }
}
