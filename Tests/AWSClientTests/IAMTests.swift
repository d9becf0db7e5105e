import Diagnostics
import TestSupport
import Testing
import Timekeeping

@testable import AWSClient

@Suite("IAM") struct IAMTests {
    private let clock = VirtualClock()
    private var deadline: UnixInstant { clock.now.advanced(by: .seconds(600)) }

    private func make(_ lines: [ScriptedExecutor.Line]) throws -> (IAM, ScriptedExecutor) {
        let executor = ScriptedExecutor(lines, clock: clock)
        return (IAM(try makeClient(executor, clock: clock)), executor)
    }

    private func answer(_ action: String, _ inside: String) -> String {
        "<\(action)Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><\(action)Result>\(inside)"
            + "</\(action)Result></\(action)Response>"
    }

    private func metadata(_ name: String) -> String {
        "<Path>/cloudfront/a/</Path><ServerCertificateName>\(name)</ServerCertificateName>"
            + "<ServerCertificateId>ASCA</ServerCertificateId><Expiration>2027-01-15T09:00:00Z</Expiration>"
            + "<Arn>arn:aws:iam::1:server-certificate/cloudfront/a/\(name)</Arn>"
    }

    private let expected = IAM.ServerCertificate(
        name: "n", path: "/cloudfront/a/", arn: "arn:aws:iam::1:server-certificate/cloudfront/a/n",
        expiration: UnixInstant(iso8601: "2027-01-15T09:00:00Z"))

    @Test("A server certificate is uploaded as a form, signed for the partition")
    func upload() async throws {
        let (iam, executor) = try make([
            .answer(
                200,
                answer(
                    "UploadServerCertificate",
                    "<ServerCertificateMetadata>\(metadata("n"))</ServerCertificateMetadata>"))
        ])
        let made = try await iam.uploadServerCertificate(
            "leaf", chain: "chain", privateKey: Redacted("k+y"), name: "n", path: "/cloudfront/a/", tags: ["t": "v"],
            deadline: deadline)
        #expect(made == expected)
        let request = try #require(executor.requests.first)
        #expect(request.line == "POST https://iam.amazonaws.com/")
        #expect(request["authorization"]?.contains("/us-east-1/iam/aws4_request") == true)
        #expect(
            request.body == "Action=UploadServerCertificate&Version=2010-05-08&Path=%2Fcloudfront%2Fa%2F"
                + "&ServerCertificateName=n&CertificateBody=leaf&PrivateKey=k%2By&CertificateChain=chain"
                + "&Tags.member.1.Key=t&Tags.member.1.Value=v")
    }

    @Test("A refusal that repeats the key does not show it")
    func secrecy() async throws {
        let refusal =
            "<ErrorResponse><Error><Code>ValidationError</Code><Message>1 validation error detected: Value '"
            + pemKey + "' at 'privateKey'</Message></Error></ErrorResponse>"
        let (iam, _) = try make([.answer(400, refusal)])
        let error = try await failure {
            try await iam.uploadServerCertificate(
                "leaf", chain: nil, privateKey: Redacted(pemKey), name: "n", deadline: deadline)
        }
        #expect(error?.message.contains("1 validation error detected") == true)
        for line in pemKeyLines { #expect(error?.message.contains(line) == false) }
    }

    @Test("A server certificate is read with its body")
    func get() async throws {
        let (iam, executor) = try make([
            .answer(
                200,
                answer(
                    "GetServerCertificate",
                    "<ServerCertificate><ServerCertificateMetadata>\(metadata("n"))</ServerCertificateMetadata>"
                        + "<CertificateBody>leaf</CertificateBody></ServerCertificate>"))
        ])
        let found = try await iam.getServerCertificate("n", deadline: deadline)
        #expect(found.certificate == expected && found.body == "leaf")
        #expect(
            executor.requests.first?.body
                == "Action=GetServerCertificate&Version=2010-05-08&ServerCertificateName=n")
    }

    @Test("Those below a path are listed, over all pages")
    func list() async throws {
        func page(_ names: String, _ end: String) -> String {
            answer(
                "ListServerCertificates",
                "<ServerCertificateMetadataList>\(names)</ServerCertificateMetadataList>\(end)")
        }
        let (iam, executor) = try make([
            .answer(
                200,
                page(
                    "<member>\(metadata("n"))</member>", "<IsTruncated>true</IsTruncated><Marker>m</Marker>")),
            .answer(200, page("<member>\(metadata("o"))</member>", "<IsTruncated>false</IsTruncated>")),
        ])
        let found = try await iam.listServerCertificates(pathPrefix: "/cloudfront/", deadline: deadline)
        #expect(found.map(\.name) == ["n", "o"])
        #expect(
            executor.requests.last?.body
                == "Action=ListServerCertificates&Version=2010-05-08&PathPrefix=%2Fcloudfront%2F&Marker=m")
    }

    @Test(
        "What IAM says has a code of ours, and is not tried again",
        arguments: [
            ("DeleteConflict", 409, AWSError.Code.deleteConflict), ("NoSuchEntity", 404, .noSuchEntity),
            ("EntityAlreadyExists", 409, .entityAlreadyExists), ("LimitExceeded", 409, .entityQuota),
        ])
    func refused(text: String, status: Int, code: AWSError.Code) async throws {
        let refusal = "<ErrorResponse><Error><Code>\(text)</Code><Message>It is used.</Message></Error></ErrorResponse>"
        let (iam, executor) = try make([
            .answer(200, "<DeleteServerCertificateResponse><ResponseMetadata/></DeleteServerCertificateResponse>"),
            .answer(status, refusal),
        ])
        try await iam.deleteServerCertificate("n", deadline: deadline)
        let error = try await failure { try await iam.deleteServerCertificate("n", deadline: deadline) }
        #expect(error?.code == code && executor.requests.count == 2)
    }
}
