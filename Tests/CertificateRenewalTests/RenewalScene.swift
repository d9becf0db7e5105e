import AWSClient
import CertificateIssuance
import CertificateRenewal
import FoundationEssentials
import HTTPTransport
import HTTPTypes
import InMemoryLogging
import Logging
import PKI
import SigV4
import Synchronization
import TestSupport
import Testing
import Timekeeping

/// A state bucket in memory, a scripted CloudFormation, a clock of its own, and the renewal between them.
final class RenewalScene: HTTPExecutor {
    struct Stack: Sendable {
        var name: String
        var status = "UPDATE_COMPLETE"
        var parameters = ["CertificateRotation": "1", "Domain": "shop.example.com"]
        var roleARN: String? = "arn:aws:iam::111122223333:role/deployer"
        var tags: [String: String] = [:]
        var events = ""
        /// The outermost stack, of a nested one.
        var rootName: String?
        /// Names in Parameter Store, of parameters of the type `AWS::SSM::Parameter::Value<String>`.
        var storedParameters: [String: String] = [:]
        /// Physical ids.
        var resources: [String: String] = [:]
    }

    struct ChangeSet: Sendable {
        let id: String
        let stackID: String
        let name: String
        let rotation: String?
        var status = "CREATE_COMPLETE"
        var executionStatus = "AVAILABLE"
        var reason: String?
    }

    /// What goes wrong in a call of CloudFormation.
    enum Fault: Sendable {
        case refuse(Int, String, String)
        /// It is carried out; nobody hears of it.
        case loseAnswer
        /// The function is ended: nothing more is sent by it.
        case kill
        case killAfterwards
    }

    struct Killed: Error {}

    /// Stands for a document that is larger than any response that is read.
    static let oversized = "17 MB"

    static let rotationChange =
        "<member><ResourceChange><Action>Modify</Action><LogicalResourceId>Certificate</LogicalResourceId>"
        + "<ResourceType>Custom::ElbBackendCertificate</ResourceType><Details><member><Target>"
        + "<Attribute>Properties</Attribute><Name>Rotation</Name></Target><Evaluation>Static</Evaluation>"
        + "<ChangeSource>ParameterReference</ChangeSource><CausingEntity>CertificateRotation</CausingEntity>"
        + "</member></Details></ResourceChange></member>"

    /// Somebody else's.
    static let foreignChange =
        "<member><ResourceChange><Action>Modify</Action><LogicalResourceId>Servers</LogicalResourceId>"
        + "<ResourceType>AWS::AutoScaling::AutoScalingGroup</ResourceType><Details><member><Target>"
        + "<Attribute>Properties</Attribute><Name>MinSize</Name></Target><Evaluation>Static</Evaluation>"
        + "<ChangeSource>DirectModification</ChangeSource></member></Details></ResourceChange></member>"

    static let attendedCalls = [
        "DescribeStacks", "DescribeStackEvents", "CreateChangeSet", "DescribeChangeSet", "ListChangeSets",
        "ExecuteChangeSet",
    ]

    let clock = VirtualClock()
    let s3: InMemoryS3
    let logs = InMemoryLogHandler()
    private let state = Mutex(State())

    init() {
        s3 = InMemoryS3(clock: clock)
        s3.createBucket("state", isVersioned: false)
        s3.createBucket("certificates")
    }

    // MARK: Setting up

    static func stackID(_ name: String) -> String {
        let account = name.hasPrefix("abroad") ? "999988887777" : "111122223333"
        return "arn:aws:cloudformation:eu-west-1:\(account):stack/\(name)/guid-\(name)"
    }

    /// Somebody's own change set, which waits to be executed.
    func addChangeSet(_ name: String, of stack: String) {
        let id = "arn:aws:cloudformation:::changeSet/\(name)/1"
        state.withLock {
            $0.changeSets[id] = ChangeSet(id: id, stackID: Self.stackID(stack), name: name, rotation: "theirs")
        }
    }

    func add(_ stack: Stack) { state.withLock { $0.stacks[Self.stackID(stack.name)] = stack } }

    func change(_ name: String, _ edit: @Sendable (inout Stack) -> Void) {
        state.withLock { state in
            guard var stack = state.stacks[Self.stackID(name)] else { return }
            edit(&stack)
            state.stacks[Self.stackID(name)] = stack
        }
    }

    func setChanges(_ xml: String) { state.withLock { $0.changes = xml } }
    func setNestedChanges(_ id: String, _ xml: String) { state.withLock { $0.nestedChanges[id] = xml } }

    func store(_ name: String, _ value: String) { state.withLock { $0.store[name] = value } }
    func stored(_ name: String) -> String? { state.withLock { $0.store[name] } }

