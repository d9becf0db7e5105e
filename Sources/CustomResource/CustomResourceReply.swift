package import Diagnostics
internal import FoundationEssentials

/// The answer to one request, as CloudFormation reads it.
package struct CustomResourceReply: Sendable {
    package enum Status: String, Sendable, Encodable {
        case success = "SUCCESS"
        case failed = "FAILED"
    }

    package let status: Status
    package let reason: Reason?
    package let physicalResourceID: String
    package let attributes: [String: String]
    let request: CustomResourceRequest

    /// CloudFormation fails the resource with "Response object is too long" beyond this many bytes (case 15).
    package static let maximumBytes = 4096

    /// The physical id of a Create that stored nothing: its Delete is answered without a call (case 1).
    static let nothingStoredPrefix = "stackcert-nothing-stored-"

    init(_ request: CustomResourceRequest, succeeded outcome: ResourceOutcome) {
        self.status = .success
        self.reason = nil
        self.physicalResourceID = outcome.physicalResourceID
        self.attributes = outcome.attributes
        self.request = request
    }

    /// The id of a failed request: an Update and a Delete keep the one that they came with (case 8), a Create has the
    /// one under which it may have stored something (case 2), else a marker; it is never empty (case 17).
    init(_ request: CustomResourceRequest, failed reason: Reason, progress: ResourceProgress) {
        self.status = .failed
        self.reason = reason
        self.physicalResourceID =
            request.physicalResourceID ?? progress.physicalResourceID
            ?? Self.nothingStoredPrefix + request.requestID
        self.attributes = [:]
        self.request = request
    }

    /// The JSON body, at most ``maximumBytes`` long: the Reason is cut on a character boundary to fit.
    func encoded() throws -> [UInt8] {
        var room = min(Self.maximumBytes, reason?.description.utf8.count ?? 0)
        while true {
            let body = try encoded(reasonBytes: room)
            if body.count <= Self.maximumBytes { return body }
            guard room > 0 else { break }
            // In JSON a byte of text takes one byte or, escaped, two: cut what is certainly too much, and look again.
            room = max(0, room - max(1, (body.count - Self.maximumBytes) / 2))
        }
        guard status == .success else {
            throw CustomResourceError(
                .replyNotDelivered, "The event's ids alone do not fit into CloudFormation's \(Self.maximumBytes) bytes."
            )
        }
        let progress = ResourceProgress()
        progress.willStore(as: physicalResourceID)
        let reason = Reason("The attributes do not fit into CloudFormation's \(Self.maximumBytes) bytes.")
        return try CustomResourceReply(request, failed: reason, progress: progress).encoded()
    }

    private func encoded(reasonBytes: Int) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(
            try encoder.encode(
                Body(
                    status: status,
                    reason: reason.map { $0.truncated(toUTF8Bytes: reasonBytes) },
                    physicalResourceID: physicalResourceID,
                    stackID: request.stackID.description,
                    requestID: request.requestID,
                    logicalResourceID: request.logicalResourceID,
                    data: status == .success ? attributes : nil)))
    }

    /// Member names are CloudFormation's.
    private struct Body: Encodable {
        let status: Status
        let reason: String?
        let physicalResourceID: String
        let stackID: String
        let requestID: String
        let logicalResourceID: String
        let data: [String: String]?
        let noEcho = false

        enum CodingKeys: String, CodingKey {
            case status = "Status"
            case reason = "Reason"
            case physicalResourceID = "PhysicalResourceId"
            case stackID = "StackId"
            case requestID = "RequestId"
            case logicalResourceID = "LogicalResourceId"
            case data = "Data"
            case noEcho = "NoEcho"
        }
    }
}
