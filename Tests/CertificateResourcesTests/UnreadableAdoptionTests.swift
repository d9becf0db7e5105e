import AWSClient
import CustomResource
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

/// Objects of system A that hold no certificate that can be read.
@Suite struct UnreadableAdoptionTests {
    private static let small = [
        "AppDomain": "shop.example.com", "AppName": "shop", "AppS3Bucket": TestProvider.adoptedBucket,
        "KeyAlgorithm": "EC_P256",
    ]
    private static let rotated = small.merging(["Rotation": "1"]) { $1 }
    private static let bodies = [
        "", "garbage", "{}", #"{"certificate": "hush"}"#, #"{"certificate": 5}"#,
        #"{"certificate": "Certificate:\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}"#,
    ]

    private func provider(holding body: String, stable: Bool = false) async throws -> TestProvider {
        let provider = try TestProvider(stableS3Key: stable)
        _ = try await provider.client.putObject(
            bucket: TestProvider.adoptedBucket, key: TestProvider.stableKey, body: Array(body.utf8),
            deadline: provider.clock.now.advanced(by: .seconds(60)))
        return provider
    }

    @Test("are deleted unread with their resource", .contract(30), arguments: bodies)
    func delete(body: String) async throws {
        let provider = try await provider(holding: body)
        var stack = ScriptedStack(provider, properties: Self.small)
        // An update that failed over it changes nothing in that.
        #expect(try await stack.deliver(stack.event(.update, id: TestProvider.logStream)).status == "FAILED")
        #expect(try await stack.delete(TestProvider.logStream).status == "SUCCESS")
        #expect(provider.s3.versions(bucket: TestProvider.adoptedBucket).isEmpty)
        #expect(provider.s3.objects(bucket: TestProvider.stateBucket).keys.allSatisfy { $0.hasPrefix("tombstones/") })
    }

    @Test("do not keep a resource from another Rotation", .contract(30), arguments: bodies, [false, true])
    func rotation(body: String, stable: Bool) async throws {
        let provider = try await provider(holding: body, stable: stable)
        var stack = ScriptedStack(provider, properties: Self.small)
        let event = stack.event(.update, Self.rotated, old: Self.small, id: TestProvider.logStream)
        let rotated = try await stack.deliver(event)
        #expect(rotated.status == "SUCCESS", "\(rotated.reason ?? "")")
        let current = try? provider.publicKey(in: TestProvider.adoptedBucket)
        #expect(current == (stable ? rotated.data?["PublicKey"] : nil))
        let cleanup = stack.event(.delete, Self.small, id: TestProvider.logStream)
        #expect(try await stack.deliver(cleanup).status == "SUCCESS")
        let keys = provider.s3.objects(bucket: TestProvider.adoptedBucket).keys
        #expect(keys.contains(TestProvider.stableKey) == stable)
        #expect(keys.contains(rotated.data?["CertificateS3Key"] ?? ""))
        // Also under a copy of ours no version of it is left: it may hold a private key.
        let versions = provider.s3.storedVersions(bucket: TestProvider.adoptedBucket)
        #expect(versions.count { $0.key == TestProvider.stableKey } == (stable ? 1 : 0))
    }

    @Test("are no key to roll back to", .contract(28, 30))
    func rollback() async throws {
        let provider = try await provider(holding: "garbage", stable: true)
        var stack = ScriptedStack(provider, properties: Self.small)
        let update = stack.event(.update, Self.rotated, old: Self.small, id: TestProvider.logStream)
        let rotated = try await stack.deliver(update)
        let back = stack.event(.update, Self.small, old: Self.rotated, id: rotated.physicalResourceID)
        let reply = try await stack.deliver(back)
        #expect(reply.status == "FAILED")
        #expect(reply.reason?.contains("--resources-to-skip ElbBackendCertificate") == true)
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == rotated.data?["PublicKey"])
    }

    @Test("say what to do when an update wants to keep them", .contract(12, 30))
    func reason() async throws {
        let provider = try await provider(holding: #"{"certificate": "hush"}"#)
        var stack = ScriptedStack(provider, properties: Self.small)
        let reply = try await stack.deliver(stack.event(.update, id: TestProvider.logStream))
        #expect(reply.physicalResourceID == TestProvider.logStream)
        #expect(reply.reason?.contains("Restore the object, or change Rotation") == true)
        #expect(reply.reason?.contains("hush") == false)
    }

    @Test("An object larger than what is read stops neither a Delete nor another Rotation", .contract(30))
    func tooLarge() async throws {
        let provider = try await provider(holding: "large")
        provider.s3.onOperation {
            $0.name == "GetObject" && $0.key == TestProvider.stableKey ? .answerTooLarge : nil
        }
        var stack = ScriptedStack(provider, properties: Self.small)
        let kept = try await stack.deliver(stack.event(.update, id: TestProvider.logStream))
        #expect(kept.status == "FAILED")
        #expect(kept.reason?.contains("is too large to hold a certificate") == true)
        let rotation = stack.event(.update, Self.rotated, old: Self.small, id: TestProvider.logStream)
        #expect(try await stack.deliver(rotation).status == "SUCCESS")
        #expect(try await stack.delete(TestProvider.logStream).status == "SUCCESS")
        #expect(!provider.s3.objects(bucket: TestProvider.adoptedBucket).keys.contains(TestProvider.stableKey))
    }

    @Test("A damaged record of an adopted certificate does not drop its key from the trusted ones", .contract(30))
    func damagedRecord() async throws {
        let provider = try TestProvider()
        let key = try await provider.putSystemABundle()
        var stack = ScriptedStack(provider, properties: Self.small)
        _ = try await stack.deliver(stack.event(.update, id: TestProvider.logStream))
        let record = "records/\(StackEvent.stackGUID)/ElbBackendCertificate/adopted.json"
        _ = try await provider.client.putObject(
            bucket: TestProvider.stateBucket, key: record, body: Array("{}".utf8),
            deadline: provider.clock.now.advanced(by: .seconds(60)))
        let rotation = stack.event(.update, Self.rotated, old: Self.small, id: TestProvider.logStream)
        let refused = try await stack.deliver(rotation)
        #expect(refused.status == "FAILED")
        #expect(refused.reason?.contains(record) == true)
        // What the reason says to do.
        try await provider.client.deleteObject(
            bucket: TestProvider.stateBucket, key: record, deadline: provider.clock.now.advanced(by: .seconds(60)))
        let again = stack.event(.update, Self.rotated, old: Self.small, id: TestProvider.logStream)
        let rotated = try await stack.deliver(again)
        #expect(rotated.data?["PreviousPublicKey"] == key)
    }

    @Test("An answer that does not come is no answer about the object", .contract(30))
    func noAnswer() async throws {
        let provider = try await provider(holding: "")
        provider.s3.onOperation { $0.name == "GetObject" && $0.key == TestProvider.stableKey ? .reset : nil }
        var stack = ScriptedStack(provider, properties: Self.small)
        let event = stack.event(.update, Self.rotated, old: Self.small, id: TestProvider.logStream)
        #expect(try await stack.deliver(event).status == "FAILED")
    }
}