    func remove(_ name: String) { state.withLock { $0.stacks[Self.stackID(name)] = nil } }

    func fail(_ action: String, _ fault: Fault) { state.withLock { $0.faults[action, default: []].append(fault) } }

    /// Somebody does something just before CloudFormation is called next.
    func before(_ action: String, _ intervention: @escaping @Sendable () async throws -> Void) {
        state.withLock { $0.interventions[action] = intervention }
    }

    /// A person rotates a stack, from the start of the update to the end of its clean-up.
    func rotate(_ name: String, to rotation: String, replacing old: String = "1") async throws {
        change(name) { $0.parameters["CertificateRotation"] = rotation }
        markChangeSets("OBSOLETE")
        try await complete(name, replacing: old)
    }

    func markChangeSets(_ status: String) {
        state.withLock { state in
            for id in state.changeSets.keys { state.changeSets[id]?.executionStatus = status }
        }
    }

    func removeChangeSets() { state.withLock { $0.changeSets = [:] } }

    var calls: [String] { state.withLock { $0.calls } }
    var executions: [String] { state.withLock { $0.executions } }
    var assumedRoles: [String] { state.withLock { $0.assumedRoles } }
    /// The access keys with which CloudFormation was called.
    var signers: Set<String> { state.withLock { $0.signers } }
    func distrust() { state.withLock { $0.trustsUs = false } }
    func stack(_ name: String) -> Stack? { state.withLock { $0.stacks[Self.stackID(name)] } }

    var client: AWSServiceClient {
        get throws {
            AWSServiceClient(
                configuration: try AWSConfiguration.fromEnvironment(["AWS_REGION": "eu-west-1"]), executor: self,
                credentials: EnvironmentCredentials(environment: [
                    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret-access-key",
                ]),
                clock: clock)
        }
    }

    private var store: CertificateStore {
        get throws {
            CertificateStore(
                s3: S3(try client, expectedBucketOwner: nil), stateBucket: "state", keyARN: "arn:aws:kms:::key/1",
                clock: clock)
        }
    }

    func address(_ stack: String, rotation: String) throws -> (CertificateAddress, CertificateOwner) {
        let owner = CertificateOwner(
            stackID: Self.stackID(stack), stackGUID: "guid-\(stack)", logicalResourceID: "Certificate")
        let definition = CertificateDefinition(
            appDomain: try DomainName("shop.example.com"), appName: "shop", bucket: "certificates",
            keyAlgorithm: .ecP256, validityDays: 90, subjectAlternativeNames: [], rotation: rotation)
        return (CertificateAddress(definition, of: owner), owner)
    }

    /// Gives a stack the certificate of a rotation, as the provider writes it down; `age` says how old it is.
    func certify(_ stack: String, rotation: String = "1", age: Duration = .days(80)) async throws {
        let (address, owner) = try address(stack, rotation: rotation)
        let issued = clock.now.advanced(by: .zero - age)
        let facts = facts(rotation, issuedAt: issued)
        _ = try await store.claim(
            address, of: owner,
            settings: CertificateSettings(rotationParameter: "CertificateRotation", stableS3Key: false),
            by: Claim(requestID: "request-\(rotation)", issuedAt: issued), facts: facts,
            deadline: clock.now.advanced(by: .seconds(60))
        ) { $0.previous }
    }

    /// A server says that it serves the certificate of a rotation.
    func acknowledge(_ server: String, of stack: String, rotation: String) async throws {
        let (address, _) = try address(stack, rotation: rotation)
        let key = try #require(Acknowledgement.key(of: address.key, server: server))
        try await StateBucket("state", s3: S3(try client, expectedBucketOwner: nil)).write(
            Acknowledgement(bundle: address.key, at: clock.now), at: key,
            deadline: clock.now.advanced(by: .seconds(60)))
    }

    func facts(_ rotation: String, issuedAt issued: UnixInstant) -> CertificateFacts {
        CertificateFacts(
            publicKey: "key-\(rotation)", previousPublicKey: "other", previousKeyDiscarded: true,
            certificateFingerprint: "fingerprint-\(rotation)", serialNumber: "01", notBefore: issued,
            notAfter: issued.advanced(by: .days(90)), requestID: "request-\(rotation)", issuedAt: issued)
    }

    /// CloudFormation has carried the update out: the new generation is there and the old one deleted.
    func complete(_ name: String, replacing old: String = "1") async throws {
        state.withLock { $0.isDead = false }
        let rotation = try #require(stack(name)?.parameters["CertificateRotation"])
        try await certify(name, rotation: rotation, age: .zero)
        let (address, owner) = try address(name, rotation: old)
        try await store.remove(
            address, of: owner, issuedUpTo: clock.now, deadline: clock.now.advanced(by: .seconds(60)))
        change(name) { $0.status = "UPDATE_COMPLETE" }
    }

