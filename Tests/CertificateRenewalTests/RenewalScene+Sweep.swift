import AWSClient
import CertificateIssuance
import CertificateRenewal
import InMemoryLogging
import Logging
import TestSupport
import Testing
import Timekeeping

extension RenewalScene {
    static let home = "arn:aws:cloudformation:eu-west-1:111122223333:stack/"

    private var s3Client: S3 { get throws { S3(try client, expectedBucketOwner: nil) } }
    private var soon: UnixInstant { clock.now.advanced(by: .seconds(60)) }

    var environment: RenewalEnvironment {
        get throws {
            RenewalEnvironment(
                cloudFormation: CloudFormation(try client), ssm: SSM(try client),
                state: StateBucket("state", s3: try s3Client), clock: clock)
        }
    }

    /// A stack with a certificate as the provider leaves it: bundle, record, marker; `names` says whether the stack's
    /// resource has its physical id.
    func issue(_ stack: String, rotation: String = "1", names: Bool = true) async throws {
        try await certify(stack, rotation: rotation, age: .zero)
        let (address, owner) = try address(stack, rotation: rotation)
        try await putBundle(at: address, of: owner, rotation: rotation)
        if names {
            change(stack) { $0.resources["Certificate"] = PhysicalResourceID.certificate(address).text }
        }
    }

    func putBundle(at address: CertificateAddress, of owner: CertificateOwner, rotation: String = "1") async throws {
        let metadata = CertificateMetadata(
            address: address, owner: owner, facts: facts(rotation, issuedAt: clock.now))
        _ = try await s3Client.putObject(
            bucket: "certificates", key: address.key, body: Array("secret".utf8), metadata: metadata.fields,
            deadline: soon)
    }

    /// A Let's Encrypt certificate of a stack as a lost record leaves it: its bundle, which the stack's resource names.
    func putLetsEncryptBundle(_ stack: String, names: Bool = true) async throws -> CertificateAddress {
        let owner = CertificateOwner(
            stackID: Self.stackID(stack), stackGUID: "guid-\(stack)", logicalResourceID: "Certificate")
        let key = "lets-encrypt/\(stack)/guid-\(stack)/Certificate/\(String(repeating: "a", count: 64)).json"
        let address = try #require(CertificateAddress(bucket: "certificates", key: key))
        try await putBundle(at: address, of: owner)
        if names {
            change(stack) { $0.resources["Certificate"] = PhysicalResourceID.certificate(address).text }
        }
        return address
    }

    static func physicalID(_ address: CertificateAddress) -> String { PhysicalResourceID.certificate(address).text }

    func write(_ text: String, at key: String) async throws {
        _ = try await s3Client.putObject(bucket: "state", key: key, body: Array(text.utf8), deadline: soon)
    }

    func bundleKey(_ stack: String, rotation: String = "1") throws -> String {
        try address(stack, rotation: rotation).0.key
    }

    func deleteBundle(_ stack: String, rotation: String = "1") async throws {
        let key = try bundleKey(stack, rotation: rotation)
        try await s3Client.deleteObject(bucket: "certificates", key: key, deadline: soon)
    }

    var records: [String] { s3.objects(bucket: "state").keys.filter { $0.hasPrefix("records/") }.sorted() }
    var sweepNotes: [String] { s3.objects(bucket: "state").keys.filter { $0.hasPrefix("sweep/") }.sorted() }

    func record(_ stack: String, rotation: String = "1") async throws -> CertificateRecord? {
        let key = try address(stack, rotation: rotation).0.recordKey
        return try await environment.state.document(CertificateRecord.self, at: key, deadline: soon)?.document
    }

    @discardableResult
    func sweep(begins: Bool = true, for time: Duration = .seconds(800)) async throws -> StateSweep.Ending {
        let logs = logs
        let logger = Logger(label: "sweep") { _ in logs }
        return try await stateSweep.run(begins: begins, until: clock.now.advanced(by: time), logger: logger)
    }

    func isSweepOverdue() async throws -> Bool { try await stateSweep.isOverdue(deadline: soon) }

    private var stateSweep: StateSweep {
        get throws {
            StateSweep(
                try environment, bundles: BundleListing("certificates", s3: try s3Client), home: Self.home,
                pageLength: 3)
        }
    }

    /// A sweep from its beginning to its end.
    func sweepReport() async throws -> SweepReport? {
        guard case .complete(let report) = try await sweep() else { return nil }
        return report
    }

    func statuses() async throws -> [CertificateStatus] {
        try await CertificateStatus.all(in: environment.state, now: clock.now, deadline: soon)
    }
}
