import Diagnostics
import HTTPTypes
import TestSupport
import Testing
import Timekeeping

@testable import CustomResource

@Suite struct ReplySenderTests {
    private let clock = VirtualClock()

    private func send(
        _ script: [ResponseBucket.Result], within time: Duration = .seconds(60)
    ) async throws -> (puts: [ResponseBucket.Put], error: CustomResourceError?) {
        let bucket = ResponseBucket(script, clock: clock)
        let request = try CustomResourceRequest(
            decoding: EventText().bytes, startedAt: clock.now, loopbackAllowed: false)
        let reply = CustomResourceReply(
            request, succeeded: ResourceOutcome(physicalResourceID: "id", attributes: ["Name": "ü"]))
        do {
            try await ReplySender(executor: bucket, clock: clock).send(reply, by: clock.now.advanced(by: time))
            return (bucket.puts, nil)
        } catch let error as CustomResourceError {
            return (bucket.puts, error)
        }
    }

    @Test("The answer is one PUT to the event's URL, as it was signed: without a content type", .contract(19))
    func onePut() async throws {
        let (puts, error) = try await send([])
        #expect(error == nil)
        let put = try #require(puts.first)
        #expect(puts.count == 1)
        #expect(put.request.method == .put)
        #expect(put.request.scheme == "https")
        #expect(put.request.authority == EventText.host)
        #expect(EventText.url.hasSuffix(put.request.path ?? "nowhere"))
        #expect(put.request.headerFields[.contentType] == "")
        #expect(put.request.headerFields.count == 1)
        #expect(put.text.contains(#""Name":"ü""#))
        #expect(put.deadline == put.at.advanced(by: .seconds(3)))
    }

    @Test(
        "A passing fault is tried again until the answer is taken", .contract(19), arguments: [408, 429, 500, 502, 503])
    func retried(status: Int) async throws {
        let (puts, error) = try await send([.status(status), .lost, .silence, .status(status)])
        #expect(error == nil)
        #expect(puts.count == 5)
        #expect(Set(puts.map(\.body)).count == 1)
    }

    @Test("A success whose body tells of an error is no answer, and tried again", .contract(19))
    func lateError() async throws {
        let (puts, error) = try await send([.lateError, .lateError])
        #expect(error == nil && puts.count == 3)
        let (_, undelivered) = try await send(Array(repeating: .lateError, count: 1000))
        #expect(undelivered?.code == .replyNotDelivered)
    }

    @Test("A refusal for good is not repeated", .contract(19), arguments: [301, 400, 403, 404, 411])
    func refused(status: Int) async throws {
        let (puts, error) = try await send([.status(status)])
        #expect(puts.count == 1)
        #expect(error?.code == .replyNotDelivered)
        #expect(error?.message.contains("\(status)") == true)
        // The body of a refusal quotes the request.
        #expect(error?.message.contains(EventText.signature) == false)
    }

    @Test("Tries go on until the deadline comes near, then end in an error", .contract(19))
    func deadline() async throws {
        let started = clock.now
        let (puts, error) = try await send(Array(repeating: .status(503), count: 1000), within: .seconds(60))
        #expect(error?.code == .replyNotDelivered)
        #expect((5...40).contains(puts.count))
        #expect(started.duration(to: clock.now) <= .seconds(60))
        let (silent, silentError) = try await send(Array(repeating: .silence, count: 1000), within: .seconds(10))
        #expect(silentError?.code == .replyNotDelivered)
        #expect((2...4).contains(silent.count))
        #expect(silent.allSatisfy { $0.deadline <= $0.at.advanced(by: .seconds(3)) })
    }
}
