import Diagnostics
import HTTPTypes
import Logging
import Synchronization
import TestSupport
import Testing
import Timekeeping

@testable import CustomResource

@Suite struct CustomResourceFunctionTests {
    @Test("Each request goes to its method, and its outcome to CloudFormation")
    func dispatch() async throws {
        let function = FunctionUnderTest()
        #expect(try await function.deliver(EventText().bytes) == .success)
        #expect(try function.bucket.answer.physicalResourceID == "made")
        #expect(try function.bucket.answer.data == ["Name": "value"])
        try await function.deliver(EventText("Update", physicalResourceID: "old").bytes)
        #expect(try function.bucket.answer.physicalResourceID == "made")
        try await function.deliver(EventText("Delete", physicalResourceID: "old").bytes)
        #expect(try function.bucket.answer.physicalResourceID == "old")
        #expect(function.handler.calls == ["create", "update old", "delete old"])
        #expect(function.bucket.puts.count == 3)
    }

    @Test("An event through an SNS topic is carried out and answered like any other", .contract(25))
    func sns() async throws {
        let function = FunctionUnderTest()
        #expect(try await function.deliver(EventText().throughSNS) == .success)
        #expect(function.handler.calls == ["create"])
        #expect(try function.bucket.answer.requestID == "request-1")
    }

    @Test("A Create that failed before it stored anything is deleted without a call", .contract(1))
    func nothingStored() async throws {
        let failing = FunctionUnderTest(ScriptedHandler { _, _ in throw Mishap("It did not work.") })
        #expect(try await failing.deliver(EventText().bytes) == .failed)
        let created = try failing.bucket.answer
        #expect(created.reason == "It did not work.")
        let delete = EventText("Delete", physicalResourceID: created.physicalResourceID)
        #expect(try await failing.deliver(delete.bytes) == .success)
        #expect(failing.handler.calls == ["create"])
        #expect(try failing.bucket.answer.physicalResourceID == created.physicalResourceID)
    }

    @Test("A Create that failed after it stored something is answered with the real id", .contract(2))
    func somethingStored() async throws {
        let function = FunctionUnderTest(
            ScriptedHandler { _, context in
                context.progress.willStore(as: "real-id")
                throw Mishap("It did not work.")
            })
        #expect(try await function.deliver(EventText().bytes) == .failed)
        #expect(try function.bucket.answer.physicalResourceID == "real-id")
    }

