import ACME
import AWSClient
import CertificateIssuance
import CustomResource
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

@Suite("A Let's Encrypt certificate") struct LetsEncryptLifecycleTests {
    private let provider: LetsEncryptProvider

    init() throws { provider = try LetsEncryptProvider() }

    @Test("is ordered, stored below its own prefix and answered with all its attributes", .contract(1, 16, 24))
    func create() async throws {
        var stack = LetsEncryptStack(provider)
        let reply = try await stack.send(.create)
        #expect(reply.status == "SUCCESS", "\(reply.reason ?? "")")
        let data = try #require(reply.data)
        #expect(
            Set(data.keys) == [
                "PublicKey", "PublicKeyFingerprint", "CertificateS3Key", "CertificateS3Prefix",
                "CertificateFingerprint", "SerialNumber", "NotBefore", "NotAfter", "CertificateArn",
                "ServerCertificateArn", "ServerCertificateName",
            ])
        #expect(provider.bundles == [data["CertificateS3Key"]])
        #expect(data["CertificateS3Prefix"] == "lets-encrypt/shop/\(StackEvent.stackGUID)/Certificate/")
        #expect(data["CertificateArn"]?.isEmpty == true)
        #expect(provider.answers.isEmpty)
        #expect(provider.orders == 1)
        #expect(!data.values.contains { $0.contains("PRIVATE") })
    }

    @Test("is the same for a request that is delivered again", .contract(5))
    func duplicate() async throws {
        var stack = LetsEncryptStack(provider)
        let event = stack.event(.create)
        let first = try await provider.deliver(event)
        let second = try await provider.deliver(event)
        #expect(first == second)
        #expect(provider.orders == 1)
    }

    @Test("changes with Rotation, and the old one goes when CloudFormation says so", .contract(6, 9))
    func rotate() async throws {
        var stack = LetsEncryptStack(provider)
        let first = try await stack.send(.create)
        let second = try await stack.send(.update, LetsEncryptProvider.properties(["Rotation": "2"]))
        #expect(second.status == "SUCCESS")
        #expect(second.physicalResourceID != first.physicalResourceID)
        #expect(second.data?["PublicKey"] != first.data?["PublicKey"])
        #expect(provider.bundles.count == 2)
        #expect(try await stack.send(.delete, id: first.physicalResourceID).status == "SUCCESS")
        #expect(provider.bundles == [second.data?["CertificateS3Key"]])
        #expect(provider.records.count == 1)
    }

    @Test("is left to the sweep when something still uses its copy two minutes after a rotation", .contract(9))
    func stillUsed() async throws {
        var stack = LetsEncryptStack(provider)
        let first = try await stack.send(.create, LetsEncryptProvider.properties(["Import": "ACM"]))
        let arn = try #require(first.data?["CertificateArn"])
        provider.acm.change(arn) { $0.users = ["arn:aws:cloudfront::111122223333:distribution/E1"] }
        try await stack.send(.update, LetsEncryptProvider.properties(["Import": "ACM", "Rotation": "2"]))
        let before = provider.clock.now
        #expect(try await stack.send(.delete, id: first.physicalResourceID).status == "SUCCESS")
        #expect(before.duration(to: provider.clock.now) < .seconds(200))
        #expect(provider.acm.stored[arn] != nil)
        #expect(provider.bundles.count == 2 && provider.records.count == 2)
        #expect(provider.logText.contains("its copy is still in use"))
        // With the last of its certificates the stack waits, and fails rather than leave a used one alone.
        let last = try #require(provider.acm.stored.keys.first { $0 != arn })
        provider.acm.change(arn) { $0.users = [] }
        #expect(try await stack.send(.delete, id: first.physicalResourceID).status == "SUCCESS")
        #expect(provider.acm.stored[arn] == nil)
        provider.acm.change(last) { $0.users = ["arn:aws:elasticloadbalancing:x"] }
        #expect(try await stack.send(.delete).status == "FAILED")
    }

    @Test("is rotated although its account was deactivated, if the terms are agreed to")
    func deactivatedAccount() async throws {
        var stack = LetsEncryptStack(provider)
        try await stack.send(.create)
        provider.authority.endAccounts()
        let refused = try await stack.send(
            .update, LetsEncryptProvider.properties(["Rotation": "2", "TermsOfServiceAgreed": "false"]))
        #expect(refused.status == "FAILED")
        #expect(
            refused.reason?.contains(
                "The account at ca.test was deactivated or revoked, and a new one is needed. The terms of service of "
                    + "ca.test (https://ca.test/terms) must be agreed to: set TermsOfServiceAgreed to true.") == true)
        let rotated = try await stack.send(.update, LetsEncryptProvider.properties(["Rotation": "2"]))
        #expect(rotated.status == "SUCCESS", "\(rotated.reason ?? "")")
        #expect(provider.authority.accountURLs.count == 2)
    }

    @Test("is revoked by its own key when the account that ordered it is gone", arguments: [false, true])
    func revokedByItself(isForgotten: Bool) async throws {
        var stack = LetsEncryptStack(provider)
        try await stack.send(.create, LetsEncryptProvider.properties(["RevokeOnDelete": "true"]))
        if isForgotten { provider.authority.forgetAccounts() } else { provider.authority.endAccounts() }
        #expect(try await stack.send(.delete).status == "SUCCESS")
        #expect(provider.authority.revokedCertificates.count == 1)
        #expect(provider.bundles.isEmpty)
        #expect(!provider.logText.contains("a certificate could not be revoked"))
    }

    @Test("is not rotated once the CA has dropped its profile, and says which there are")
    func droppedProfile() async throws {
        provider.authority.change { $0.profiles = ["classic": "", "shortlived": ""] }
        var stack = LetsEncryptStack(provider)
        let short = ["Profile": "shortlived"]
        let first = try await stack.send(.create, LetsEncryptProvider.properties(short))
        provider.authority.change { $0.profiles = ["classic": "", "tlsserver": ""] }
        let again = try await stack.send(.update, LetsEncryptProvider.properties(short))
        #expect(again.data == first.data)
        let refused = try await stack.send(
            .update, LetsEncryptProvider.properties(short.merging(["Rotation": "2"]) { $1 }))
        #expect(refused.status == "FAILED")
        #expect(
            refused.reason?.contains(
                "ca.test does not offer the certificate profile \"shortlived\". Set Profile to one that it offers "
                    + "(classic, tlsserver), or leave it out.") == true)
        #expect(provider.orders == 1)
    }

    @Test("is not ordered when Route 53 has no zone for one of its names")
    func noZone() async throws {
        var stack = LetsEncryptStack(provider)
        let reply = try await stack.send(
            .create, LetsEncryptProvider.properties(["DomainNames": "shop.example.com,shop.example.org"]))
        #expect(reply.status == "FAILED")
        #expect(
            reply.reason?.contains(
                "No public hosted zone of this account holds _acme-challenge.shop.example.org: create one, set "
                    + "HostedZoneRoleArn to a role in the account that has it, or set Challenge to http-01.") == true)
        #expect(provider.orders == 0)
    }

    @Test("says which one it replaces to an authority that wants to know")
    func replaces() async throws {
        provider.authority.change {
            $0.renewalWindow = (UnixInstant(seconds: 1_800_000_000), UnixInstant(seconds: 1_800_001_000))
        }
        var stack = LetsEncryptStack(provider)
        try await stack.send(.create)
        let key = try #require(provider.records.first)
        let record = String(
            decoding: provider.s3.body(bucket: TestProvider.stateBucket, key: key) ?? [], as: UTF8.self)
        let id = try #require(record.split(separator: #""certificateID":""#).dropFirst().first?.prefix { $0 != "\"" })
        try await stack.send(.update, LetsEncryptProvider.properties(["Rotation": "2"]))
        let orders = provider.authority.requests.map(\.payload).filter { $0.contains("identifiers") }
        #expect(orders.map { $0.contains("replaces") } == [false, true])
        #expect(orders.last?.contains(#""replaces":"\#(id)""#) == true)
        #expect(CertificateID(String(id)) != nil)
    }

    @Test("comes back byte for byte when an update is rolled back", .contract(7, 8))
    func rollBack() async throws {
        var stack = LetsEncryptStack(provider)
        let first = try await stack.send(.create)
        let before = provider.s3.body(
            bucket: TestProvider.certificateBucket, key: first.data?["CertificateS3Key"] ?? "")
        let new = LetsEncryptProvider.properties(["Rotation": "2"])
        let second = try await stack.send(.update, new)
        let back = try await stack.send(.update, LetsEncryptProvider.properties(), old: new)
        #expect(back.physicalResourceID == first.physicalResourceID)
        #expect(back.data == first.data)
        #expect(try await stack.send(.delete, new, id: second.physicalResourceID).status == "SUCCESS")
        let after = provider.s3.body(
            bucket: TestProvider.certificateBucket, key: first.data?["CertificateS3Key"] ?? "")
        #expect(before == after)
        #expect(provider.bundles.count == 1)
    }

    @Test("is not ordered again by an update of what does not define it", .contract(5))
    func settings() async throws {
        var stack = LetsEncryptStack(provider)
        let first = try await stack.send(.create)
        let changes = ["Contact": "others@example.com", "RevokeOnDelete": "true", "RotationParameter": "Another"]
        let second = try await stack.send(.update, LetsEncryptProvider.properties(changes))
        #expect(second.data == first.data)
        #expect(provider.orders == 1)
    }

    @Test("leaves nothing behind when it is deleted but what may be wanted again within a week", .contract(9))
    func delete() async throws {
        var stack = LetsEncryptStack(provider)
        try await stack.send(.create)
        #expect(try await stack.send(.delete).status == "SUCCESS")
        #expect(provider.bundles.isEmpty)
        #expect(provider.records.isEmpty)
        #expect(
            provider.s3.versions(bucket: TestProvider.certificateBucket).allSatisfy { $0.key.hasPrefix("acme/") })
        #expect(
            provider.s3.objects(bucket: TestProvider.stateBucket).keys.allSatisfy { $0.hasPrefix("tombstones/") })
    }

    @Test("is ordered once for ten creations that are rolled back")
    func tenCycles() async throws {
        for number in 1...10 {
            var stack = LetsEncryptStack(provider)
            var create = stack.event(.create)
            create.stackID = "arn:aws:cloudformation:eu-west-1:\(StackEvent.account):stack/shop/try-\(number)"
            let reply = try await provider.deliver(create)
            #expect(reply.status == "SUCCESS", "\(reply.reason ?? "")")
            var delete = stack.event(.delete, id: reply.physicalResourceID)
            delete.stackID = create.stackID
            #expect(try await provider.deliver(delete).status == "SUCCESS")
        }
        #expect(provider.orders == 1)
        #expect(provider.bundles.isEmpty)
    }

    @Test("is never given out again once another took its place: somebody may know its key")
    func rotatedAway() async throws {
        var stack = LetsEncryptStack(provider)
        var keys: Set<String> = []
        for rotation in ["1", "2", "3"] {
            let before = stack.physicalResourceID
            let properties = LetsEncryptProvider.properties(["Rotation": rotation])
            let reply = try await stack.send(before == nil ? .create : .update, properties)
            keys.insert(try #require(reply.data?["PublicKey"]))
            if let before { #expect(try await stack.send(.delete, id: before).status == "SUCCESS") }
        }
        #expect(keys.count == 3)
        #expect(provider.orders == 3)
    }

    @Test("leaves the object alone that a backend certificate of the same name keeps at a stable key")
    func stableKey() async throws {
        let place = (bucket: TestProvider.certificateBucket, key: "backend-certificate-shop.json")
        try await provider.put(Array("theirs".utf8), bucket: place.bucket, key: place.key)
        var stack = LetsEncryptStack(provider)
        try await stack.send(.create)
        try await stack.send(.delete)
        #expect(provider.s3.body(bucket: place.bucket, key: place.key) == Array("theirs".utf8))
    }

    @Test("is revoked when it is deleted, if that is asked for, and not used again")
    func revoke() async throws {
        var stack = LetsEncryptStack(provider)
        let properties = LetsEncryptProvider.properties(["RevokeOnDelete": "true"])
        try await stack.send(.create, properties)
        #expect(try await stack.send(.delete).status == "SUCCESS")
        #expect(provider.authority.revokedCertificates.count == 1)
        try await stack.send(.create, properties)
        #expect(provider.orders == 2)
    }

    @Test(
        "fails with the name, the challenge and the authority's words, and the rollback's Delete finds nothing",
        .contract(1, 2))
    func validationFails() async throws {
        provider.authority.change { $0.validates = { _, _ in false } }
        var stack = LetsEncryptStack(provider)
        let reply = try await stack.send(.create)
        #expect(reply.status == "FAILED")
        #expect(reply.reason?.contains("shop.example.com by dns-01: unauthorized, Wrong answer") == true)
        #expect(reply.reason?.contains("<hidden>") == true)
        #expect(try await stack.send(.delete).status == "SUCCESS")
        #expect(provider.bundles.isEmpty)
        #expect(provider.answers.isEmpty)
    }

    @Test("fails early when the authority takes too long, and the next try goes on with the order", .contract(18))
    func slow() async throws {
        // A few minutes.
        provider.authority.change { $0.polls = 40 }
        var stack = LetsEncryptStack(provider)
        let create = stack.event(.create)
        let reply = try await provider.deliver(create, timeout: .seconds(120))
        #expect(reply.status == "FAILED")
        #expect(reply.reason?.contains("has not validated") == true, "\(reply.reason ?? "")")
        #expect(provider.answers.isEmpty)
        try await stack.send(.delete, id: reply.physicalResourceID)
        #expect(try await stack.send(.create).status == "SUCCESS")
        #expect(provider.orders == 1)
    }

    @Test("without its key in any log, reply or error", .contract(24))
    func secrets() async throws {
        var stack = LetsEncryptStack(provider)
        try await stack.send(.create)
        let stored = try #require(provider.bundles.first)
        let body = try #require(provider.s3.body(bucket: TestProvider.certificateBucket, key: stored))
        let key = String(decoding: body, as: UTF8.self).split(separator: "\\n").dropFirst().first.map(String.init)
        let line = try #require(key)
        #expect(line.utf8.count == 64)
        #expect(!provider.logText.contains(line))
        #expect(!provider.logText.contains("PRIVATE KEY"))
        for reply in provider.inbox.bodies {
            #expect(!String(decoding: reply, as: UTF8.self).contains(line))
        }
    }

    @Test("of another stack is left alone", .contract(10))
    func foreign() async throws {
        var stack = LetsEncryptStack(provider)
        let first = try await stack.send(.create)
        var stranger = LetsEncryptStack(provider)
        var event = stranger.event(.delete, id: first.physicalResourceID)
        event.stackID = "arn:aws:cloudformation:eu-west-1:\(StackEvent.account):stack/other/other-guid"
        #expect(try await provider.deliver(event).status == "FAILED")
        #expect(provider.bundles.count == 1)
    }
}
