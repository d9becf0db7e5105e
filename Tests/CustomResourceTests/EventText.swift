/// An event as text, for events that no honest sender writes.
struct EventText {
    static let account = "111122223333"
    static let stackID = "arn:aws:cloudformation:eu-west-1:\(account):stack/shop/6f0c7a10-1f2e-11f0-9c1d-0a58a9feac02"
    static let host = "cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com"
    /// The part of the URL that is a credential.
    static let signature = "5ecre7516na7ure"
    /// Five minutes before a ``VirtualClock`` starts.
    static let url =
        "https://\(host)/answer?X-Amz-Date=20270115T075500Z&X-Amz-Expires=7200&X-Amz-Signature=\(signature)"

    /// Fields by name; the values are JSON.
    var fields: [String: String]

    init(_ requestType: String = "Create", physicalResourceID: String? = nil) {
        fields = [
            "RequestType": "\"\(requestType)\"",
            "ResponseURL": "\"\(Self.url)\"",
            "StackId": "\"\(Self.stackID)\"",
            "RequestId": "\"request-1\"",
            "ResourceType": "\"Custom::ElbBackendCertificate\"",
            "LogicalResourceId": "\"Certificate\"",
            "ResourceProperties": #"{"ServiceToken":"arn:aws:lambda:x","AppName":"shop"}"#,
        ]
        fields["PhysicalResourceId"] = physicalResourceID.map { "\"\($0)\"" }
    }

    /// The same event with one field's JSON replaced, or taken out.
    func with(_ field: String, _ json: String?) -> EventText {
        var copy = self
        copy.fields[field] = json
        return copy
    }

    var text: String {
        "{" + fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    var bytes: [UInt8] { Array(text.utf8) }

    /// The event as an SNS topic hands it to a function.
    var throughSNS: [UInt8] {
        let message = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return Array(
            (#"{"Records":[{"EventSource":"aws:sns","Sns":{"Type":"Notification","Message":""# + message + #""}}]}"#)
                .utf8)
    }
}
