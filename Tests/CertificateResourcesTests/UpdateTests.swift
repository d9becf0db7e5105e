import CustomResource
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

@Suite struct UpdateTests {
    @Test(
        "An Update of what does not define the certificate keeps id, key and attributes", .contract(5),
        arguments: [
            ["RotationParameter": "Other"], ["TrustPrevious": "false"], ["AppDomain": "SHOP.example.com."],
            ["ValidityDays": "365"], ["SubjectAlternativeNames": ""], ["ServiceTimeout": "1200"],
        ])
    func noChange(changes: [String: String]) async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.create()
        provider.s3.forgetOperations()
        let second = try await stack.update(TestProvider.properties(changes))
        #expect(second.status == "SUCCESS")
        #expect(second.physicalResourceID == first.physicalResourceID)
        #expect(second.data == first.data)
        #expect(!provider.changes.contains { $0.contains("backend-certificate") })
    }

    @Test("What is stored decides whether something changed, not what the old properties say", .contract(5))
    func oldPropertiesDoNotDecide() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.create()
        let event = stack.event(.update, old: TestProvider.properties(["Rotation": "never made"]))
        let second = try await stack.deliver(event)
        #expect(second.data == first.data)
        #expect(second.physicalResourceID == first.physicalResourceID)
        #expect(provider.bundleKeys == [first.data?["CertificateS3Key"]])
    }

    @Test(
        "An Update of a defining property makes a new key under a new id and keeps the old one", .contract(6),
        arguments: [
            ["Rotation": "2"], ["AppDomain": "other.example.com"], ["AppName": "other"], ["KeyAlgorithm": "EC_P384"],
            ["ValidityDays": "30"], ["SubjectAlternativeNames": "10.1.2.3"],
            ["AppS3Bucket": TestProvider.adoptedBucket],
        ])
    func rotation(changes: [String: String]) async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.create()
        provider.s3.forgetOperations()
        let second = try await stack.update(TestProvider.properties(changes))
        #expect(second.status == "SUCCESS")
        #expect(second.physicalResourceID != first.physicalResourceID)
        #expect(second.data?["PublicKey"] != first.data?["PublicKey"])
        #expect(second.data?["PreviousPublicKey"] == first.data?["PublicKey"])
        #expect(second.data?.keys == first.data?.keys)
        // CloudFormation itself sends the Delete of the old one, when nothing needs it any more.
        #expect(!provider.changes.contains { $0.hasPrefix("DeleteObject") })
        #expect(provider.bundleKeys.contains(first.data?["CertificateS3Key"] ?? ""))
        #expect(try await stack.delete(first.physicalResourceID).status == "SUCCESS")
        #expect(!provider.bundleKeys.contains(first.data?["CertificateS3Key"] ?? ""))
    }

    @Test("After a compromise the earlier key is not trusted", .contract(6))
    func distrust() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.create()
        let changes = TestProvider.properties(["Rotation": "2", "TrustPrevious": "false"])
        let second = try await stack.update(changes)
        #expect(second.data?["PreviousPublicKey"] != first.data?["PublicKey"])
        #expect(second.data?["PreviousPublicKey"] != second.data?["PublicKey"])
        // And so it stays, answer by answer.
        let third = try await stack.update(changes.merging(["RotationParameter": "Other"]) { $1 })
        #expect(third.data == second.data)
    }

    @Test("Distrust that comes after the rotation takes effect without another key", .contract(5))
    func laterDistrust() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.create()
        let second = try await stack.update(TestProvider.properties(["Rotation": "2"]))
        #expect(second.data?["PreviousPublicKey"] == first.data?["PublicKey"])
        let third = try await stack.update(TestProvider.properties(["Rotation": "2", "TrustPrevious": "false"]))
        #expect(third.lastingAttributes == second.lastingAttributes)
        #expect(third.data?["PreviousPublicKey"] != first.data?["PublicKey"])
    }

    @Test("An Update that fails keeps the old id and removes what it wrote", .contract(8))
    func failure() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.create()
        provider.s3.onOperation { $0.name == "PutObject" && $0.key.hasPrefix("records/") ? .answer(403) : nil }
        let failed = try await stack.update(TestProvider.properties(["Rotation": "2"]))
        #expect(failed.status == "FAILED")
        #expect(failed.physicalResourceID == first.physicalResourceID)
        #expect(provider.bundleKeys == [first.data?["CertificateS3Key"]])
    }

    @Test("What an Update left that could not clean up is removed by the rollback, and not brought back", .contract(8))
    func orphan() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.create()
        let changed = TestProvider.properties(["Rotation": "2"])
        let update = stack.event(.update, changed)
        // From its PUT on nothing works: as if the function had been killed.
        provider.s3.onOperation { operation in
            operation.bucket == TestProvider.stateBucket || operation.name == "DeleteObject" ? .answer(403) : nil
        }
        let failed = try await stack.deliver(update)
        // The state is asked before the PUT; so let the PUT pass and break the rest.
        #expect(failed.status == "FAILED")
        let isWritten = Mark()
        provider.s3.onOperation { operation in
            if operation.name == "PutObject", operation.bucket == TestProvider.certificateBucket { isWritten.set() }
            return isWritten.isSet && operation.bucket == TestProvider.stateBucket ? .answer(403) : nil
        }
        #expect(try await stack.deliver(update).physicalResourceID == first.physicalResourceID)
        #expect(provider.bundleKeys.count == 2)

        provider.s3.onOperation(nil)
        let rollback = try await stack.deliver(stack.event(.update, old: changed))
        #expect(rollback.status == "SUCCESS")
        #expect(rollback.physicalResourceID == first.physicalResourceID)
        #expect(rollback.data == first.data)
        #expect(provider.bundleKeys == [first.data?["CertificateS3Key"]])

        #expect(try await stack.deliver(update).status == "FAILED")
        #expect(provider.bundleKeys == [first.data?["CertificateS3Key"]])
        // An honest second try is another request.
        #expect(try await stack.update(changed).status == "SUCCESS")
    }

    @Test("A rollback succeeds although what the failed Update left cannot be removed", .contract(7, 8))
    func orphanStays() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.create()
        let changed = TestProvider.properties(["Rotation": "2"])
        provider.s3.onOperation { operation in
            operation.name == "DeleteObject" || operation.name == "PutObject" && operation.key.hasPrefix("records/")
                ? .answer(403) : nil
        }
        #expect(try await stack.deliver(stack.event(.update, changed)).status == "FAILED")
        provider.s3.onOperation { $0.name == "DeleteObject" ? .answer(403) : nil }
        let rollback = try await stack.deliver(stack.event(.update, old: changed))
        #expect(rollback.status == "SUCCESS")
        #expect(rollback.data == first.data)
        #expect(provider.bundleKeys.count == 2)
        #expect(provider.logText.contains("what a failed update left could not be removed"))
    }

    @Test("An Update of another stack's certificate is refused", .contract(9))
    func foreign() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        try await stack.create()
        var event = stack.event(.update, TestProvider.properties(["Rotation": "2"]))
        event.stackID = event.stackID.replacing("6f0c7a10", with: "7f0c7a10")
        let reply = try await stack.deliver(event)
        #expect(reply.status == "FAILED")
        #expect(reply.reason?.contains("another stack") == true)
        #expect(provider.bundleKeys.count == 1)
    }

    @Test("A resource that CloudFormation knows by an id of its own keeps that id until a rotation", .contract(5))
    func unknownID() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.create()
        let event = stack.event(.update, id: "some-other-id")
        let kept = try await stack.deliver(event)
        #expect(kept.physicalResourceID == "some-other-id")
        #expect(kept.data == first.data)
        let rotated = try await stack.deliver(
            stack.event(.update, TestProvider.properties(["Rotation": "2"]), id: "some-other-id"))
        #expect(rotated.physicalResourceID != "some-other-id")
        #expect(rotated.data?["PreviousPublicKey"] == first.data?["PublicKey"])
    }

    @Test("A record that was lost is written again from the bundle's metadata", .contract(4))
    func lostRecord() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.create()
        let state = provider.s3.objects(bucket: TestProvider.stateBucket)
        provider.s3.createBucket(TestProvider.stateBucket, isVersioned: false)
        let again = try await stack.update(TestProvider.properties(["RotationParameter": "CertificateRotation"]))
        #expect(again.data == first.data)
        #expect(Set(provider.s3.objects(bucket: TestProvider.stateBucket).keys) == Set(state.keys))
    }
}
