import AWSClient
import CustomResource
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

/// One stack's certificate as CloudFormation knows it: makes its events, a minute apart, and remembers the physical id and
/// the properties that were last taken.
struct ScriptedStack {
    let provider: TestProvider
    private(set) var properties: [String: String]
    private(set) var physicalResourceID: String?
    private var count = 0

    init(_ provider: TestProvider, properties: [String: String] = TestProvider.properties()) {
        self.provider = provider
        self.properties = properties
    }

    /// The next event, a minute after the one before. What is not given is as CloudFormation has it.
    mutating func event(
        _ requestType: CustomResourceRequest.RequestType, _ new: [String: String]? = nil, old: [String: String]? = nil,
        id: String? = nil
    ) -> StackEvent {
        provider.clock.advance(by: .seconds(60))
        count += 1
        return StackEvent(
            requestType, requestID: "request-\(count)", issuedAt: provider.clock.now, properties: new ?? properties,
            oldProperties: requestType == .update ? old ?? properties : nil,
            physicalResourceID: requestType == .create ? nil : id ?? physicalResourceID ?? "invented-id")
    }

    /// Delivers an event and returns its one answer.
    func deliver(_ event: StackEvent, timeout: Duration = .seconds(300)) async throws -> ReplyInbox.Reply {
        let before = try provider.inbox.replies(to: event).count
        let status = try await provider.deliver(event, timeout: timeout)
        let replies = try provider.inbox.replies(to: event)
        #expect(replies.count == before + 1)
        let reply = try #require(replies.last)
        #expect(reply.status == status.rawValue)
        #expect(reply.requestID == event.requestID)
        #expect(reply.stackID == event.stackID)
        #expect(reply.logicalResourceID == event.logicalResourceID)
        #expect(!reply.physicalResourceID.isEmpty)
        return reply
    }

    @discardableResult
    mutating func create(_ new: [String: String]? = nil) async throws -> ReplyInbox.Reply {
        try await carryOut(event(.create, new))
    }

    @discardableResult
    mutating func update(_ new: [String: String], old: [String: String]? = nil) async throws -> ReplyInbox.Reply {
        try await carryOut(event(.update, new, old: old))
    }

    @discardableResult
    mutating func delete(_ id: String? = nil, _ properties: [String: String]? = nil) async throws -> ReplyInbox.Reply {
        try await deliver(event(.delete, properties, id: id))
    }

    private mutating func carryOut(_ event: StackEvent) async throws -> ReplyInbox.Reply {
        let reply = try await deliver(event)
        if reply.status == "SUCCESS" {
            properties = event.properties
            physicalResourceID = reply.physicalResourceID
        } else if event.requestType == "Create" {
            physicalResourceID = reply.physicalResourceID
        }
        return reply
    }
}

extension TestProvider {
    /// The keys of all that is stored, but for notes that expire.
    var leftovers: [String] {
        s3.versions(bucket: Self.certificateBucket).map(\.key)
            + s3.objects(bucket: Self.stateBucket).keys.filter { !$0.hasPrefix("tombstones/") }
    }

    /// The operations that write or delete, by name and key.
    var changes: [String] {
        s3.operations.filter { $0.name == "PutObject" || $0.name == "DeleteObject" }.map { "\($0.name) \($0.key)" }
    }
}

extension ReplyInbox.Reply {
    /// All attributes but the one that a rollback changes.
    var lastingAttributes: [String: String] {
        (data ?? [:]).filter { $0.key != "PreviousPublicKey" && $0.key != "PreviousPublicKeyFingerprint" }
    }
}
