import Diagnostics
import Foundation
import InMemoryLogging
import Logging
import TestSupport
import Testing
import Timekeeping

@testable import AWSClient

let certificateARN = "arn:aws:acm:eu-west-1:111122223333:certificate/12345678-1234-1234-1234-123456789012"
let pemKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
    OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
    1RTwjmYSi9R/zpBnuQ4EiMnC
    -----END PRIVATE KEY-----

    """
/// Three lines of the key; the last one is too short to look like a secret.
let pemKeyLines = pemKey.split(separator: "\n").dropFirst().dropLast().map(String.init)

@Suite("ACM") struct ACMTests {
    private let clock = VirtualClock()
    private var deadline: UnixInstant { clock.now.advanced(by: .seconds(600)) }

    private func make(
        _ lines: [ScriptedExecutor.Line], logger: Logger? = nil
    ) throws -> (ACM, ScriptedExecutor) {
        let executor = ScriptedExecutor(lines, clock: clock)
        return (ACM(try makeClient(executor, clock: clock, logger: logger)), executor)
    }

    private func members(_ request: ScriptedExecutor.Request?) throws -> NSDictionary {
        let body = try #require(request?.body)
        return try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? NSDictionary)
    }

    private func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    @Test("Leaf, chain and key are sent as three blobs, with tags")
    func importCertificate() async throws {
        let (acm, executor) = try make([.answer(200, #"{"CertificateArn":"\#(certificateARN)"}"#)])
        let arn = try await acm.importCertificate(
            "leaf", chain: "chain", privateKey: Redacted(pemKey), tags: ["b": "2", "a": "1"], deadline: deadline)
        #expect(arn == certificateARN)
        let request = try #require(executor.requests.first)
        #expect(request.line == "POST https://acm.eu-west-1.amazonaws.com/")
        #expect(request["x-amz-target"] == "CertificateManager.ImportCertificate")
        #expect(request["content-type"] == "application/x-amz-json-1.1")
        #expect(
            try members(request)
                == [
                    "Certificate": base64("leaf"), "CertificateChain": base64("chain"), "PrivateKey": base64(pemKey),
                    "Tags": [["Key": "a", "Value": "1"], ["Key": "b", "Value": "2"]],
                ])
    }

    @Test("A re-import names its ARN and no tags, a self-signed certificate no chain")
    func reimport() async throws {
        let (acm, executor) = try make([.answer(200, #"{"CertificateArn":"\#(certificateARN)"}"#)])
        _ = try await acm.importCertificate(
            "leaf", chain: nil, privateKey: Redacted(pemKey), arn: certificateARN, deadline: deadline)
        #expect(
            try members(executor.requests.first)
                == ["Certificate": base64("leaf"), "PrivateKey": base64(pemKey), "CertificateArn": certificateARN])
    }

    @Test("Neither a refusal that repeats the key nor the log shows it")
    func secrecy() async throws {
        let handler = InMemoryLogHandler()
        var logger = Logger(label: "test", factory: { _ in handler })
        logger.logLevel = .trace
        let told = "1 validation error detected: Value '\(pemKey)' at 'privateKey'; also \(base64(pemKey))"
        let text = try #require(String(data: try JSONEncoder().encode(["message": told]), encoding: .utf8))
        let (acm, _) = try make(
            [.answer(400, text, ["x-amzn-errortype": "ValidationException"])], logger: logger)
        let error = try await failure {
            try await acm.importCertificate("leaf", chain: nil, privateKey: Redacted(pemKey), deadline: deadline)
        }
        #expect(error?.code.rawValue == "ValidationException")
        #expect(error?.message.contains("1 validation error detected") == true && !handler.entries.isEmpty)
        for shown in ["\(String(describing: error))"] + handler.entries.map({ "\($0.message) \($0.metadata)" }) {
            for line in pemKeyLines { #expect(!shown.contains(line) && !shown.contains(base64(line).prefix(16))) }
        }
    }

    @Test("A certificate is described")
    func describe() async throws {
        let (acm, executor) = try make([
            .answer(
                200,
                #"""
                {"Certificate":{"CertificateArn":"\#(certificateARN)","DomainName":"a.example",
                "SubjectAlternativeNames":["a.example","*.a.example"],"Serial":"01:ab:CD","Status":"ISSUED",
                "Type":"IMPORTED","KeyAlgorithm":"RSA-2048","NotBefore":1.8E9,"NotAfter":1800000100.5,
                "InUseBy":["arn:aws:elasticloadbalancing:x"],"Options":{},"ImportedAt":1.8E9}}
                """#)
        ])
        let found = try await acm.describeCertificate(certificateARN, deadline: deadline)
        #expect(found.type == "IMPORTED" && found.status == "ISSUED" && found.keyAlgorithm == "RSA_2048")
        #expect(found.names == ["a.example", "*.a.example"])
        #expect(found.notBefore == UnixInstant(seconds: 1_800_000_000))
        #expect(found.notAfter == UnixInstant(milliseconds: 1_800_000_100_500))
        #expect(found.inUseBy == ["arn:aws:elasticloadbalancing:x"])
        #expect(try members(executor.requests.first) == ["CertificateArn": certificateARN])
    }

    @Test("A certificate itself is read")
    func get() async throws {
        let (acm, executor) = try make([.answer(200, #"{"Certificate":"leaf","CertificateChain":"chain"}"#)])
        #expect(try await acm.getCertificate(certificateARN, deadline: deadline) == "leaf")
        #expect(executor.requests.first?["x-amz-target"] == "CertificateManager.GetCertificate")
        #expect(try members(executor.requests.first) == ["CertificateArn": certificateARN])
    }

    @Test("Certificates with keys of every type are listed, over all pages")
    func list() async throws {
        let (acm, executor) = try make([
            .answer(
                200,
                #"""
                {"NextToken":"t","CertificateSummaryList":[{"CertificateArn":"1","DomainName":"a.example",
                "SubjectAlternativeNameSummaries":["a.example","b.example"],"Type":"IMPORTED",
                "KeyAlgorithm":"EC_prime256v1","NotAfter":1.8E9}]}
                """#),
            .answer(200, #"{"CertificateSummaryList":[{"CertificateArn":"2","DomainName":"c.example"}]}"#),
        ])
        let found = try await acm.listCertificates(deadline: deadline)
        #expect(found.map(\.arn) == ["1", "2"] && found.map(\.names) == [["a.example", "b.example"], ["c.example"]])
        #expect(found.map(\.keyAlgorithm) == ["EC_prime256v1", nil] && found.map(\.type) == ["IMPORTED", ""])
        #expect(found.map(\.notAfter) == [UnixInstant(seconds: 1_800_000_000), nil])
        let types = [
            "RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1",
        ]
        #expect(try members(executor.requests.first) == ["Includes": ["keyTypes": types], "MaxItems": 1000])
        #expect(
            try members(executor.requests.last)
                == ["Includes": ["keyTypes": types], "MaxItems": 1000, "NextToken": "t"])
    }

    @Test("Tags are read and added")
    func tags() async throws {
        let (acm, executor) = try make([
            .answer(200, #"{"Tags":[{"Key":"a","Value":"1"},{"Key":"b"}]}"#), .answer(200),
        ])
        #expect(try await acm.listTagsForCertificate(certificateARN, deadline: deadline) == ["a": "1", "b": ""])
        try await acm.addTagsToCertificate(certificateARN, tags: ["c": "3"], deadline: deadline)
        #expect(executor.requests.last?["x-amz-target"] == "CertificateManager.AddTagsToCertificate")
        #expect(
            try members(executor.requests.last)
                == ["CertificateArn": certificateARN, "Tags": [["Key": "c", "Value": "3"]]])
    }

    @Test(
        "A deletion that is refused tells why", arguments: ["ResourceInUseException", "ResourceNotFoundException"])
    func delete(code: String) async throws {
        let (acm, executor) = try make([.answer(200), .answer(400, #"{"__type":"\#(code)","message":"no"}"#)])
        try await acm.deleteCertificate(certificateARN, deadline: deadline)
        let error = try await failure { try await acm.deleteCertificate(certificateARN, deadline: deadline) }
        #expect(error?.code == (code.contains("InUse") ? .resourceInUse : .resourceNotFound))
        #expect(executor.requests.count == 2 && error?.message.hasPrefix("ACM DeleteCertificate failed") == true)
    }

    @Test("CloudFront's certificates are in another region than the function")
    func region() async throws {
        let executor = ScriptedExecutor([.answer(200)], clock: clock)
        let acm = ACM(try makeClient(executor, clock: clock).inRegion("us-east-1"))
        try await acm.deleteCertificate(certificateARN, deadline: deadline)
        #expect(executor.requests.first?.line == "POST https://acm.us-east-1.amazonaws.com/")
        #expect(executor.requests.first?["authorization"]?.contains("/us-east-1/acm/aws4_request") == true)
        #expect(acm.region == "us-east-1")
    }
}