    @Test("A stack of another account is refused by an answer, also when it deletes", .contract(12))
    func foreignAccount() async throws {
        let function = FunctionUnderTest()
        let foreign = "\"arn:aws:cloudformation:eu-west-1:999988887777:stack/shop/6f0c\""
        #expect(try await function.deliver(EventText().with("StackId", foreign).bytes) == .failed)
        let answer = try function.bucket.answer
        #expect(
            answer.reason
                == "This provider does not serve account 999988887777: add it to the provider stack's parameter "
                + "AllowedAccounts.")
        #expect(
            try await function.deliver(EventText("Delete", physicalResourceID: "id").with("StackId", foreign).bytes)
                == .failed)
        #expect(function.handler.calls.isEmpty)
        // What the refusal left behind is nothing, so that the stack can be taken down.
        let marker = EventText("Delete", physicalResourceID: answer.physicalResourceID).with("StackId", foreign)
        #expect(try await function.deliver(marker.bytes) == .success)
    }

    @Test("Every allowed account is served")
    func allowedAccounts() async throws {
        let function = FunctionUnderTest(
            settings: CustomResourceSettings(allowedAccounts: [EventText.account, "999988887777"]))
        let other = "\"arn:aws:cloudformation:eu-west-1:999988887777:stack/shop/6f0c\""
        #expect(try await function.deliver(EventText().with("StackId", other).bytes) == .success)
    }

    @Test("Every error becomes a FAILED, and the next event is served", .contract(12, 20))
    func errors() async throws {
        struct Foreign: Error { let secret = "hush" }
        let count = Mutex(0)
        let function = FunctionUnderTest(
            ScriptedHandler { _, _ in
                switch count.withLock({ number -> Int in
                    number += 1; return number
                }) {
                case 1: throw Mishap("Ours.", cause: Foreign())
                case 2: throw Foreign()
                case 3: throw CancellationError()
                default: return ResourceOutcome(physicalResourceID: "made", attributes: [:])
                }
            })
        var reasons: [String?] = []
        for _ in 0..<4 {
            try await function.deliver(EventText().bytes)
            reasons.append(try function.bucket.answer.reason)
        }
        #expect(reasons.count == 4)
        #expect(reasons[0] == "Ours.")
        #expect(reasons[1]?.contains("Internal error (Foreign)") == true)
        #expect(reasons[2] == "The work was cancelled.")
        #expect(reasons[3] == nil)
        #expect(!function.logText.contains("hush"))
        #expect(function.logText.contains("Ours."))
    }

    @Test("What cannot be answered ends in an error, and the next event is served", .contract(12, 20))
    func unanswerable() async throws {
        let function = FunctionUnderTest()
        let payloads: [[UInt8]] = [
            [], Array("hush".utf8), EventText().with("StackId", nil).bytes, [UInt8](repeating: 0x5b, count: 100_000),
            [UInt8](repeating: 0x20, count: 6 << 20), [0xff, 0xfe],
            EventText().with("ResponseURL", "\"https://attacker.example/?\(EventText.signature)\"").bytes,
        ]
        for payload in payloads {
            let error = await #expect(throws: CustomResourceError.self) { try await function.deliver(payload) }
            #expect(error.map { [.malformedEvent, .responseURLRefused].contains($0.code) } == true)
        }
        #expect(function.bucket.puts.isEmpty)
        #expect(function.handler.calls.isEmpty)
        #expect(try await function.deliver(EventText().bytes) == .success)
    }

    @Test("Work that does not end is answered FAILED nine and a half seconds before the invocation ends", .contract(18))
    func deadline() async throws {
        let hasEnded = Mutex(false)
        let function = FunctionUnderTest(
            ScriptedHandler { _, context in
                context.progress.willStore(as: "real-id")
                // Deaf to cancellation, as the generation of a key is.
                await Task.detached { try? await Task.sleep(for: .seconds(5)) }.value
                hasEnded.withLock { $0 = true }
                return ResourceOutcome(physicalResourceID: "late", attributes: [:])
            })
        let started = function.clock.now
        // So little that the clock moves on by itself.
        #expect(try await function.deliver(EventText().bytes, timeout: .seconds(24)) == .failed)
        #expect(started.duration(to: function.clock.now) == .milliseconds(14_500))
        let answer = try function.bucket.answer
        #expect(answer.reason?.contains("did not end within the function's timeout") == true)
        #expect(answer.physicalResourceID == "real-id")
        #expect(function.bucket.puts.count == 1)
        #expect(!hasEnded.withLock { $0 })
    }

    @Test("A call that fails for want of time is answered with what to do about it", .contract(18))
    func callAtTheDeadline() async throws {
        let function = FunctionUnderTest(ScriptedHandler { _, _ in throw Mishap("S3 did not answer.") })
        #expect(try await function.deliver(EventText().bytes, timeout: .milliseconds(150)) == .failed)
        let reason = try #require(try function.bucket.answer.reason)
        #expect(
            reason.hasPrefix("The work did not end within the function's timeout. Last error: S3 did not answer. Try"))
        #expect(reason.hasSuffix("raise the function's timeout or memory."))
        // With time left, the call itself is what failed.
        let patient = FunctionUnderTest(ScriptedHandler { _, _ in throw Mishap("S3 did not answer.") })
        #expect(try await patient.deliver(EventText().bytes) == .failed)
        #expect(try patient.bucket.answer.reason == "S3 did not answer.")
    }

    @Test("Work that is cancelled at the deadline does not answer a second time", .contract(18))
    func answeredOnce() async throws {
        let function = FunctionUnderTest(
            ScriptedHandler { [clock = VirtualClock()] _, context in
                // On a clock that stands still: only cancellation ends it.
                try? await clock.sleep(until: clock.now.advanced(by: .seconds(3600)), tolerance: nil)
                return ResourceOutcome(physicalResourceID: "late", attributes: [:])
            })
        #expect(try await function.deliver(EventText().bytes, timeout: .seconds(24)) == .failed)
        for _ in 0..<20 { await Task.yield() }
        #expect(function.bucket.puts.count == 1)
    }

    @Test("At the deadline the work is cancelled before the answer is sent", .contract(18))
    func cancelledFirst() async throws {
        let wasCancelled = Mutex(false)
        let handler = ScriptedHandler { [clock = VirtualClock()] _, _ in
            await withTaskCancellationHandler {
                try? await clock.sleep(until: clock.now.advanced(by: .seconds(3600)), tolerance: nil)
            } onCancel: {
                wasCancelled.withLock { $0 = true }
            }
            throw Mishap("Too late.")
        }
        // The bucket never takes the answer, so that only what happens before it counts.
        let function = FunctionUnderTest(handler, replies: [.status(403)])
        await #expect(throws: CustomResourceError.self) {
            try await function.deliver(EventText().bytes, timeout: .seconds(24))
        }
        #expect(wasCancelled.withLock { $0 })
    }

    @Test("Of a short time half is kept for the answer", .contract(18))
    func shortTime() async throws {
        let context = Mutex<UnixInstant?>(nil)
        let function = FunctionUnderTest(
            ScriptedHandler { _, given in
                context.withLock { $0 = given.deadline }
                return ResourceOutcome(physicalResourceID: "made", attributes: [:])
            })
        let started = function.clock.now
        try await function.deliver(EventText().bytes, timeout: .seconds(300))
        #expect(context.withLock { $0 } == started.advanced(by: .seconds(290)))
        let again = function.clock.now
        _ = try? await function.deliver(EventText().bytes, timeout: .seconds(4))
        #expect(context.withLock { $0 }.map { $0 <= again.advanced(by: .seconds(290)) } == true)
    }

    @Test(
        "An answer that cannot be delivered ends the invocation in error, so that the event comes again", .contract(19))
    func undelivered() async throws {
        for requestType in ["Create", "Update", "Delete"] {
            let function = FunctionUnderTest(replies: [.status(403)])
            let event = EventText(requestType, physicalResourceID: requestType == "Create" ? nil : "id")
            let error = await #expect(throws: CustomResourceError.self) { try await function.deliver(event.bytes) }
            #expect(error?.code == .replyNotDelivered)
            // The second delivery is answered.
            #expect(try await function.deliver(event.bytes) == .success)
            #expect(function.bucket.puts.count == 2)
        }
    }

    @Test("A FAILED that was delivered is no error of the invocation", .contract(19))
    func deliveredFailure() async throws {
        let function = FunctionUnderTest(ScriptedHandler { _, _ in throw Mishap("No.") })
        #expect(try await function.deliver(EventText().bytes) == .failed)
    }

    @Test("Neither the log nor an error shows the URL's signature or a property's body", .contract(24))
    func secrecy() async throws {
        let event = EventText("Update", physicalResourceID: "id")
            .with("ResourceProperties", #"{"AppName":"hushhush","Password":["hushhush"]}"#)
            .with("OldResourceProperties", #"{"AppName":"hushhush"}"#)
        let replies: [ResponseBucket.Result] = [.status(500), .lost, .status(200), .status(403)]
        let function = FunctionUnderTest(
            ScriptedHandler { request, context in
                context.logger.info("\(request.properties) \(request.responseURL)")
                throw Mishap("No.")
            }, replies: replies)
        try await function.deliver(event.bytes)
        let error = await #expect(throws: CustomResourceError.self) { try await function.deliver(event.bytes) }
        let shown = "\(function.logText) \(error.map { "\($0) \(Reason($0))" } ?? "")"
        #expect(shown.contains("properties(AppName, Password)") && shown.contains("request-1"))
        #expect(!shown.contains("hushhush"))
        #expect(!shown.contains(EventText.signature))
        #expect(
            !function.bucket.puts.contains { $0.text.contains("hushhush") || $0.text.contains(EventText.signature) })
        // The search would find it.
        #expect(function.bucket.puts.allSatisfy { $0.request.path?.contains(EventText.signature) == true })
    }
}
