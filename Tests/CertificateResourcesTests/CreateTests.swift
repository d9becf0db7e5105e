import CustomResource
import FoundationEssentials
import PKI
import ProviderTestSupport
import Synchronization
import TestSupport
import Testing
import Timekeeping

@Suite struct CreateTests {
    @Test("A Create returns every documented attribute, and each says what the stored certificate says", .contract(16))
    func attributes() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let reply = try await stack.create()
        #expect(reply.status == "SUCCESS")
        let data = try #require(reply.data)
        let documented: Set = [
            "PublicKey", "PreviousPublicKey", "CertificateS3Key", "CertificateS3Prefix", "PublicKeyFingerprint",
            "PreviousPublicKeyFingerprint", "CertificateFingerprint", "SerialNumber", "NotBefore", "NotAfter",
        ]
        #expect(Set(data.keys) == documented)
        #expect(data.values.allSatisfy { !$0.isEmpty })

        let body = try #require(
            provider.s3.body(bucket: TestProvider.certificateBucket, key: data["CertificateS3Key"] ?? ""))
        let bundle = try JSONDecoder().decode([String: String].self, from: Data(body))
        let certificate = try IssuedCertificate(pem: bundle["certificate"] ?? "")
        #expect(data["PublicKey"] == certificate.publicKey.base64)
        #expect(data["PublicKeyFingerprint"] == String(certificate.publicKey.fingerprint.prefix(16)))
        #expect(data["CertificateFingerprint"] == certificate.fingerprint)
        #expect(data["SerialNumber"] == certificate.serialNumber)
        #expect(data["NotBefore"] == certificate.notBefore.iso8601)
        #expect(data["NotAfter"] == certificate.notAfter.iso8601)
        #expect(data["CertificateS3Key"]?.hasPrefix(data["CertificateS3Prefix"] ?? "nowhere") == true)
        // Nobody's key, and not the current one: two policies with one key are unproven.
        #expect(data["PreviousPublicKey"] != data["PublicKey"])
        let previous = try PublicKeyInfo(base64: data["PreviousPublicKey"] ?? "")
        #expect(data["PreviousPublicKeyFingerprint"] == String(previous.fingerprint.prefix(16)))
    }

    @Test("The answer with the largest keys and the longest names fits into 4,096 bytes", .contract(15))
    func largestAnswer() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(
            provider,
            properties: TestProvider.properties([
                "AppName": String(repeating: "n", count: 128), "KeyAlgorithm": "EC_P256",
            ]))
        var event = stack.event(.create)
        event.requestID = "6f0c7a10-1f2e-11f0-9c1d-0a58a9feac02"
        event.stackID =
            "arn:aws:cloudformation:ap-southeast-1:111122223333:stack/\(String(repeating: "s", count: 128))/"
            + StackEvent.stackGUID
        event.logicalResourceID = String(repeating: "L", count: 255)
        let reply = try await stack.deliver(event)
        #expect(reply.status == "SUCCESS")
        let body = try #require(provider.inbox.bodies.last)
        let data = try #require(reply.data)
        // An RSA-4096 key has 736 characters, and a bucket's name 63.
        let keys = (data["PublicKey"]?.utf8.count ?? 0) + (data["PreviousPublicKey"]?.utf8.count ?? 0)
        let growth = 2 * 736 - keys + 63 - TestProvider.certificateBucket.utf8.count
        #expect(body.count + growth <= 4096)
    }

    @Test("A second delivery of the same event gets the stored attributes, byte for byte", .contract(4))
    func duplicate() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let event = stack.event(.create)
        let first = try await stack.deliver(event)
        let stored = provider.s3.objects(bucket: TestProvider.certificateBucket)
        provider.clock.advance(by: .seconds(90))
        let second = try await stack.deliver(event)
        #expect(second == first)
        #expect(provider.s3.objects(bucket: TestProvider.certificateBucket) == stored)
    }

    @Test("A repeated Create is answered at its own URL under its own request's id", .contract(4))
    func repeated() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.deliver(stack.event(.create))
        let again = try await stack.deliver(stack.event(.create))
        #expect(again.requestID == "request-2")
        #expect(again.physicalResourceID == first.physicalResourceID)
        #expect(again.data == first.data)
        #expect(provider.bundleKeys.count == 1)
    }

    @Test("Two deliveries at once end in one key and one answer", .contract(4))
    func concurrent() async throws {
        for _ in 0..<5 {
            let provider = try TestProvider()
            var stack = ScriptedStack(provider)
            let event = stack.event(.create)
            async let one = provider.deliver(event)
            async let other = provider.deliver(event)
            #expect(try await [one, other] == [.success, .success])
            let replies = try provider.inbox.replies(to: event)
            #expect(replies.count == 2)
            #expect(replies.first == replies.last)
            #expect(provider.s3.versions(bucket: TestProvider.certificateBucket).count == 1)
        }
    }

    @Test("A Create whose write was carried out but not answered finds its own key", .contract(4))
    func lostAnswer() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let isLost = Mutex(false)
        provider.s3.onOperation { operation in
            guard operation.name == "PutObject", operation.bucket == TestProvider.certificateBucket else { return nil }
            return isLost.withLock { lost in
                defer { lost = true }
                return lost ? nil : .loseAnswer
            }
        }
        let reply = try await stack.create()
        #expect(reply.status == "SUCCESS")
        #expect(provider.bundleKeys == [reply.data?["CertificateS3Key"]])
        #expect(provider.s3.versions(bucket: TestProvider.certificateBucket).count == 1)
    }

    @Test("A Create that could store nothing has a marker, whose Delete makes no call", .contract(1))
    func nothingStored() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        provider.s3.onOperation { $0.name == "HeadObject" ? .answer(403) : nil }
        let reply = try await stack.create()
        #expect(reply.status == "FAILED")
        #expect(reply.reason?.contains("AccessDenied") == true)
        provider.s3.forgetOperations()
        #expect(try await stack.delete().status == "SUCCESS")
        #expect(provider.s3.operations.isEmpty)
        #expect(provider.leftovers == [])
    }

    @Test("A Create that fails after it stored the key has the real id, and its Delete leaves nothing", .contract(2))
    func storedAndFailed() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        provider.s3.onOperation { $0.name == "PutObject" && $0.key.hasPrefix("records/") ? .answer(403) : nil }
        let reply = try await stack.create()
        #expect(reply.status == "FAILED")
        #expect(provider.bundleKeys.count == 1)
        #expect(reply.physicalResourceID.hasSuffix(try #require(provider.bundleKeys.first)))
        provider.s3.onOperation(nil)
        #expect(try await stack.delete().status == "SUCCESS")
        #expect(provider.leftovers == [])
    }

    @Test("A Create that hangs in a write is answered in time with the real id", .contract(2, 18))
    func hanging() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        provider.s3.onOperation {
            $0.name == "PutObject" && $0.bucket == TestProvider.certificateBucket ? .hangAfterwards : nil
        }
        // The clock moves on when the deadline is near: what is left of the time is for the answer.
        let event = stack.event(.create)
        let waiting = stack
        async let answer = waiting.deliver(event, timeout: .seconds(100))
        while provider.bundleKeys.isEmpty { await Task.yield() }
        provider.clock.advance(by: .seconds(90))
        let reply = try await answer
        #expect(reply.status == "FAILED")
        #expect(reply.physicalResourceID.hasSuffix(try #require(provider.bundleKeys.first)))
        provider.s3.onOperation(nil)
        #expect(try await stack.delete(reply.physicalResourceID).status == "SUCCESS")
        #expect(provider.leftovers == [])
    }

    @Test("Without permission to list, a missing key is not taken for an absent one", .contract(11))
    func forbidden() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.create()
        provider.s3.onOperation { $0.name == "HeadObject" ? .answer(403) : nil }
        provider.s3.forgetOperations()
        #expect(try await stack.update(TestProvider.properties(["TrustPrevious": "false"])).status == "FAILED")
        #expect(try await stack.deliver(stack.event(.create)).status == "FAILED")
        #expect(provider.changes == [])
        #expect(provider.bundleKeys == [first.data?["CertificateS3Key"]])
    }
}
