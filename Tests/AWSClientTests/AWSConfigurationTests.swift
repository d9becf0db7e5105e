import TestSupport
import Testing
import Timekeeping

@testable import AWSClient

@Suite struct AWSConfigurationTests {
    @Test(
        "Each partition has its hosts",
        arguments: [
            ("eu-west-1", "aws", "s3.eu-west-1.amazonaws.com"), ("mx-new-9", "aws", "s3.mx-new-9.amazonaws.com"),
            ("cn-north-1", "aws-cn", "s3.cn-north-1.amazonaws.com.cn"),
            ("us-gov-east-1", "aws-us-gov", "s3.us-gov-east-1.amazonaws.com"),
            ("us-iso-west-1", "aws-iso", "s3.us-iso-west-1.c2s.ic.gov"),
            ("us-isob-east-1", "aws-iso-b", "s3.us-isob-east-1.sc2s.sgov.gov"),
            ("eu-isoe-west-1", "aws-iso-e", "s3.eu-isoe-west-1.cloud.adc-e.uk"),
            ("eusc-de-east-1", "aws-eusc", "s3.eusc-de-east-1.amazonaws.eu"),
        ])
    func partitions(region: String, name: String, host: String) throws {
        let configuration = try AWSConfiguration(region: region)
        #expect(configuration.partition.name == name)
        #expect(configuration.endpoint(for: .s3).authority == host)
        #expect(configuration.signingRegion(for: .s3) == region)
    }

    @Test(
        "A global service has one host in each partition, and signs with that host's region",
        arguments: [
            // As botocore says.
            (AWSService.route53, "eu-west-1", "route53.amazonaws.com", "us-east-1"),
            (.route53, "cn-north-1", "route53.amazonaws.com.cn", "cn-northwest-1"),
            (.route53, "us-gov-east-1", "route53.us-gov.amazonaws.com", "us-gov-west-1"),
            (.route53, "us-iso-west-1", "route53.c2s.ic.gov", "us-iso-east-1"),
            (.route53, "eusc-de-east-1", "route53.amazonaws.eu", "eusc-de-east-1"),
            (.iam, "eu-west-1", "iam.amazonaws.com", "us-east-1"),
            (.iam, "cn-northwest-1", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            (.iam, "us-gov-west-1", "iam.us-gov.amazonaws.com", "us-gov-west-1"),
            (.iam, "us-isob-east-1", "iam.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"),
            (.iam, "eu-isoe-west-1", "iam.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1"),
        ])
    func global(service: AWSService, region: String, host: String, signingRegion: String) throws {
        let configuration = try AWSConfiguration(region: region)
        #expect(configuration.endpoint(for: service).authority == host)
        #expect(configuration.signingRegion(for: service) == signingRegion)
    }

    @Test("In another region the same endpoints of one's own are used")
    func otherRegion() throws {
        let custom = try AWSConfiguration(region: "eu-west-1", serviceEndpointURLs: ["s3": "http://127.0.0.1:5000"])
        let moved = try custom.inRegion("us-east-1")
        #expect(moved.endpoint(for: .acm).authority == "acm.us-east-1.amazonaws.com")
        #expect(moved.endpoint(for: .s3).authority == "127.0.0.1:5000" && moved.signingRegion(for: .s3) == "us-east-1")
        #expect(throws: AWSError.self) { try custom.inRegion("us east") }
    }

    @Test("The environment gives region and endpoints; the more special one wins")
    func environment() throws {
        let some = [
            "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:5000",
            "AWS_ENDPOINT_URL_S3": "https://S3.example:8443/base/", "AWS_ENDPOINT_URL_STS": "",
            "AWS_ENDPOINT_URL_ROUTE_53": "http://127.0.0.1:5053",
        ]
        let configuration = try AWSConfiguration.fromEnvironment(some)
        #expect(configuration.region == "eu-west-1")
        let s3 = configuration.endpoint(for: .s3)
        #expect(s3.scheme == "https" && s3.authority == "s3.example:8443" && s3.basePath == "/base" && s3.isCustom)
        #expect(configuration.endpoint(for: .sts).authority == "127.0.0.1:5000")
        #expect(configuration.endpoint(for: .route53).authority == "127.0.0.1:5053")
        let ignoring = try AWSConfiguration.fromEnvironment(
            some.merging(["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "TRUE"]) { _, new in new })
        #expect(ignoring.endpoint(for: .s3).authority == "s3.eu-west-1.amazonaws.com")
        #expect(try AWSConfiguration.fromEnvironment(["AWS_DEFAULT_REGION": "us-west-2"]).region == "us-west-2")
    }

    @Test(
        "A region or an endpoint that is none is refused without being repeated",
        arguments: [
            [:], ["AWS_REGION": ""], ["AWS_REGION": "eu west"], ["AWS_REGION": "evil.example/"], ["AWS_REGION": "-a"],
            ["AWS_REGION": "a", "AWS_ENDPOINT_URL": "127.0.0.1:5000"],
            ["AWS_REGION": "a", "AWS_ENDPOINT_URL": "ftp://evil"], ["AWS_REGION": "a", "AWS_ENDPOINT_URL": "http://"],
            ["AWS_REGION": "a", "AWS_ENDPOINT_URL": "http://user:evil@host"],
            ["AWS_REGION": "a", "AWS_ENDPOINT_URL": "http://host/?evil"],
            ["AWS_REGION": "a", "AWS_ENDPOINT_URL_STS": "http://host/#evil"],
            ["AWS_REGION": "a", "AWS_ENDPOINT_URL_S3": "http://host\r\nevil"],
        ] as [[String: String]])
    func refused(environment: [String: String]) {
        #expect {
            try AWSConfiguration.fromEnvironment(environment)
        } throws: { error in
            let error = error as? AWSError
            return error?.code == .invalidConfiguration && error?.message.contains("evil") == false
        }
    }

    @Test(
        "A date of an HTTP field is read",
        arguments: [
            ("Fri, 15 Jan 2027 08:00:00 GMT", 1_800_000_000), ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Sun, 06 Nov 1994 08:49:60 GMT", 784_111_799), ("Sunday, 06-Nov-94 08:49:37 GMT", nil),
            ("Sun, 31 Nov 1994 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 08:49 GMT", nil), ("", nil),
        ] as [(String, Int64?)])
    func httpDate(text: String, seconds: Int64?) {
        #expect(UnixInstant(httpDate: text)?.seconds == seconds)
    }
}
