import Diagnostics
import TestSupport
import Testing
import Timekeeping

@testable import CustomResource

@Suite struct ResponseURLTests {
    private static let bucket = "cloudformation-custom-resource-response-euwest1"

    @Test(
        "CloudFormation's bucket is known by every form of S3's endpoints in every partition", .contract(18),
        arguments: [
            "https://\(bucket).s3.eu-west-1.amazonaws.com/x?X-Amz-Date=20270115T080000Z",
            "https://\(bucket).s3.amazonaws.com/x",
            "https://\(bucket).s3-eu-west-1.amazonaws.com/x",
            "https://\(bucket).s3.dualstack.eu-west-1.amazonaws.com/x",
            "https://\(bucket).s3-fips.us-gov-west-1.amazonaws.com/x",
            "https://\(bucket).s3-fips.dualstack.us-gov-east-1.amazonaws.com/x",
            "https://s3.amazonaws.com/\(bucket)/x",
            "https://s3.eu-west-1.amazonaws.com/\(bucket)/x",
            "https://s3-us-west-2.amazonaws.com/\(bucket)/x",
            "https://cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn/x",
            "https://cloudformation-custom-resource-response-eusc.s3.eusc-de-east-1.amazonaws.eu/x",
            "https://cloudformation-custom-resource-response-isoe.s3.us-iso-east-1.c2s.ic.gov/x",
            "https://cloudformation-custom-resource-response-isob.s3.us-isob-east-1.sc2s.sgov.gov/x",
            "https://cloudformation-custom-resource-response-isoe.s3.eu-isoe-west-1.cloud.adc-e.uk/x",
            "https://cloudformation-custom-resource-response-isof.s3.us-isof-south-1.csp.hci.ic.gov/x",
            "HTTPS://CloudFormation-Custom-Resource-Response-x.S3.AmazonAWS.com/x",
        ])
    func accepted(text: String) throws {
        let url = try ResponseURL(text, loopbackAllowed: false)
        #expect(url.scheme == "https")
        #expect(text.hasSuffix(url.authority + url.pathAndQuery.exposed))
    }

    @Test(
        "Everything else is refused, and not quoted", .contract(18),
        arguments: [
            "", "x", "https://", "https:///x", "https://\(bucket).s3.amazonaws.com",
            "ftp://\(bucket).s3.amazonaws.com/x",
            "http://\(bucket).s3.amazonaws.com/x",
            "https://attacker.s3.amazonaws.com/x",
            "https://s3.amazonaws.com/attacker/\(bucket)",
            "https://s3.amazonaws.com//\(bucket)/x",
            "https://\(bucket).s3.amazonaws.com.attacker.example/x",
            "https://\(bucket).attacker.example/s3.amazonaws.com",
            "https://\(bucket).execute-api.eu-west-1.amazonaws.com/x",
            "https://\(bucket)amazonaws.com/x",
            "https://\(bucket).s3.a.b.c.amazonaws.com/x",
            "https://\(bucket).s3..amazonaws.com/x",
            "https://attacker.example\\@\(bucket).s3.amazonaws.com/x",
            "https://\(bucket).s3.amazonaws.com@attacker.example/x",
            "https://\(bucket).s3.amazonaws.com:8443/x",
            "https://\(bucket).s3.amazonaws.com/x y",
            "https://\(bucket).s3.amazonaws.com/x\r\nHost: attacker",
            "https://\(bucket).s3.amazonaws.com/x#fragment",
            "https://\(bucket).s3.amazonaws.com/ü",
            "https://x-\(bucket).s3.amazonaws.com/x",
            "https://169.254.169.254/\(bucket)/x",
            "http://127.0.0.1:4566/x",
            "https://\(bucket).s3.amazonaws.com/" + String(repeating: "x", count: 8192),
        ])
    func refused(text: String) throws {
        let error = try #require(throws: CustomResourceError.self) { try ResponseURL(text, loopbackAllowed: false) }
        #expect(error.code == .responseURLRefused)
        #expect(!error.message.contains("attacker"))
    }

    @Test("Plain http is for this machine alone, and only when it is allowed")
    func loopback() throws {
        for text in ["http://127.0.0.1:4566/x", "http://localhost:80/x"] {
            #expect(try ResponseURL(text, loopbackAllowed: true).scheme == "http")
            #expect(throws: CustomResourceError.self) { try ResponseURL(text, loopbackAllowed: false) }
        }
        let others = [
            "http://127.0.0.1/x", "http://127.0.0.1:99999/x", "http://127.0.0.1:80@attacker.example/x",
            "http://127.0.0.2:80/x", "http://\(Self.bucket).s3.amazonaws.com/x", "https://127.0.0.1:443/x",
        ]
        for text in others {
            #expect(throws: CustomResourceError.self, "\(text)") { try ResponseURL(text, loopbackAllowed: true) }
        }
    }

    @Test("A URL never shows itself", .contract(24))
    func redaction() throws {
        let url = try ResponseURL(EventText.url, loopbackAllowed: false)
        var dumped = ""
        dump(url, to: &dumped)
        let shown = "\(url) \(String(reflecting: url)) \(dumped)"
        #expect(url.pathAndQuery.exposed.contains(EventText.signature))
        #expect(!shown.contains(EventText.signature) && !shown.contains("answer"))
    }
}
