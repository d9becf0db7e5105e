import ACME
import AWSClient
import CertificateIssuance
import Diagnostics
import PKI
import Timekeeping

/// A place for bundles without CloudFormation: a bucket of the user's own, and the SSM parameter that says which of them
/// is the newest. Bundles are never written over, and the parameter changes last: whoever follows it finds a whole one.
struct BundleShelf: Sendable {
    private let s3: S3
    private let ssm: SSM
    private let bucket: String
    private let prefix: String
    private let parameter: String
    private let encryption: ServerSideEncryption

    init(_ client: AWSServiceClient, bucket: String, prefix: String, parameter: String, kmsKeyID: String?) {
        s3 = S3(client, expectedBucketOwner: nil)
        ssm = SSM(client)
        self.bucket = bucket
        self.prefix = prefix
        self.parameter = parameter
        encryption = kmsKeyID.map { .kms($0) } ?? .none
    }

    /// What is public of a bundle; its metadata.
    struct Label: Hashable, Sendable {
        /// `OrderRequest.nameSetDigest`.
        let nameSet: String
        let keyAlgorithm: String
        let fingerprint: String
        let serialNumber: String
        let notBefore: UnixInstant
        let notAfter: UnixInstant
        /// The key of the bundle that was the newest before this one.
        let previous: String?
        /// How the CA calls the certificate (RFC 9773). Nil in what the first versions have written.
        let certificateID: CertificateID?

        func isFor(_ request: OrderRequest) -> Bool {
            nameSet == request.nameSetDigest && keyAlgorithm == request.keyAlgorithm.rawValue
        }
    }

    /// A bundle on the shelf.
    struct Entry: Hashable, Sendable {
        let key: String
        let label: Label
    }

    /// The bundle that the parameter names. Nil when there is no parameter, or no bundle of that key any more.
    ///
    /// - Throws: `CommandError` when the parameter is about something else.
    func newest(deadline: UnixInstant) async throws -> Entry? {
        let key: String
        do {
            key = try await ssm.getParameter(parameter, deadline: deadline).value
        } catch let error as AWSError where error.code == .parameterNotFound {
            return nil
        }
        guard key.hasPrefix(prefix), key.hasSuffix(".json") else {
            throw CommandError(
                .unusable,
                "Parameter \(parameter) does not name a bundle below \(prefix): give --parameter another name, or the "
                    + "--prefix with which it was made.")
        }
        do {
            return try await Label(s3.headObject(bucket: bucket, key: key, deadline: deadline).metadata)
                .map { Entry(key: key, label: $0) }
        } catch let error as AWSError where error.isMissing {
            return nil
        }
    }

    /// Where the next bundle goes, for the memory of the order.
    func destination(after newest: Entry?) -> String { "s3://\(bucket)/\(prefix) after \(newest?.key ?? "none")" }

    /// Puts a bundle on the shelf, and then has the parameter name it. Can be repeated.
    func put(
        _ obtained: ObtainedCertificate, for request: OrderRequest, after previous: Entry?, deadline: UnixInstant
    ) async throws -> Entry {
        let certificate = obtained.certificate
        let bundle = CertificateBundle(
            keyPair: obtained.keyPair, certificate: certificate, chainPEM: obtained.chainPEM, appName: "stackcert",
            appDomain: request.firstName, generation: certificate.fingerprint)
        let key = "\(prefix)\(certificate.fingerprint).json"
        let label = Label(
            nameSet: request.nameSetDigest, keyAlgorithm: obtained.keyPair.algorithm.rawValue,
            fingerprint: certificate.fingerprint, serialNumber: certificate.serialNumber,
            notBefore: certificate.notBefore, notAfter: certificate.notAfter,
            previous: previous.flatMap { $0.key == key ? nil : $0.key },
            certificateID: obtained.certificateID.flatMap { CertificateID($0) })
        // When it is there already, an earlier run was stopped before it could change the parameter.
        _ = try await unlessPreconditionFails {
            _ = try await s3.putObject(
                bucket: bucket, key: key, body: bundle.encoded().exposed, contentType: "application/json",
                metadata: label.fields, encryption: encryption, ifNoneMatch: true,
                secret: bundle.keyPair.privateKeyPEM, deadline: deadline)
        }
        try await ssm.putParameter(parameter, value: key, type: "String", deadline: deadline)
        return Entry(key: key, label: label)
    }

    /// Deletes the bundle that was replaced before `entry` was the newest: by now everybody has followed.
    func removeWhatWasBefore(_ entry: Entry?, deadline: UnixInstant) async throws {
        guard let previous = entry?.label.previous, previous.hasPrefix(prefix) else { return }
        try await s3.deleteObject(bucket: bucket, key: previous, deadline: deadline)
    }
}

extension BundleShelf.Label {
    private enum Name {
        static let nameSet = "name-set"
        static let keyAlgorithm = "key-algorithm"
        static let fingerprint = "fingerprint"
        static let serialNumber = "serial-number"
        static let notBefore = "not-before"
        static let notAfter = "not-after"
        static let previous = "previous"
        static let certificateID = "certificate-id"
    }

    var fields: [String: String] {
        var fields = [
            Name.nameSet: nameSet,
            Name.keyAlgorithm: keyAlgorithm,
            Name.fingerprint: fingerprint,
            Name.serialNumber: serialNumber,
            Name.notBefore: String(notBefore.seconds),
            Name.notAfter: String(notAfter.seconds),
        ]
        fields[Name.previous] = previous
        fields[Name.certificateID] = certificateID?.description
        return fields
    }

    /// Nil when the object is not one of ours.
    init?(_ fields: [String: String]) {
        guard let nameSet = fields[Name.nameSet], let keyAlgorithm = fields[Name.keyAlgorithm],
            let fingerprint = fields[Name.fingerprint], let serialNumber = fields[Name.serialNumber],
            let notBefore = fields[Name.notBefore].flatMap({ Int64($0) }),
            let notAfter = fields[Name.notAfter].flatMap({ Int64($0) })
        else { return nil }
        self.init(
            nameSet: nameSet, keyAlgorithm: keyAlgorithm, fingerprint: fingerprint, serialNumber: serialNumber,
            notBefore: UnixInstant(seconds: notBefore), notAfter: UnixInstant(seconds: notAfter),
            previous: fields[Name.previous],
            certificateID: fields[Name.certificateID].flatMap { CertificateID($0) })
    }
}
