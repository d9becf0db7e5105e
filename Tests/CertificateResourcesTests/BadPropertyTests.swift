import CustomResource
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

/// What a user reads in the stack's events when a property is wrong (cases 12 and 13).
@Suite struct BadPropertyTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let property: String
        /// The property's JSON; nil leaves it out.
        let json: String?
        let reason: String

        init(_ property: String, _ json: String?, _ reason: String) {
            self.property = property
            self.json = json
            self.reason = reason
        }

        var testDescription: String { "\(property) \(json?.prefix(40) ?? "missing")" }
    }

    private static let domain = "Property AppDomain is no domain name that a certificate can have: "
    private static let names =
        "AppDomain, AppName, AppS3Bucket, KeyAlgorithm, Rotation, RotationParameter, StableS3Key, "
        + "SubjectAlternativeNames, TrustPrevious, ValidityDays"

    static let cases: [Case] =
        [
            Case("AppDomain", nil, "Property AppDomain is missing: it must be a string."),
            Case("AppDomain", "null", "Property AppDomain is missing: it must be a string."),
            Case("AppDomain", #""""#, "Property AppDomain is empty: it needs a value."),
            Case("AppDomain", "5", "Property AppDomain is a number: it must be a string."),
            Case(
                "AppDomain", "\"" + String(repeating: "a.", count: 127) + "\"",
                "Property AppDomain is a string of 254 characters: at most 253 are allowed."),
            Case(
                "AppDomain", #""*.example.com""#, domain + "A domain name must be given without a wildcard here."),
            Case(
                "AppDomain", #""shop.example..com""#,
                domain + "A domain name must not be empty or have an empty part between dots."),
            Case(
                "AppDomain", #""shop_1.example.com""#,
                domain + "The domain name has a character that domain names cannot have."),
            Case(
                "AppDomain", #""hush,CN=x""#, domain + "The domain name has a character that domain names cannot have."),
            Case(
                "AppDomain", #""a\nb.example""#,
                domain + "The domain name has a character that domain names cannot have."),
            Case("AppDomain", #""10.1.2.3""#, domain + "\"10.1.2.3\" ends in a number: that is no domain name."),
            Case(
                "AppDomain", "\"" + String(repeating: "ü.", count: 126) + "a\"",
                domain + "A domain name has at most 253 characters."),
            Case("AppName", nil, "Property AppName is missing: it must be a string."),
            Case("AppName", #""""#, "Property AppName is empty: it needs a value."),
            Case("AppName", #"["shop"]"#, "Property AppName is a list of 1 item: it must be a string."),
            Case(
                "AppName", "\"" + String(repeating: "n", count: 129) + "\"",
                "Property AppName is a string of 129 characters: at most 128 are allowed."),
        ]
        + ["a/b", "*", "${x}", "a b", "ü", "a\\u0000"].map {
            Case(
                "AppName", "\"\($0)\"",
                "Property AppName has characters that are not allowed: it becomes part of ARNs, so only letters, digits, dot, "
                    + "underscore and hyphen may be used.")
        } + [
            Case("AppS3Bucket", nil, "Property AppS3Bucket is missing: it must be a string."),
            Case(
                "AppS3Bucket", #""somebody-elses""#,
                "Property AppS3Bucket is not a bucket that this provider serves: use the provider stack's output "
                    + "CertificateBucketName."),
            Case(
                "KeyAlgorithm", #""RSA_1024""#,
                #"Property KeyAlgorithm is "RSA_1024": it must be one of RSA_2048, RSA_3072, RSA_4096, EC_P256, EC_P384."#
            ),
            Case(
                "KeyAlgorithm", #""a\nb\u2028""#,
                #"Property KeyAlgorithm is "a\nb\u{2028}": it must be one of RSA_2048, RSA_3072, RSA_4096, EC_P256, EC_P384."#
            ),
            Case(
                "KeyAlgorithm", "\"" + String(repeating: "x", count: 65) + "\"",
                "Property KeyAlgorithm is a string of 65 characters: at most 64 are allowed."),
            Case("KeyAlgorithm", "true", "Property KeyAlgorithm is a boolean: it must be a string."),
            Case("ValidityDays", "0", "Property ValidityDays is 0: it must be a whole number from 1 to 3650."),
            Case(
                "ValidityDays", #""4000""#, "Property ValidityDays is 4000: it must be a whole number from 1 to 3650."),
            Case(
                "ValidityDays", #""a year""#,
                "Property ValidityDays is a string of 6 characters: it must be a whole number from 1 to 3650."),
            Case(
                "SubjectAlternativeNames", #""a.example,b_.example""#,
                "Property SubjectAlternativeNames has an item that is neither a domain name nor an IP address: The domain name "
                    + "has a character that domain names cannot have."),
            Case(
                "SubjectAlternativeNames", "[1]",
                "Property SubjectAlternativeNames has an item that is a number: every item must be a string."),
            Case(
                "SubjectAlternativeNames", "\"" + String(repeating: "a.example,", count: 101) + "\"",
                "Property SubjectAlternativeNames has 101 items: at most 100 are allowed."),
            Case("Rotation", "{}", "Property Rotation is an object of 0 members: it must be a string."),
            Case(
                "Rotation", "\"" + String(repeating: "r", count: 1025) + "\"",
                "Property Rotation is a string of 1025 characters: at most 1024 are allowed."),
            Case(
                "RotationParameter", #""not a name""#,
                "Property RotationParameter must be a parameter's name: letters and digits only."),
            Case(
                "TrustPrevious", #""perhaps""#,
                "Property TrustPrevious is a string of 7 characters: it must be true or false."),
            Case("StableS3Key", "1", "Property StableS3Key is a number: it must be true or false."),
            Case("AppDomian", #""x""#, "Property AppDomian is not one of this resource's: \(names)."),
            Case("hush hush", #""x""#, "Property with this name is not one of this resource's: \(names)."),
        ]

    /// The event with one property's JSON as the case has it.
    private func payload(_ event: StackEvent, _ bad: Case) throws -> [UInt8] {
        var event = event
        event.properties[bad.property] = bad.json == nil ? nil : "MARK"
        let text = String(decoding: try event.payload(), as: UTF8.self)
        return Array(text.replacing("\"MARK\"", with: bad.json ?? "").utf8)
    }

    @Test(
        "A bad property fails a Create with one line that names it, and nothing is left", .contract(12, 13),
        arguments: cases)
    func create(bad: Case) async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let event = stack.event(.create)
        #expect(try await provider.deliver(payload: payload(event, bad)) == .failed)
        let reply = try #require(try provider.inbox.replies(to: event).first)
        #expect(reply.reason == bad.reason)
        #expect(reply.reason?.contains("hush") == false)
        #expect(provider.changes == [])
        #expect(try await stack.delete(reply.physicalResourceID).status == "SUCCESS")
        #expect(!provider.logText.contains("hush"))
    }

    @Test(
        "A bad property fails an Update under the old id, and the rollback succeeds", .contract(8, 12), arguments: cases
    )
    func update(bad: Case) async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let created = try await stack.create()
        // A name that is unknown matters only when a new certificate would be made.
        let event = stack.event(.update, TestProvider.properties(["Rotation": "2"]), old: TestProvider.properties())
        #expect(try await provider.deliver(payload: payload(event, bad)) == .failed)
        let reply = try #require(try provider.inbox.replies(to: event).first)
        #expect(reply.reason == bad.reason)
        #expect(reply.physicalResourceID == created.physicalResourceID)
        // The properties that failed come back as the old ones.
        var rollback = stack.event(.update)
        rollback.oldProperties?[bad.property] = bad.json == nil ? nil : "MARK"
        let text = String(decoding: try rollback.payload(), as: UTF8.self)
            .replacing("\"MARK\"", with: bad.json ?? "")
        #expect(try await provider.deliver(payload: Array(text.utf8)) == .success)
        #expect(try provider.inbox.replies(to: rollback).first?.data == created.data)
    }

    @Test("Unknown properties are taken when nothing new is made, and when the stack had them before", .contract(13))
    func unknown() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let original = stack.properties
        let created = try await stack.create()
        let buster = original.merging(["CacheBuster": "1"]) { $1 }
        let kept = try await stack.update(buster)
        #expect(kept.data == created.data)
        let rotated = try await stack.update(TestProvider.properties(["CacheBuster": "2", "Rotation": "2"]))
        #expect(rotated.status == "SUCCESS")
        #expect(rotated.physicalResourceID != created.physicalResourceID)
        #expect(try await stack.update(buster).physicalResourceID == created.physicalResourceID)
        let refused = try await stack.update(TestProvider.properties(["Typo": "1", "Rotation": "3"]))
        #expect(refused.status == "FAILED")
        #expect(refused.reason?.hasPrefix("Property Typo is not one of this resource's") == true)
    }

    @Test("Native values are read like CloudFormation's texts", .contract(14))
    func native() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(
            provider,
            properties: TestProvider.properties([
                "ValidityDays": "30", "TrustPrevious": "TRUE", "SubjectAlternativeNames": "a.example, 10.1.2.3",
            ]))
        let created = try await stack.create()
        #expect(created.status == "SUCCESS")
        var event = stack.event(.update)
        event.properties.merge(["ValidityDays": "DAYS", "TrustPrevious": "TRUST", "SubjectAlternativeNames": "NAMES"]) {
            $1
        }
        let text = String(decoding: try event.payload(), as: UTF8.self)
            .replacing("\"DAYS\"", with: "30").replacing("\"TRUST\"", with: "true")
            .replacing("\"NAMES\"", with: #"["10.1.2.3","a.example"]"#)
        #expect(try await provider.deliver(payload: Array(text.utf8)) == .success)
        #expect(try provider.inbox.replies(to: event).first?.data == created.data)
    }
}
