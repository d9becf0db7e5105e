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
    let authority: InMemoryACMEServer
    let inbox: ReplyInbox
    let logs = InMemoryLogHandler()
    private let function: CustomResourceFunction<LetsEncryptCertificateHandler>
    private let s3Client: S3

    init() throws {
        s3 = InMemoryS3(clock: clock)
        s3.createBucket(TestProvider.certificateBucket)
        s3.createBucket(TestProvider.stateBucket, isVersioned: false)
        let dns = InMemoryRoute53(clock: clock)
        dns.addZone("ZA", "example.com")
        self.dns = dns
        authority = InMemoryACMEServer(clock: clock)
        authority.change {
            $0.validates = { domain, keyAuthorization in
                let answer = ChallengeAnswer(domain: domain, token: "", keyAuthorization: .init(keyAuthorization))
                return dns.visibleTexts("_acme-challenge.\(domain)").contains(answer.recordValue)
            }
        }
        inbox = ReplyInbox(clock: clock)
        let network = World(s3: s3, dns: dns, authority: authority, inbox: inbox)
        let client = AWSServiceClient(
            configuration: try AWSConfiguration(region: "eu-west-1"), executor: network,
            credentials: EnvironmentCredentials(environment: [
                "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret-access-key",
            ]), clock: clock)
        s3Client = S3(client, expectedBucketOwner: StackEvent.account)
        let storage = BucketACMEStorage(
            s3: s3Client, bucket: TestProvider.certificateBucket, keyARN: TestProvider.keyARN)
        let accounts = AccountStore(
            storage: storage,
            transport: ACMETransport(executor: network, userAgent: "stackcert-tests/1", clock: clock),
            settings: .properties)
        let handler = LetsEncryptCertificateHandler(
            store: CertificateStore(
                s3: s3Client, stateBucket: TestProvider.stateBucket, keyARN: TestProvider.keyARN, clock: clock),
            services: LetsEncryptServices(
                client: client, issuer: ACMEIssuer(accounts: accounts, storage: storage, clock: clock),
                accounts: accounts, clock: clock),
            defaults: ProviderDefaults(buckets: [TestProvider.certificateBucket], stableS3Key: false), clock: clock)
        function = CustomResourceFunction(
            handler: handler, sender: ReplySender(executor: network, clock: clock),
            settings: CustomResourceSettings(allowedAccounts: [StackEvent.account]), clock: clock)
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
        _ = try await s3Client.putObject(
            bucket: bucket, key: key, body: body, deadline: clock.now.advanced(by: .seconds(60)))
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

/// Sends each request to whom it is for.
private struct World: HTTPExecutor {
    let s3: InMemoryS3
    let dns: InMemoryRoute53
    let authority: InMemoryACMEServer
    let inbox: ReplyInbox

    func execute(_ request: HTTPRequest, body: [UInt8], deadline: UnixInstant) async throws -> HTTPExchange {
        let host = request.authority ?? ""
        let receiver: any HTTPExecutor =
            if host.hasPrefix("cloudformation-custom-resource-response-") {
                inbox
            } else if host.hasPrefix("route53.") {
                dns
            } else if host == "ca.test" {
                authority
            } else {
                s3
            }
        return try await receiver.execute(request, body: body, deadline: deadline)
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
