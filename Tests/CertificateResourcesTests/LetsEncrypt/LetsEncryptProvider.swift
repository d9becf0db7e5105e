import ACME
import AWSClient
import CertificateIssuance
import CertificateResources
import CustomResource
import Diagnostics
import HTTPTransport
import HTTPTypes
import InMemoryLogging
import Logging
import ProviderTestSupport
import SigV4
import TestSupport
import Testing
import Timekeeping

/// The function `lets-encrypt-certificate` with S3, Route 53, a certificate authority and CloudFormation's bucket in
/// memory.
struct LetsEncryptProvider {
    let clock = VirtualClock()
    let s3: InMemoryS3
    let dns: InMemoryRoute53
    let acm: InMemoryACM
    let authority: InMemoryACMEServer
    let inbox: ReplyInbox
    let logs = InMemoryLogHandler()
    private let function: CustomResourceFunction<LetsEncryptCertificateHandler>
    private let assembly: LetsEncryptAssembly

    init() throws {
        s3 = InMemoryS3(clock: clock)
        s3.createBucket(TestProvider.certificateBucket)
        s3.createBucket(TestProvider.stateBucket, isVersioned: false)
        inbox = ReplyInbox(clock: clock)
        let front = InMemoryPeers.Front(clock: clock)
        dns = front.dns
        acm = front.acm
        authority = front.authority
        assembly = try LetsEncryptAssembly(
            network: InMemoryPeers(s3: s3, inbox: inbox, front: front), clock: clock)
        function = CustomResourceFunction(
            handler: assembly.handler, sender: assembly.sender, settings: assembly.settings, clock: clock)
    }

    static func properties(_ changes: [String: String?] = [:]) -> [String: String] {
        var properties = [
            "AppName": "shop", "AppS3Bucket": TestProvider.certificateBucket,
            "DomainNames": "shop.example.com,*.shop.example.com", "Contact": "ops@example.com",
            "Directory": InMemoryACMEServer.directory, "TermsOfServiceAgreed": "true", "Rotation": "1",
        ]
        for (name, value) in changes { properties[name] = value }
        return properties
    }

    /// Delivers an event and returns its one answer.
    func deliver(_ event: StackEvent, timeout: Duration = .seconds(900)) async throws -> ReplyInbox.Reply {
        let logs = logs
        var logger = Logger(label: "test") { _ in logs }
        logger.logLevel = .trace
        let before = try inbox.replies(to: event).count
        _ = try await withLogger(logger) { logger in
            try await function.handle(
                event.payload(), deadline: clock.now.advanced(by: timeout), logger: logger)
        }
        let replies = try inbox.replies(to: event)
        #expect(replies.count == before + 1)
        return try #require(replies.last)
    }

    func put(_ body: [UInt8], bucket: String, key: String) async throws {
        try await assembly.put(body, bucket: bucket, key: key, deadline: clock.now.advanced(by: .seconds(60)))
    }

    var orders: Int { authority.requests.count { $0.payload.contains(#""identifiers""#) } }
    var bundles: [String] {
        s3.objects(bucket: TestProvider.certificateBucket).keys.filter { $0.hasPrefix("lets-encrypt/") }.sorted()
    }
    var records: [String] {
        s3.objects(bucket: TestProvider.stateBucket).keys.filter { $0.hasPrefix("records/") }.sorted()
    }
    /// What stands in Route 53, whether all name servers know of it or not.
    var answers: [String: [String]] { dns.texts("_acme-challenge.shop.example.com") }
    var logText: String {
        logs.entries.map { "\($0.level) \($0.message) \($0.metadata)" }.joined(separator: "\n")
    }
}

/// One stack's certificate as CloudFormation knows it: makes its events, a minute apart.
struct LetsEncryptStack {
    let provider: LetsEncryptProvider
    private(set) var properties = LetsEncryptProvider.properties()
    private(set) var physicalResourceID: String?
    private var count = 0

    init(_ provider: LetsEncryptProvider) { self.provider = provider }

    mutating func event(
        _ type: CustomResourceRequest.RequestType, _ new: [String: String]? = nil, old: [String: String]? = nil,
        id: String? = nil
    ) -> StackEvent {
        provider.clock.advance(by: .seconds(60))
        count += 1
        var event = StackEvent(
            type, requestID: "request-\(count)", issuedAt: provider.clock.now, properties: new ?? properties,
            oldProperties: type == .update ? old ?? properties : nil,
            physicalResourceID: type == .create ? nil : id ?? physicalResourceID ?? "invented-id")
        event.logicalResourceID = "Certificate"
        return event
    }

    @discardableResult
    mutating func send(
        _ type: CustomResourceRequest.RequestType, _ new: [String: String]? = nil, old: [String: String]? = nil,
        id: String? = nil
    ) async throws -> ReplyInbox.Reply {
        let event = event(type, new, old: old, id: id)
        let reply = try await provider.deliver(event)
        if type != .delete, reply.status == "SUCCESS" || type == .create {
            physicalResourceID = reply.physicalResourceID
        }
        if type != .delete, reply.status == "SUCCESS" { properties = event.properties }
        return reply
    }
}
