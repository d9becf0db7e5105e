package import Diagnostics
internal import FoundationEssentials
package import Timekeeping

/// AWS Certificate Manager: certificates that were made elsewhere, for load balancers and CloudFront.
///
/// Every call throws ``AWSError`` or `CancellationError` and is tried again as the client's policy says. An import has no
/// token that would make a repetition harmless: when `mayHaveBeenCarriedOut` there may be a copy that nobody knows the
/// ARN of.
package struct ACM: Sendable {
    private let client: AWSServiceClient

    package init(_ client: AWSServiceClient) {
        self.client = client
    }

    /// Where this client's certificates are.
    package var region: String { client.configuration.region }

    /// Imports a certificate, under a new ARN or under that of an earlier import.
    ///
    /// - Parameters:
    ///   - certificate: the leaf alone, PEM.
    ///   - chain: what it is signed by, PEM, without the leaf; nil for a self-signed one.
    ///   - arn: of an imported certificate with a key of the same type and size, to put the new one in its place.
    ///   - tags: must be empty with `arn`: they can only be given with a first import.
    /// - Returns: the ARN.
    package func importCertificate(
        _ certificate: String, chain: String?, privateKey: Redacted<String>, arn: String? = nil,
        tags: [String: String] = [:], deadline: UnixInstant
    ) async throws -> String {
        let request = ImportRequest(
            Certificate: Data(certificate.utf8), PrivateKey: Data(privateKey.exposed.utf8),
            CertificateChain: chain.map { Data($0.utf8) }, CertificateArn: arn,
            Tags: tags.isEmpty ? nil : Tag.list(tags))
        let answer: ARN = try await client.send(
            try call("ImportCertificate", request, secrets: privateKey.lines), deadline: deadline)
        return answer.CertificateArn
    }

    /// - Throws: ``AWSError/Code/resourceNotFound``.
    package func describeCertificate(_ arn: String, deadline: UnixInstant) async throws -> Certificate {
        let answer: Description = try await client.send(
            try call("DescribeCertificate", ARN(CertificateArn: arn)), deadline: deadline)
        return Certificate(answer.Certificate)
    }

    /// The leaf of a certificate, PEM.
    ///
    /// - Throws: ``AWSError/Code/resourceNotFound``.
    package func getCertificate(_ arn: String, deadline: UnixInstant) async throws -> String {
        let answer: Body = try await client.send(
            try call("GetCertificate", ARN(CertificateArn: arn)), deadline: deadline)
        return answer.Certificate
    }

    /// All certificates of the region, whatever their keys' types: without being asked ACM keeps all but RSA 2048 back.
    package func listCertificates(deadline: UnixInstant) async throws -> [Summary] {
        var found: [Summary] = []
        var token: String?
        while true {
            let call = try call("ListCertificates", ListRequest(NextToken: token))
            let page: Page = try await client.send(call, deadline: deadline)
            found += page.CertificateSummaryList.map { Summary($0) }
            guard let next = page.NextToken, !next.isEmpty else { return found }
            guard next != token, found.count <= 100_000 else {
                throw AWSError(.invalidResponse, "The listing leads back to where it was.").during(call)
            }
            token = next
        }
    }

    /// - Throws: ``AWSError/Code/resourceNotFound``, ``AWSError/Code/resourceInUse``.
    package func deleteCertificate(_ arn: String, deadline: UnixInstant) async throws {
        _ = try await client.send(try call("DeleteCertificate", ARN(CertificateArn: arn)), deadline: deadline)
    }

    /// - Throws: ``AWSError/Code/resourceNotFound``.
    package func listTagsForCertificate(_ arn: String, deadline: UnixInstant) async throws -> [String: String] {
        let answer: TagList = try await client.send(
            try call("ListTagsForCertificate", ARN(CertificateArn: arn)), deadline: deadline)
        return Dictionary((answer.Tags ?? []).map { ($0.Key, $0.Value ?? "") }) { _, last in last }
    }

    /// Adds tags, or gives those that are there other values.
    package func addTagsToCertificate(
        _ arn: String, tags: [String: String], deadline: UnixInstant
    ) async throws {
        _ = try await client.send(
            try call("AddTagsToCertificate", TagRequest(CertificateArn: arn, Tags: Tag.list(tags))),
            deadline: deadline)
    }

    private func call(
        _ operation: String, _ members: some Encodable, secrets: [Redacted<String>] = []
    ) throws(AWSError) -> AWSCall {
        try AWSCall(json: .acm, target: "CertificateManager", operation: operation, members, secrets: secrets)
    }
}

extension AWSError.Code {
    package static let resourceInUse = Self(rawValue: "ResourceInUseException")
    package static let resourceNotFound = Self(rawValue: "ResourceNotFoundException")
    /// So many certificates, or so many imports in a year, are not allowed.
    package static let certificateQuota = Self(rawValue: "LimitExceededException")
}
