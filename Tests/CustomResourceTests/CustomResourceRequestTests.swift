import CustomResource
import Diagnostics
import TestSupport
import Testing
import Timekeeping

@Suite struct CustomResourceRequestTests {
    private let now = VirtualClock().now

    private func request(_ payload: [UInt8]) throws -> CustomResourceRequest {
        try CustomResourceRequest(decoding: payload, startedAt: now, loopbackAllowed: false)
    }

    private func refusal(_ payload: [UInt8]) throws -> CustomResourceError {
        try #require(throws: CustomResourceError.self) { try request(payload) }
    }

    @Test("An event's envelope is read whole, with its properties as they came", .contract(12))
    func envelope() throws {
        let event = EventText("Update", physicalResourceID: "id-1")
            .with("OldResourceProperties", #"{"AppName":"old","Nested":{"List":[1,2.5,true,null]}}"#)
        let request = try request(event.bytes)
        #expect(request.requestType == .update)
        #expect(request.stackID.description == EventText.stackID)
        #expect(request.requestID == "request-1")
        #expect(request.logicalResourceID == "Certificate")
        #expect(request.physicalResourceID == "id-1")
        #expect(request.properties.members["AppName"] == .string("shop"))
        #expect(
            request.oldProperties?.members["Nested"]
                == .object(["List": .array([.integer(1), .number(2.5), .boolean(true), .null])]))
    }

