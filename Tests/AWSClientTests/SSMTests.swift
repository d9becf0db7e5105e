import AWSClient
import HTTPTransport
import TestSupport
import Testing
import Timekeeping

@Suite("SSM and CloudFormation's signals")
struct SSMTests {
    @Test("a parameter is asked for in AWS JSON 1.1")
    func getParameter() async throws {
        let clock = VirtualClock()
        let executor = ScriptedExecutor(
            [.answer(200, #"{"Parameter":{"Name":"/a","Type":"String","Value":"x/y.json","Version":7,"More":[]}}"#)],
            clock: clock)
        let ssm = SSM(try makeClient(executor, clock: clock))
        let found = try await ssm.getParameter("/a", deadline: clock.now.advanced(by: .seconds(60)))
        #expect(found.value == "x/y.json" && found.version == 7)
        let request = try #require(executor.requests.first)
        #expect(request["x-amz-target"] == "AmazonSSM.GetParameter")
        #expect(request["content-type"] == "application/x-amz-json-1.1")
        #expect(request.body == #"{"Name":"\/a"}"# || request.body == #"{"Name":"/a"}"#)
    }

    @Test("a parameter's value is replaced, and its type left as it is")
    func putParameter() async throws {
        let clock = VirtualClock()
        let executor = ScriptedExecutor([.answer(200, #"{"Version":8,"Tier":"Standard"}"#)], clock: clock)
        let ssm = SSM(try makeClient(executor, clock: clock))
        let deadline = clock.now.advanced(by: .seconds(60))
        #expect(try await ssm.putParameter("a", value: "2", deadline: deadline) == 8)
        let request = try #require(executor.requests.first)
        #expect(request["x-amz-target"] == "AmazonSSM.PutParameter")
        for member in [#""Name":"a""#, #""Value":"2""#, #""Overwrite":true"#] {
            #expect(request.body.contains(member))
        }
        #expect(!request.body.contains("Type"))
    }

    @Test(
        "an error's code is read behind its namespace, from the body or from the field",
        arguments: [
            (#"{"__type":"ParameterNotFound"}"#, [:], "ParameterNotFound", 1),
            (#"{"__type":"com.amazonaws.ssm#AccessDeniedException","Message":"no"}"#, [:], "AccessDeniedException", 1),
            ("", ["x-amzn-errortype": "InternalServerError:http://a/b"], "InternalServerError", 1),
            (#"{"__type":"ThrottlingException","message":"slow"}"#, [:], "ThrottlingException", 19),
            (#"{"__type":"<b>"}"#, [:], "BadRequest", 1),
        ] as [(String, [String: String], String, Int)])
    func errors(body: String, fields: [String: String], code: String, tries: Int) async throws {
        let clock = VirtualClock()
        let executor = ScriptedExecutor([.answer(400, body, fields)], clock: clock)
        let ssm = SSM(try makeClient(executor, clock: clock))
        do {
            _ = try await ssm.getParameter("/a", deadline: clock.now.advanced(by: .seconds(600)))
            Issue.record("it succeeded")
        } catch let error as AWSError {
            #expect(error.code.rawValue == code)
            #expect(executor.requests.count == tries)
        }
    }

    @Test(
        "a resource that does not wait for signals is no error",
        arguments: [("ValidationError", "Stack x is in CREATE_COMPLETE state and can not be signaled", false)])
    func signal(code: String, message: String, isWaiting: Bool) async throws {
        let clock = VirtualClock()
        let executor = ScriptedExecutor(
            [
                .answer(200, "<SignalResourceResponse><ResponseMetadata/></SignalResourceResponse>"),
                .answer(
                    400,
                    "<ErrorResponse><Error><Code>\(code)</Code><Message>\(message)</Message></Error></ErrorResponse>"),
            ], clock: clock)
        let cloudFormation = CloudFormation(try makeClient(executor, clock: clock))
        for expected in [true, isWaiting] {
            let deadline = clock.now.advanced(by: .seconds(60))
            let waited = try await cloudFormation.signalResource(
                stack: "app", logicalID: "Servers", uniqueID: "i-1", status: .success, deadline: deadline)
            #expect(waited == expected)
        }
        #expect(
            executor.requests.first?.body
                == "Action=SignalResource&Version=2010-05-15&StackName=app&LogicalResourceId=Servers&UniqueId=i-1"
                + "&Status=SUCCESS")
    }
}
