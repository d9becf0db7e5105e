import AWSClient
import CustomResource
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

/// Stacks of system A with one AppName: they share one object.
@Suite struct SharedAdoptionTests {
    private static let small = [
        "AppDomain": "shop.example.com", "AppName": "shop", "AppS3Bucket": TestProvider.adoptedBucket,
        "KeyAlgorithm": "EC_P256",
    ]
    private static let rotated = small.merging(["Rotation": "1"]) { $1 }
    private static let otherGUID = "7f0c7a10-1f2e-11f0-9c1d-0a58a9feac02"

    private let provider: TestProvider
    private var stack: ScriptedStack

    init() throws {
        provider = try TestProvider(stableS3Key: true)
        stack = ScriptedStack(provider, properties: Self.small)
    }

    private func event(
        _ type: CustomResourceRequest.RequestType, _ new: [String: String] = small, isOther: Bool,
        id: String = TestProvider.logStream, in stack: inout ScriptedStack
    ) -> StackEvent {
        var event = stack.event(type, new, old: Self.small, id: id)
        if isOther { event.stackID = event.stackID.replacing(StackEvent.stackGUID, with: Self.otherGUID) }
        return event
    }

    @Test("A Delete keeps the key as long as another stack uses it, and the last one removes it", .contract(29))
    func delete() async throws {
        var stack = stack
        let key = try await provider.putSystemABundle()
        for isOther in [false, true] {
            #expect(try await stack.deliver(event(.update, isOther: isOther, in: &stack)).data?["PublicKey"] == key)
        }
        let first = event(.delete, isOther: false, in: &stack)
        #expect(try await stack.deliver(first).status == "SUCCESS")
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == key)
        #expect(provider.logText.contains("private key kept"))
        // Lambda may deliver the Delete again.
        #expect(try await stack.deliver(first).status == "SUCCESS")
        let again = try await stack.deliver(event(.update, isOther: true, in: &stack))
        #expect(again.data?["PublicKey"] == key)
        #expect(try await stack.deliver(event(.delete, isOther: true, in: &stack)).status == "SUCCESS")
        #expect(provider.s3.versions(bucket: TestProvider.adoptedBucket).isEmpty)
        #expect(provider.s3.objects(bucket: TestProvider.stateBucket).keys.allSatisfy { $0.hasPrefix("tombstones/") })
    }

    @Test("A rotation does not overwrite the object that another stack reads, and its rollback succeeds", .contract(29))
    func rotation() async throws {
        var stack = stack
        let key = try await provider.putSystemABundle()
        for isOther in [false, true] { _ = try await stack.deliver(event(.update, isOther: isOther, in: &stack)) }
        for isOther in [false, true] {
            let refused = try await stack.deliver(event(.update, Self.rotated, isOther: isOther, in: &stack))
            #expect(refused.status == "FAILED")
            #expect(refused.physicalResourceID == TestProvider.logStream)
            #expect(refused.reason?.contains("1 other resource(s) with this AppName use") == true)
            let back = try await stack.deliver(event(.update, isOther: isOther, in: &stack))
            #expect(back.status == "SUCCESS")
            #expect(back.data?["PublicKey"] == key)
        }
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == key)
        // What the reason says to do.
        let unstable = Self.rotated.merging(["StableS3Key": "false"]) { $1 }
        let rotated = try await stack.deliver(event(.update, unstable, isOther: false, in: &stack))
        #expect(rotated.status == "SUCCESS")
        #expect(rotated.data?["PreviousPublicKey"] == key)
        #expect(try await stack.deliver(event(.delete, isOther: false, in: &stack)).status == "SUCCESS")
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == key)
        // The other one is alone now.
        let alone = try await stack.deliver(event(.update, Self.rotated, isOther: true, in: &stack))
        #expect(alone.status == "SUCCESS")
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == alone.data?["PublicKey"])
    }

    @Test("Of two Deletes at once one removes the key", .contract(29))
    func deletesAtOnce() async throws {
        var stack = stack
        try await provider.putSystemABundle()
        for isOther in [false, true] { _ = try await stack.deliver(event(.update, isOther: isOther, in: &stack)) }
        let events = [event(.delete, isOther: false, in: &stack), event(.delete, isOther: true, in: &stack)]
        let provider = provider
        try await withThrowingTaskGroup(of: CustomResourceReply.Status.self) { group in
            for event in events { group.addTask { try await provider.deliver(event) } }
            for try await status in group { #expect(status == .success) }
        }
        #expect(provider.s3.versions(bucket: TestProvider.adoptedBucket).isEmpty)
    }

    @Test("What was adopted before uses were noted is noted at its next update", .contract(29))
    func notedLater() async throws {
        var stack = stack
        let key = try await provider.putSystemABundle()
        _ = try await stack.deliver(event(.update, isOther: false, in: &stack))
        let notes = provider.s3.objects(bucket: TestProvider.stateBucket).keys.filter { $0.hasPrefix("adopted/") }
        #expect(
            notes == [
                "adopted/\(TestProvider.adoptedBucket)/\(TestProvider.stableKey)/\(StackEvent.stackGUID)."
                    + "ElbBackendCertificate"
            ])
        for note in notes {
            try await provider.client.deleteObject(
                bucket: TestProvider.stateBucket, key: note, deadline: provider.clock.now.advanced(by: .seconds(60)))
        }
        _ = try await stack.deliver(event(.update, isOther: false, in: &stack))
        _ = try await stack.deliver(event(.update, isOther: true, in: &stack))
        #expect(try await stack.deliver(event(.delete, isOther: true, in: &stack)).status == "SUCCESS")
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == key)
    }

    /// What an earlier version wrote: a record without a note of the use.
    private func forgetUse(guid: String) async throws {
        let deadline = provider.clock.now.advanced(by: .seconds(60))
        let state = provider.s3.objects(bucket: TestProvider.stateBucket)
        for (key, body) in state where key.contains(guid) {
            if key.hasPrefix("adopted/") {
                try await provider.client.deleteObject(bucket: TestProvider.stateBucket, key: key, deadline: deadline)
            } else if key.hasSuffix("/adopted.json") {
                let earlier = String(decoding: body, as: UTF8.self).replacing(",\"useIsNoted\":true", with: "")
                #expect(!earlier.contains("useIsNoted"))
                _ = try await provider.client.putObject(
                    bucket: TestProvider.stateBucket, key: key, body: Array(earlier.utf8), deadline: deadline)
            }
        }
    }

    @Test("What was adopted before uses were noted counts as used, without an update of it", .contract(29))
    func adoptedEarlier() async throws {
        var stack = stack
        let key = try await provider.putSystemABundle()
        for isOther in [false, true] { _ = try await stack.deliver(event(.update, isOther: isOther, in: &stack)) }
        try await forgetUse(guid: StackEvent.stackGUID)
        let refused = try await stack.deliver(event(.update, Self.rotated, isOther: true, in: &stack))
        #expect(refused.status == "FAILED")
        #expect(refused.reason?.contains("1 other resource(s) with this AppName use") == true)
        #expect(try await stack.deliver(event(.delete, isOther: true, in: &stack)).status == "SUCCESS")
        #expect(try provider.publicKey(in: TestProvider.adoptedBucket) == key)
        #expect(try await stack.deliver(event(.delete, isOther: false, in: &stack)).status == "SUCCESS")
        #expect(provider.s3.versions(bucket: TestProvider.adoptedBucket).isEmpty)
    }

    @Test("Of two Deletes at once of what was adopted earlier one removes the key", .contract(29))
    func earlierDeletesAtOnce() async throws {
        var stack = stack
        try await provider.putSystemABundle()
        for isOther in [false, true] { _ = try await stack.deliver(event(.update, isOther: isOther, in: &stack)) }
        for guid in [StackEvent.stackGUID, Self.otherGUID] { try await forgetUse(guid: guid) }
        let events = [event(.delete, isOther: false, in: &stack), event(.delete, isOther: true, in: &stack)]
        let provider = provider
        try await withThrowingTaskGroup(of: CustomResourceReply.Status.self) { group in
            for event in events { group.addTask { try await provider.deliver(event) } }
            for try await status in group { #expect(status == .success) }
        }
        #expect(provider.s3.versions(bucket: TestProvider.adoptedBucket).isEmpty)
        #expect(provider.s3.objects(bucket: TestProvider.stateBucket).keys.allSatisfy { $0.hasPrefix("tombstones/") })
    }
}