    @Test("An event that came through an SNS topic is the same event", .contract(25))
    func sns() throws {
        let event = EventText("Delete", physicalResourceID: #"with \"quotes\""#)
        let direct = try request(event.bytes)
        let notified = try request(event.throughSNS)
        #expect(notified.requestID == direct.requestID)
        #expect(notified.physicalResourceID == #"with "quotes""#)
        #expect(notified.properties == direct.properties)
    }

    @Test(
        "A notification that holds no single event is refused", .contract(25),
        arguments: [
            #"{"Records":[]}"#, #"{"Records":[1]}"#, #"{"Records":[{"Sns":{}}]}"#,
            #"{"Records":[{"Sns":{"Message":5}}]}"#,
            #"{"Records":[{"Sns":{"Message":"{}"}}]}"#, #"{"Records":[{"Sns":{"Message":"not JSON"}}]}"#,
            #"{"Records":[{"Sns":{"Message":"{}"}},{"Sns":{"Message":"{}"}}]}"#,
        ])
    func badNotification(text: String) throws {
        #expect(try refusal(Array(text.utf8)).code == .malformedEvent)
    }

    @Test(
        "A missing or unusable field of the envelope is named and never quoted", .contract(12),
        arguments: [
            ("RequestType", "Create"), ("ResponseURL", "Create"), ("StackId", "Create"), ("RequestId", "Create"),
            ("ResourceType", "Create"), ("LogicalResourceId", "Create"), ("PhysicalResourceId", "Update"),
            ("PhysicalResourceId", "Delete"),
        ])
    func envelopeField(field: String, requestType: String) throws {
        let event = EventText(requestType, physicalResourceID: requestType == "Create" ? nil : "id")
        for json in [
            nil, "null", "5", "true", "[]", "{}", #""""#, "\"" + String(repeating: "hush", count: 2100) + "\"",
        ] {
            let error = try refusal(event.with(field, json).bytes)
            #expect([.malformedEvent, .responseURLRefused].contains(error.code), "\(json ?? "missing")")
            #expect(error.message.contains(field))
            #expect(!error.message.contains("hush"))
        }
    }

    @Test(
        "What is no request type, stack or logical id is refused", .contract(12),
        arguments: [
            ("RequestType", "\"create\""), ("RequestType", "\"Createx\""), ("LogicalResourceId", "\"a/b\""),
            ("LogicalResourceId", "\"ü\""), ("StackId", "\"shop\""),
            ("StackId", "\"arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/../x\""),
            ("StackId", "\"arn:aws:s3:eu-west-1:111122223333:stack/shop/6f0c\""),
        ])
    func oddEnvelope(field: String, json: String) throws {
        #expect(try refusal(EventText().with(field, json).bytes).code == .malformedEvent)
    }

    @Test("Properties that are no object do not keep the event from being answered", .contract(12))
    func oddProperties() throws {
        for json in ["null", "5", #""text""#, "[]", nil] {
            let event = EventText("Delete", physicalResourceID: "id")
                .with("ResourceProperties", json).with("OldResourceProperties", json)
            let request = try request(event.bytes)
            #expect(request.properties.members.isEmpty)
            #expect(request.oldProperties == nil)
        }
    }

    @Test("What is not JSON is refused without a word of it", .contract(12))
    func notJSON() throws {
        let invalidUTF8 = Array(#"{"RequestType":"#.utf8) + [0x22, 0xff, 0xfe, 0x22, 0x7d]
        let texts: [[UInt8]] = [
            [], [0], [0xff], Array("hush".utf8), Array("{".utf8), Array("\"hush\"".utf8), Array("[\"hush\"]".utf8),
            Array("7".utf8), Array("{\"hush\":".utf8), Array(EventText().bytes.dropLast()), invalidUTF8,
            EventText().bytes + Array("hush".utf8),
        ]
        for text in texts {
            let error = try refusal(text)
            #expect(error.code == .malformedEvent)
            #expect(!error.message.contains("hush"))
        }
    }

    @Test("An event of 6 MB is refused at once", .contract(12))
    func tooLarge() throws {
        let event = EventText().with("ResourceProperties", "{\"x\":\"" + String(repeating: "y", count: 6 << 20) + "\"}")
        #expect(try refusal(event.bytes).message.contains("bytes, more than"))
        #expect(try refusal([UInt8](repeating: 0x5b, count: 6 << 20)).code == .malformedEvent)
    }

    @Test("Deep nesting is refused", .contract(12), arguments: [65, 500, 513, 100_000])
    func deep(levels: Int) throws {
        let lists = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        let objects = String(repeating: #"{"a":"#, count: levels) + "1" + String(repeating: "}", count: levels)
        for nested in [lists, objects] {
            #expect(try refusal(EventText().with("ResourceProperties", nested).bytes).code == .malformedEvent)
        }
        #expect(try refusal([UInt8](repeating: 0x5b, count: levels)).code == .malformedEvent)
    }

    @Test("Nesting as templates have it is read")
    func nested() throws {
        let nested = String(repeating: #"{"a":["#, count: 20) + String(repeating: "]}", count: 20)
        #expect(try request(EventText().with("ResourceProperties", nested).bytes).properties.members.count == 1)
    }

    @Test(
        "The largest event is read, whatever it is made of", .contract(12),
        arguments: ["1,", "[],", #""a","#, #"{"a":1},"#])
    func largest(item: String) throws {
        let room = CustomResourceRequest.maximumEventBytes - 2000
        let items = String(repeating: item, count: room / item.utf8.count) + "1"
        let request = try request(EventText().with("ResourceProperties", "{\"Name\":[\(items)]}").bytes)
        guard case .array(let values)? = request.properties.members["Name"] else {
            Issue.record("the list is not a list")
            return
        }
        #expect(values.count == room / item.utf8.count + 1)
    }

    @Test("An event is dated by its URL's signature, and never later than its arrival", .contract(3))
    func issued() throws {
        #expect(try request(EventText().bytes).issuedAt == UnixInstant(seconds: now.seconds - 300))
        let undated = EventText().with("ResponseURL", "\"https://\(EventText.host)/answer\"")
        #expect(try request(undated.bytes).issuedAt == now)
        let future = EventText().with(
            "ResponseURL", "\"https://\(EventText.host)/answer?X-Amz-Date=20990101T000000Z\"")
        #expect(try request(future.bytes).issuedAt == now)
    }
}
