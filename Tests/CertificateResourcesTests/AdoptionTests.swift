import AWSClient
import CustomResource
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

/// Stacks that were made by system A's function, whose code ours has replaced (case 26).
@Suite struct AdoptionTests {
    /// As system A's template has them: nothing but the four required properties.
    private static let properties = [
        "AppDomain": "shop.example.com", "AppName": "shop", "AppS3Bucket": TestProvider.adoptedBucket,
    ]
    private static let small = properties.merging(["KeyAlgorithm": "EC_P256"]) { $1 }
    private static let rotated = small.merging(["Rotation": "1"]) { $1 }

    private func update(
        _ stack: inout ScriptedStack, _ new: [String: String] = small, old: [String: String] = small,
        id: String = TestProvider.logStream
    ) async throws -> ReplyInbox.Reply {
        try await stack.deliver(stack.event(.update, new, old: old, id: id))
    }

    @Test("An Update keeps the key pair and the id, with all attributes", .contract(26), arguments: [true, false])
    func kept(isVersioned: Bool) async throws {
        let provider = try TestProvider(adoptedBucketIsVersioned: isVersioned)
        let key = try await provider.putSystemABundle()
        var stack = ScriptedStack(provider, properties: Self.small)
        let reply = try await update(&stack)
        #expect(reply.status == "SUCCESS")
        #expect(reply.physicalResourceID == TestProvider.logStream)
        #expect(reply.data?["PublicKey"] == key)
        #expect(reply.data?["CertificateS3Key"] == TestProvider.stableKey)
        #expect(reply.data?.count ?? 0 >= 9)
        #expect(reply.data?["PreviousPublicKey"] != key)
        #expect(provider.s3.versions(bucket: TestProvider.adoptedBucket).count == 1)
        // Every further one says the same.
        #expect(try await update(&stack, Self.small.merging(["CacheBuster": "7"]) { $1 }).data == reply.data)
    }

