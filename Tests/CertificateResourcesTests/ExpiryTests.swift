import CustomResource
import ProviderTestSupport
import TestSupport
import Testing
import Timekeeping

/// Certificates that are found again, in time or too late (case 27).
@Suite struct ExpiryTests {
    private let short = TestProvider.properties(["ValidityDays": "1"])

    @Test("A Create that finds a valid key from before takes it over", .contract(27))
    func retained() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.deliver(stack.event(.create))
        let second = try await stack.deliver(stack.event(.create))
        #expect(second.status == "SUCCESS")
        #expect(second.data == first.data)
        #expect(second.physicalResourceID == first.physicalResourceID)
    }

    @Test("A Create that finds an expired key fails, says what to do and leaves the key", .contract(27))
    func expired() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider, properties: short)
        let first = try await stack.deliver(stack.event(.create))
        provider.clock.advance(by: .days(2))
        let second = try await stack.create()
        #expect(second.status == "FAILED")
        #expect(
            second.reason
                == "A certificate with these properties was kept from before and expired "
                + "\(first.data?["NotAfter"] ?? ""): change Rotation to get a new one.")
        #expect(try await stack.delete().status == "SUCCESS")
        #expect(provider.bundleKeys.count == 1)
        #expect(try await stack.create(short.merging(["Rotation": "2"]) { $1 }).status == "SUCCESS")
    }

    @Test("A Create that fails while it takes a kept key over leaves the key to the next try", .contract(27))
    func keptOnFailure() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let first = try await stack.deliver(stack.event(.create))
        provider.s3.onOperation { $0.name == "PutObject" && $0.key.hasPrefix("records/") ? .answer(403) : nil }
        let failed = try await stack.create()
        #expect(failed.status == "FAILED")
        provider.s3.onOperation(nil)
        #expect(try await stack.delete().status == "SUCCESS")
        #expect(try await stack.create().data == first.data)
    }

    @Test("An Update that changes nothing of an expired certificate returns it, and warns", .contract(27))
    func warned() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider, properties: short)
        let first = try await stack.create()
        provider.clock.advance(by: .days(2))
        let second = try await stack.update(short.merging(["RotationParameter": "Other"]) { $1 })
        #expect(second.status == "SUCCESS")
        #expect(second.data == first.data)
        #expect(provider.logText.contains("warning certificate has expired: change Rotation"))
    }
}
