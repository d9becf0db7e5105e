import CustomResource
import ProviderTestSupport
import Synchronization
import TestSupport
import Testing
import Timekeeping

/// S3 refuses every call for some time.
@Suite struct BrownOutTests {
    private static let faults: [InMemoryS3.Fault] = [.answer(500), .answer(503), .reset]

    /// Delivers an event of a function with 300 seconds.
    ///
    /// - Parameters:
    ///   - step: the call at which the brown-out begins, counted from 1.
    ///   - duration: how long it lasts from then on.
    /// - Returns: nil when the event has not so many calls.
    private func deliver(
        _ event: StackEvent, to stack: ScriptedStack, _ fault: InMemoryS3.Fault, from step: Int, for duration: Duration
    ) async throws -> ReplyInbox.Reply? {
        let (s3, clock) = (stack.provider.s3, stack.provider.clock)
        let end = Mutex<UnixInstant?>(nil)
        s3.forgetOperations()
        s3.onOperation { operation in
            guard operation.ordinal >= step else { return nil }
            let end = end.withLock { end in
                end = end ?? clock.now.advanced(by: duration)
                return end
            }
            return end.map { clock.now < $0 } == true ? fault : nil
        }
        defer { s3.onOperation(nil) }
        let began = clock.now
        let reply = try await stack.deliver(event, timeout: .seconds(300))
        guard s3.operations.count >= step else { return nil }
        #expect(began.duration(to: clock.now) < .seconds(300))
        return reply
    }

    @Test(
        "A brown-out of a minute, from any call on, fails no event that has 300 seconds", .contract(32),
        arguments: faults)
    func survived(fault: InMemoryS3.Fault) async throws {
        for kind in [CustomResourceRequest.RequestType.create, .update, .delete] {
            var step = 1
            while step < 60 {
                let provider = try TestProvider()
                var stack = ScriptedStack(provider)
                if kind != .create { try await stack.create() }
                let event = stack.event(kind, kind == .update ? TestProvider.properties(["Rotation": "2"]) : nil)
                let reply = try await deliver(event, to: stack, fault, from: step, for: .seconds(60))
                guard let reply else { break }
                #expect(reply.status == "SUCCESS", "\(kind), call \(step): \(reply.reason ?? "")")
                step += 1
            }
            #expect(step > 5, "\(kind)")
        }
    }

    @Test("An outage that does not end is answered with the call that failed, when two minutes are over", .contract(32))
    func lasting() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        let began = stack.provider.clock.now
        let reply = try await deliver(stack.event(.create), to: stack, .answer(503), from: 1, for: .seconds(3600))
        #expect(reply?.status == "FAILED")
        #expect(reply?.reason?.hasPrefix("S3 HeadObject failed with ServiceUnavailable (HTTP 503)") == true)
        #expect(began.duration(to: provider.clock.now) < .seconds(190))
    }

    @Test("A call that is not answered before the function's time is over is named", .contract(18))
    func silence() async throws {
        let provider = try TestProvider()
        var stack = ScriptedStack(provider)
        provider.s3.onOperation { $0.name == "PutObject" ? .hang : nil }
        let reply = try await stack.deliver(stack.event(.create), timeout: .seconds(30))
        let reason = try #require(reply.reason)
        #expect(reply.status == "FAILED")
        #expect(
            reason.hasPrefix("The work did not end within the function's timeout. Last error: S3 PutObject: "),
            "\(reason)")
    }
}
