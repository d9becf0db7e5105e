import CustomResource
import Diagnostics
import FoundationEssentials
import HTTPTypes
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

@Suite struct SecrecyTests {
    @Test("No key, credential or property body is in a log, an answer, the state or an error", .contract(24))
    func lifecycle() async throws {
        let provider = try TestProvider()
        let first = TestProvider.properties(["StableS3Key": "true", "Rotation": "hushhush"])
        var stack = ScriptedStack(provider, properties: first)
        let created = try await stack.create()
        var keys = privateKeyLines(provider)
        let rotated = try await stack.update(first.merging(["Rotation": "hushhush2"]) { $1 })
        keys += privateKeyLines(provider)
        try await stack.delete(created.physicalResourceID)
        // Faults say the most.
        var errors: [String] = []
        for status in [403, 500, 503] {
            provider.s3.onOperation { _ in .answer(status) }
            _ = try await stack.deliver(stack.event(.update, first))
            _ = try await stack.deliver(stack.event(.delete))
            provider.inbox.onPut { _ in .answer(status) }
            do {
                try await provider.deliver(stack.event(.update, first))
            } catch {
                errors.append("\(error) \(Reason(error)) \(String(reflecting: error))")
            }
            provider.inbox.onPut(nil)
        }
        provider.s3.onOperation(nil)
        #expect(errors.count == 3)
        #expect(try await stack.delete(rotated.physicalResourceID).status == "SUCCESS")

        let replies = provider.inbox.bodies.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
        let state = provider.s3.objects(bucket: TestProvider.stateBucket)
            .map { "\($0.key) \(String(decoding: $0.value, as: UTF8.self))" }.joined(separator: "\n")
        let secrets =
            keys + [
                "PRIVATE KEY", "hushhush", "secret-access-key", "secret-session-token", "AKIDEXAMPLE",
                "X-Amz-Signature",
                "signature",
            ]
        #expect(keys.count >= 4)
        for (name, text) in [
            ("log", provider.logText), ("answers", replies), ("state", state),
            ("errors", errors.joined(separator: "\n")),
        ] {
            for secret in secrets {
                #expect(!text.contains(secret), "\(name) has \(secret.prefix(4))…")
            }
        }
    }

    @Test("The search for secrets would find them where they belong", .contract(24))
    func control() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let event = stack.event(.create)
        let reply = try await stack.deliver(event)
        let bundle = provider.s3.body(
            bucket: TestProvider.certificateBucket, key: reply.data?["CertificateS3Key"] ?? "")
        let text = String(decoding: bundle ?? [], as: UTF8.self)
        let lines = privateKeyLines(provider)
        #expect(!lines.isEmpty)
        #expect(lines.allSatisfy { text.contains($0) })
        #expect(text.contains("PRIVATE KEY"))
        #expect(event.url.contains("X-Amz-Signature") && event.url.contains(event.signature))
        #expect(provider.inbox.requests.contains { $0.path?.contains(event.signature) == true })
        // And the log is one that was written to.
        #expect(provider.logText.contains(event.requestID) && provider.logText.contains("PutObject"))
    }

    @Test("What is published of a certificate is not its key", .contract(24))
    func metadata() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let reply = try await stack.create()
        let key = reply.data?["CertificateS3Key"] ?? ""
        let fields = try #require(provider.s3.fields(bucket: TestProvider.certificateBucket, key: key))
        #expect(fields["x-amz-server-side-encryption"] == "aws:kms")
        #expect(fields["x-amz-server-side-encryption-aws-kms-key-id"] == TestProvider.keyARN)
        let text = "\(fields) \(reply.data ?? [:])"
        #expect(text.contains(reply.data?["PublicKey"] ?? "nothing"))
        #expect(privateKeyLines(provider).allSatisfy { !text.contains($0) })
    }

    /// The lines of base64 of all private keys in the bucket.
    private func privateKeyLines(_ provider: TestProvider) -> [String] {
        provider.s3.objects(bucket: TestProvider.certificateBucket).values.flatMap { body in
            let members = try? JSONDecoder().decode([String: String].self, from: Data(body))
            return (members?["private_key"] ?? "").split(separator: "\n").filter { !$0.hasPrefix("-") }.map(String.init)
        }
    }
}