    // MARK: Running

    @discardableResult
    func run(
        window: RenewalWindow? = nil, roleElsewhere: String? = nil, adviser: (any RenewalAdviser)? = nil,
        jitter: @escaping @Sendable (ClosedRange<Int64>) -> Int64 = { $0.lowerBound }
    ) async throws -> RenewalReport {
        state.withLock { $0.isDead = false }
        let logs = logs
        var logger = Logger(label: "renewal") { _ in logs }
        logger.logLevel = .trace
        let environment = RenewalEnvironment(
            cloudFormation: CloudFormation(try client),
            otherAccounts: try roleElsewhere.map {
                OtherAccounts(own: "111122223333", client: try client, roleName: $0, clock: clock)
            }, ssm: SSM(try client),
            state: StateBucket("state", s3: S3(try client, expectedBucketOwner: nil)), clock: clock,
            window: window, adviser: adviser, jitter: jitter)
        return try await withLogger(logger) { logger in
            try await RenewalRun(environment).run(until: clock.now.advanced(by: .seconds(800)), logger: logger)
        }
    }

    func stacks(_ trigger: RenewalTrigger) async throws -> [DueStack] {
        try await RenewalRun(environment(trigger)).stacks(
            deadline: clock.now.advanced(by: .seconds(60)), logger: Logger(label: "renewal") { _ in logs })
    }

    /// For what a person runs.
    func environment(_ trigger: RenewalTrigger) throws -> RenewalEnvironment {
        RenewalEnvironment(
            cloudFormation: CloudFormation(try client), ssm: SSM(try client),
            state: StateBucket("state", s3: S3(try client, expectedBucketOwner: nil)), clock: clock,
            lease: .seconds(300), trigger: trigger)
    }

    var markers: [String] { s3.objects(bucket: "state").keys.filter { $0.hasPrefix("actions/") }.sorted() }
    var memories: [String] { s3.objects(bucket: "state").keys.filter { $0.hasPrefix("renewals/") }.sorted() }

    // MARK: The network

    func execute(_ request: HTTPRequest, body: [UInt8], deadline: UnixInstant) async throws -> HTTPExchange {
        if state.withLock({ $0.isDead }) { throw Killed() }
        let service = request.authority?.split(separator: ".").first
        if service == "sts" { return state.withLock { $0.assumeRole(Form(body), now: clock.now) } }
        guard service == "cloudformation" || service == "ssm" else {
            let answer = try await s3.execute(request, body: body, deadline: deadline)
            guard answer.body != Array(Self.oversized.utf8) else {
                throw TransportError(.responseTooLarge, "The response is larger than 16 MB.")
            }
            return answer
        }
        let signer = request.headerFields[.authorization]?.split(separator: "=").dropFirst().first?.prefix { $0 != "/" }
        state.withLock { _ = $0.signers.insert(String(signer ?? "nobody")) }
        let form = service == "ssm" ? Form(json: body) : Form(body)
        let target = HTTPField.Name("x-amz-target").flatMap { request.headerFields[$0] }
        let action = target?.split(separator: ".").last.map(String.init) ?? form["Action"] ?? ""
        if let intervention = state.withLock({ $0.interventions.removeValue(forKey: action) }) {
            try await intervention()
        }
        let fault: Fault? = state.withLock { state in
            state.calls.append(action)
            guard state.faults[action]?.isEmpty == false else { return nil }
            return state.faults[action]?.removeFirst()
        }
        switch fault {
        case .refuse(let status, let code, let message):
            return Self.answer(
                status,
                "<ErrorResponse><Error><Code>\(code)</Code><Message>\(message)</Message></Error></ErrorResponse>")
        case .kill:
            state.withLock { $0.isDead = true }
            throw Killed()
        case .killAfterwards:
            _ = state.withLock { $0.respond(to: action, form) }
            state.withLock { $0.isDead = true }
            throw Killed()
        case .loseAnswer:
            _ = state.withLock { $0.respond(to: action, form) }
            throw TransportError(.connectionLost, "The connection was lost.")
        case nil:
            return state.withLock { $0.respond(to: action, form) }
        }
    }
}

extension RenewalScene {
    func delete(_ key: String) async throws {
        try await StateBucket("state", s3: S3(try client, expectedBucketOwner: nil)).delete(
            key, deadline: clock.now.advanced(by: .seconds(60)))
    }
}
