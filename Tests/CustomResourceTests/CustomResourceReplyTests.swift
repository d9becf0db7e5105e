import Diagnostics
import FoundationEssentials
import TestSupport
import Testing
import Timekeeping

@testable import CustomResource

@Suite struct CustomResourceReplyTests {
    private func request(_ event: EventText) throws -> CustomResourceRequest {
        try CustomResourceRequest(decoding: event.bytes, startedAt: VirtualClock().now, loopbackAllowed: false)
    }

    private func answer(_ reply: CustomResourceReply) throws -> ResponseBucket.Answer {
        let body = try reply.encoded()
        #expect(body.count <= 4096)
        return try JSONDecoder().decode(ResponseBucket.Answer.self, from: Data(body))
    }

    private func failure(
        _ reason: String, of event: EventText, storing id: String? = nil
    ) throws -> ResponseBucket.Answer {
        let progress = ResourceProgress()
        if let id { progress.willStore(as: id) }
        return try answer(CustomResourceReply(request(event), failed: Reason(reason), progress: progress))
    }

    @Test(
        "A success repeats the event's ids, carries the attributes and says that nothing is secret", .contract(16, 24))
    func success() throws {
        let outcome = ResourceOutcome(physicalResourceID: "id/with/slashes", attributes: ["A": "1/2", "B": "\"ü\""])
        let reply = try CustomResourceReply(request(EventText()), succeeded: outcome)
        let answer = try answer(reply)
        #expect(answer.status == "SUCCESS")
        #expect(answer.reason == nil)
        #expect(answer.physicalResourceID == "id/with/slashes")
        #expect(answer.stackID == EventText.stackID)
        #expect(answer.requestID == "request-1")
        #expect(answer.logicalResourceID == "Certificate")
        #expect(answer.data == ["A": "1/2", "B": "\"ü\""])
        #expect(answer.noEcho == false)
    }

    @Test("A failed Create that stored nothing has a marker for its id, one that did has the real id", .contract(1, 2))
    func failedCreate() throws {
        let nothing = try failure("No.", of: EventText())
        #expect(nothing.status == "FAILED")
        #expect(nothing.physicalResourceID == "stackcert-nothing-stored-request-1")
        #expect(nothing.reason == "No.")
        #expect(nothing.data == nil)
        #expect(try failure("No.", of: EventText(), storing: "real").physicalResourceID == "real")
    }

    @Test("A failed Update or Delete keeps the id that it came with", .contract(8, 9), arguments: ["Update", "Delete"])
    func keptID(requestType: String) throws {
        let event = EventText(requestType, physicalResourceID: "old-id")
        #expect(try failure("No.", of: event).physicalResourceID == "old-id")
        #expect(try failure("No.", of: event, storing: "new-id").physicalResourceID == "old-id")
    }

    @Test(
        "No answer has an empty id, which would hide its Reason", .contract(17),
        arguments: ["Create", "Update", "Delete"])
    func idIsNeverEmpty(requestType: String) throws {
        let event = EventText(requestType, physicalResourceID: requestType == "Create" ? nil : "old-id")
        let answer = try failure("No.", of: event)
        #expect(!answer.physicalResourceID.isEmpty)
        #expect(answer.reason?.isEmpty == false)
    }

    @Test(
        "A long Reason is cut to what 4,096 bytes can hold, on a character's boundary", .contract(15),
        arguments: ["a", "é", "…", "👩‍👩‍👧", "\"", "\\", "a\"", "e\u{301}\u{302}"])
    func longReason(character: String) throws {
        let reason = String(repeating: character, count: 5000)
        let body = try CustomResourceReply(request(EventText()), failed: Reason(reason), progress: ResourceProgress())
            .encoded()
        #expect(body.count <= 4096)
        // Nearly all of the room is used: one more character would not fit.
        #expect(body.count > 4096 - 2 * character.utf8.count - 8)
        let answer = try JSONDecoder().decode(ResponseBucket.Answer.self, from: Data(body))
        let kept = try #require(answer.reason)
        #expect(kept.hasSuffix("…"))
        #expect(kept.dropLast().allSatisfy { character.contains($0) })
    }

    @Test("A Reason that just fits is not cut", .contract(15))
    func fittingReason() throws {
        let empty = try CustomResourceReply(request(EventText()), failed: Reason(""), progress: ResourceProgress())
            .encoded().count
        let fitting = try failure(String(repeating: "a", count: 4096 - empty), of: EventText())
        #expect(fitting.reason?.hasSuffix("a") == true)
        #expect(
            try failure(String(repeating: "a", count: 4097 - empty), of: EventText()).reason?.hasSuffix("…") == true)
    }

    @Test("Bytes are counted, not characters", .contract(15))
    func bytes() throws {
        let attributes = ["Name": String(repeating: "é", count: 2000)]
        let outcome = ResourceOutcome(physicalResourceID: "id", attributes: attributes)
        let answer = try answer(CustomResourceReply(request(EventText()), succeeded: outcome))
        #expect(answer.status == "FAILED")
    }

    @Test("Attributes that do not fit make the request fail under the id that was made", .contract(2, 15))
    func tooManyAttributes() throws {
        let outcome = ResourceOutcome(
            physicalResourceID: "made", attributes: ["Name": String(repeating: "a", count: 4096)])
        let created = try answer(CustomResourceReply(request(EventText()), succeeded: outcome))
        #expect(created.status == "FAILED")
        #expect(created.physicalResourceID == "made")
        #expect(created.reason?.contains("4096 bytes") == true)
        let event = EventText("Update", physicalResourceID: "old-id")
        #expect(try answer(CustomResourceReply(request(event), succeeded: outcome)).physicalResourceID == "old-id")
    }

    @Test("Ids that alone are too long end in an error, not in a loop", .contract(15))
    func idsTooLong() throws {
        let event = EventText("Delete", physicalResourceID: String(repeating: "\\u0001", count: 1000))
        let reply = try CustomResourceReply(request(event), failed: Reason("No."), progress: ResourceProgress())
        let error = #expect(throws: CustomResourceError.self) { try reply.encoded() }
        #expect(error?.code == .replyNotDelivered)
    }
}