    @Test(
        "A rotation makes a key of ours, trusts the old one, and the Delete takes only what system A made",
        .contract(26))
    func rotation() async throws {
        let provider = try TestProvider()
        let key = try await provider.putSystemABundle()
        var stack = ScriptedStack(provider, properties: Self.small)
        let reply = try await update(&stack, Self.rotated)
        #expect(reply.status == "SUCCESS")
        #expect(reply.physicalResourceID != TestProvider.logStream)
        #expect(reply.data?["PublicKey"] != key)
        #expect(reply.data?["PreviousPublicKey"] == key)
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == key)
        let cleanup = stack.event(.delete, Self.small, id: TestProvider.logStream)
        #expect(try await stack.deliver(cleanup).status == "SUCCESS")
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == nil)
        #expect(
            provider.s3.objects(bucket: TestProvider.adoptedBucket).keys.sorted() == [reply.data?["CertificateS3Key"]])
        // A second delivery finds nothing.
        #expect(try await stack.deliver(cleanup).status == "SUCCESS")
    }

    @Test("A rotation with StableS3Key puts our copy where servers look, and the Delete leaves it there", .contract(26))
    func stableRotation() async throws {
        let provider = try TestProvider(stableS3Key: true)
        try await provider.putSystemABundle()
        var stack = ScriptedStack(provider, properties: Self.small)
        #expect(try await update(&stack).physicalResourceID == TestProvider.logStream)
        let reply = try await update(&stack, Self.rotated)
        #expect(reply.status == "SUCCESS")
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == reply.data?["PublicKey"])
        let cleanup = stack.event(.delete, Self.small, id: TestProvider.logStream)
        for _ in 0..<2 {
            #expect(try await stack.deliver(cleanup).status == "SUCCESS")
            #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == reply.data?["PublicKey"])
        }
        #expect(try await stack.delete(reply.physicalResourceID, Self.rotated).status == "SUCCESS")
        #expect(provider.s3.versions(bucket: TestProvider.adoptedBucket).isEmpty)
    }

    @Test("The function cannot read its own copy, and need not", .contract(26))
    func withoutDecrypt() async throws {
        let provider = try TestProvider(stableS3Key: true)
        try await provider.putSystemABundle()
        var stack = ScriptedStack(provider, properties: Self.small)
        _ = try await update(&stack, Self.rotated)
        let cleanup = stack.event(.delete, Self.small, id: TestProvider.logStream)
        #expect(try await stack.deliver(cleanup).status == "SUCCESS")
        // With kms:Decrypt nowhere, a GET of what is encrypted is refused.
        provider.s3.onOperation {
            $0.name == "GetObject" && $0.bucket == TestProvider.adoptedBucket ? .answer(403) : nil
        }
        #expect(try await stack.deliver(cleanup).status == "SUCCESS")
    }

    @Test(
        "A rotation that is rolled back returns to system A's key and id", .contract(7, 26), arguments: [true, false])
    func rollback(stable: Bool) async throws {
        let provider = try TestProvider(stableS3Key: stable)
        let key = try await provider.putSystemABundle()
        var stack = ScriptedStack(provider, properties: Self.small)
        let before = try await update(&stack)
        let rotated = try await update(&stack, Self.rotated)
        let back = try await update(&stack, Self.small, old: Self.rotated, id: rotated.physicalResourceID)
        #expect(back.status == "SUCCESS")
        #expect(back.physicalResourceID == TestProvider.logStream)
        #expect(back.lastingAttributes == before.lastingAttributes)
        #expect(back.data?["PreviousPublicKey"] == rotated.data?["PublicKey"])
        #expect(try await stack.delete(rotated.physicalResourceID, Self.rotated).status == "SUCCESS")
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == key)
        #expect(provider.s3.objects(bucket: TestProvider.adoptedBucket).count == 1)
    }

    @Test("A Delete that is the first we hear of a resource removes what system A left", .contract(26))
    func deleteFirst() async throws {
        let provider = try TestProvider()
        try await provider.putSystemABundle()
        var stack = ScriptedStack(provider, properties: Self.small)
        let reply = try await stack.delete(TestProvider.logStream)
        #expect(reply.status == "SUCCESS")
        #expect(reply.physicalResourceID == TestProvider.logStream)
        #expect(provider.s3.versions(bucket: TestProvider.adoptedBucket).isEmpty)
        #expect(try await stack.delete(TestProvider.logStream).status == "SUCCESS")
    }

    @Test("A rotation is carried out although the update before it failed before anything was adopted", .contract(26))
    func rotationAfterFailedRename() async throws {
        let provider = try TestProvider()
        let key = try await provider.putSystemABundle()
        var renamed = Self.small
        renamed["AppName"] = "renamed"
        var stack = ScriptedStack(provider, properties: renamed)
        let rotated = try await update(&stack, Self.rotated, old: renamed)
        #expect(rotated.status == "SUCCESS")
        #expect(rotated.physicalResourceID.hasPrefix("stackcert:1:"))
        #expect(rotated.data?["PreviousPublicKey"] == key)
    }

    @Test("What was put in the adopted object's place since is not deleted with it", .contract(26))
    func replacedSince() async throws {
        let provider = try TestProvider()
        try await provider.putSystemABundle()
        var stack = ScriptedStack(provider, properties: Self.small)
        _ = try await update(&stack)
        let newer = try await provider.putSystemABundle()
        #expect(try await stack.delete(TestProvider.logStream).status == "SUCCESS")
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == newer)
    }

    @Test("The Delete of another log stream's id leaves the adopted key alone", .contract(26))
    func otherLogStream() async throws {
        let provider = try TestProvider()
        let key = try await provider.putSystemABundle()
        var stack = ScriptedStack(provider, properties: Self.small)
        _ = try await update(&stack)
        let other = TestProvider.logStream.replacing("01234567", with: "76543210")
        #expect(try await stack.delete(other).status == "SUCCESS")
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == key)
    }

    @Test("Without system A's object an Update makes a key of ours", .contract(26))
    func nothingToAdopt() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider, properties: Self.small)
        let reply = try await update(&stack)
        #expect(reply.status == "SUCCESS")
        #expect(reply.physicalResourceID != TestProvider.logStream)
    }

    @Test("An object that holds no certificate stops the Update and is left as it is", .contract(26))
    func unreadable() async throws {
        let provider = try TestProvider()
        _ = try await provider.client.putObject(
            bucket: TestProvider.adoptedBucket, key: TestProvider.stableKey, body: Array("hush".utf8),
            deadline: provider.clock.now.advanced(by: .seconds(60)))
        var stack = ScriptedStack(provider, properties: Self.small)
        let reply = try await update(&stack)
        #expect(reply.status == "FAILED")
        #expect(reply.physicalResourceID == TestProvider.logStream)
        #expect(reply.reason?.contains("holds no certificate") == true)
        #expect(reply.reason?.contains("hush") == false)
    }

    @Test(
        "A rotation with StableS3Key in a bucket without versions would lose the key in use, and is refused",
        .contract(26))
    func unversioned() async throws {
        let provider = try TestProvider(stableS3Key: true, adoptedBucketIsVersioned: false)
        let key = try await provider.putSystemABundle()
        var stack = ScriptedStack(provider, properties: Self.small)
        let reply = try await update(&stack, Self.rotated)
        #expect(reply.status == "FAILED")
        #expect(reply.reason?.contains("put-bucket-versioning --bucket \(TestProvider.adoptedBucket)") == true)
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == key)
        #expect(provider.s3.objects(bucket: TestProvider.adoptedBucket).count == 1)
    }

    @Test(
        "A log stream in a log group of the function's own is known as system A's id", .contract(26, 30),
        arguments: [
            "2026/01/05/[$LATEST]0123456789abcdef0123456789abcdef", "2026/01/05/[17]0123456789abcdef0123456789abcdef",
            "2026/01/05/shop_certificates-1[$LATEST]0123456789abcdef0123456789abcdef",
            "2026/01/05/shop[$LATEST][0123456789abcdef0123456789abcdef]",
        ])
    func logStream(id: String) async throws {
        let provider = try TestProvider(stableS3Key: true)
        let key = try await provider.putSystemABundle()
        var stack = ScriptedStack(provider, properties: Self.small)
        let reply = try await update(&stack, id: id)
        #expect(reply.status == "SUCCESS")
        #expect(reply.physicalResourceID == id)
        #expect(reply.data?["PublicKey"] == key)
        #expect(try await stack.delete(id).status == "SUCCESS")
        #expect(provider.s3.versions(bucket: TestProvider.adoptedBucket).isEmpty)
    }

    @Test(
        "An id that we do not know keeps system A's key as well, and a Delete first says what it leaves",
        .contract(30))
    func unknownID() async throws {
        let provider = try TestProvider(stableS3Key: true)
        let key = try await provider.putSystemABundle()
        var stack = ScriptedStack(provider, properties: Self.small)
        // CloudFormation invents such an id for a Create that it cancels.
        #expect(try await stack.delete("shop-ElbBackendCertificate-1A2B3C4D5E6F").status == "SUCCESS")
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == key)
        #expect(provider.logText.contains("s3://\(TestProvider.adoptedBucket)/\(TestProvider.stableKey)"))
        let reply = try await update(&stack, id: "our-certificate")
        #expect(reply.physicalResourceID == "our-certificate")
        #expect(reply.data?["PublicKey"] == key)
        #expect(try await stack.delete("our-certificate").status == "SUCCESS")
        #expect(provider.s3.versions(bucket: TestProvider.adoptedBucket).isEmpty)
    }

    @Test("The properties of system A's template are taken as they are", .contract(13, 26))
    func plainProperties() async throws {
        let provider = try TestProvider()
        let key = try await provider.putSystemABundle()
        var stack = ScriptedStack(provider, properties: Self.properties)
        let old = Self.properties.merging(["CacheBuster": "1"]) { $1 }
        let reply = try await update(&stack, Self.properties.merging(["CacheBuster": "2"]) { $1 }, old: old)
        #expect(reply.status == "SUCCESS")
        #expect(reply.data?["PublicKey"] == key)
    }
}
