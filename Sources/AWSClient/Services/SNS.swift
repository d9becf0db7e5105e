package import Timekeeping

/// Amazon Simple Notification Service: tells whoever listens to a topic.
///
/// Every call throws ``AWSError`` or `CancellationError` and is tried again as the client's policy says.
package struct SNS: Sendable {
    private let client: AWSServiceClient

    package init(_ client: AWSServiceClient) {
        self.client = client
    }

    /// - Parameters:
    ///   - topicARN: in the client's region.
    ///   - subject: of an e-mail: ASCII without line breaks, at most 100 characters; what does not fit is left out.
    ///   - message: at most 256 KB.
    package func publish(
        to topicARN: String, subject: String, message: String, deadline: UnixInstant
    ) async throws {
        let plain = String(subject.filter { $0.isASCII && !$0.isNewline }.prefix(100))
        let call = QueryEncoder(version: "2010-03-31").call(
            .sns, "Publish", [("TopicArn", topicARN), ("Subject", plain), ("Message", message)])
        try await client.send(call, deadline: deadline) { _ in }
    }
}
