import CertificateResources
import CustomResource
import ProviderTestSupport
import TestSupport
import Testing

/// What a user reads in the stack's events when a property is wrong (cases 12 and 13).
@Suite struct LetsEncryptPropertyTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let changes: [String: String?]
        let reason: String
        var testDescription: String { changes.keys.sorted().joined(separator: ", ") + ": " + reason.prefix(60) }
    }

    static let cases = [
        Case(
            changes: ["DomainNames": nil],
            reason: "Property DomainNames is missing: it must be a list of 1 to 100 names."),
        Case(
            changes: ["DomainNames": String(repeating: "a.example,", count: 101)],
            reason: "Property DomainNames has 101 items: at most 100 are allowed."),
        Case(
            changes: ["DomainNames": "b_.example"],
            reason:
                "Property DomainNames has an item that is neither a domain name nor an IP address: The domain name has a "
                + "character that domain names cannot have."),
        Case(
            changes: ["DomainNames": "192.0.2.1"],
            reason: "Property DomainNames has the IP address 192.0.2.1: those need Challenge http-01."),
        Case(
            changes: ["Challenge": "http-01", "ChallengeBucket": "web"],
            reason: "Property DomainNames has the wildcard *.shop.example.com: those need Challenge dns-01."),
        Case(
            changes: ["Challenge": "http-01"],
            reason: "Property ChallengeBucket is missing: http-01 needs the name of a website bucket."),
        Case(
            changes: ["ChallengeBucket": "web"],
            reason: "Property ChallengeBucket is given, but Challenge is not http-01."),
        Case(
            changes: [
                "Challenge": "http-01", "ChallengeBucket": "web", "HostedZoneId": "Z1", "DomainNames": "a.example",
            ],
            reason: "Property HostedZoneId is given, but Challenge is not dns-01."),
        Case(
            changes: ["Challenge": "tls-alpn-01"],
            reason: #"Property Challenge is "tls-alpn-01": it must be dns-01 or http-01."#),
        Case(
            changes: ["Directory": "http://ca.example/"],
            reason: "Property Directory must be production, staging, or the https URL of an ACME directory."),
        Case(changes: ["Contact": "a@b@c"], reason: "Property Contact must be one e-mail address."),
        Case(
            changes: ["Contact": "ops@example.com,b@example.com"],
            reason: "Property Contact must be one e-mail address."),
        Case(
            changes: ["TermsOfServiceAgreed": "perhaps"],
            reason: "Property TermsOfServiceAgreed is a string of 7 characters: it must be true or false."),
        Case(
            changes: ["Import": "ACM,ELB"], reason: #"Property Import has the item "ELB": each must be ACM or IAM."#),
        Case(
            changes: ["ImportRegion": "us-east-1"],
            reason: "Property ImportRegion is given, but Import does not name ACM."),
        Case(
            changes: ["Import": "ACM", "ImportRegion": "US EAST"],
            reason: "Property ImportRegion must be the name of a region, such as us-east-1."),
        Case(
            changes: ["Import": "IAM", "ImportPath": "cloudfront"],
            reason: "Property ImportPath must begin and end with a slash, such as /cloudfront/shop/."),
        Case(
            changes: ["Import": "IAM", "ImportPath": "/cloudfront/x/", "KeyAlgorithm": "RSA_4096"],
            reason: "Property KeyAlgorithm is RSA_4096, of which CloudFront takes no certificates of IAM: choose "
                + "another, or Import ACM with ImportRegion us-east-1."),
        Case(
            changes: ["StableCertificateArn": "true"],
            reason: "Property StableCertificateArn is true without a copy in ACM: set Import to ACM."),
        Case(
            changes: ["KeyAlgorithm": "EC_P521"],
            reason:
                #"Property KeyAlgorithm is "EC_P521": it must be one of RSA_2048, RSA_3072, RSA_4096, EC_P256, EC_P384."#
        ),
        Case(changes: ["AppName": nil], reason: "Property AppName is missing: it must be a string."),
        Case(
            changes: ["AppS3Bucket": "another"],
            reason: "Property AppS3Bucket is not a bucket that this provider serves: use the provider stack's output "
                + "CertificateBucketName."),
        Case(
            changes: ["TermsOfServiceAgreed": "false"],
            reason:
                "The terms of service of ca.test (https://ca.test/terms) must be agreed to: set TermsOfServiceAgreed to "
                + "true."),
    ]

    @Test(
        "A bad property fails a Create with one line that names it, and nothing is left or ordered", .contract(12, 13),
        arguments: cases)
    func bad(item: Case) async throws {
        let provider = try LetsEncryptProvider()
        var stack = LetsEncryptStack(provider)
        let reply = try await stack.send(.create, LetsEncryptProvider.properties(item.changes))
        #expect(reply.status == "FAILED")
        #expect(reply.reason == item.reason)
        #expect(provider.orders == 0)
        #expect(provider.bundles.isEmpty)
    }

    @Test("A property that the resource does not have is named, with those that it has", .contract(13))
    func unknown() async throws {
        let provider = try LetsEncryptProvider()
        var stack = LetsEncryptStack(provider)
        let reply = try await stack.send(.create, LetsEncryptProvider.properties(["DomainName": "a.example"]))
        #expect(reply.status == "FAILED")
        #expect(
            reply.reason?.hasPrefix("Property DomainName is not one of this resource's: AppName, AppS3Bucket") == true)
        #expect(provider.orders == 0)
    }

    @Test("Names are one certificate's in any order, case and spelling", .contract(5))
    func normalized() throws {
        let defaults = ProviderDefaults(buckets: [TestProvider.certificateBucket], stableS3Key: false)
        func definition(_ names: String) throws -> LetsEncryptCertificateProperties {
            let properties = LetsEncryptProvider.properties(["DomainNames": names])
            return try LetsEncryptCertificateProperties(
                PropertyBag(properties.mapValues { .string($0) }), defaults: defaults, account: StackEvent.account)
        }
        let one = try definition("a.example,münchen.example")
        #expect(try definition("xn--mnchen-3ya.example, A.EXAMPLE,a.example").definition == one.definition)
        #expect(try definition("a.example").definition != one.definition)
    }
}
