import AWSClient
import Diagnostics
import SigV4
import TestSupport
import Testing
import Timekeeping

let assumeRoleAnswer = """
    <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <AssumeRoleResult>
        <AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>arn:aws:sts::1:assumed-role/r/s</Arn></AssumedRoleUser>
        <Credentials>
          <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role/secret+</SecretAccessKey>
          <SessionToken>role token</SessionToken><Expiration>2027-01-15T09:00:00Z</Expiration>
        </Credentials>
      </AssumeRoleResult>
      <ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>
    </AssumeRoleResponse>
    """

@Suite struct STSTests {
    private let clock = VirtualClock()
    private var deadline: UnixInstant { clock.now.advanced(by: .seconds(60)) }

    @Test("A role is assumed with a form, and its keys and their end are read")
    func assumeRole() async throws {
        let executor = ScriptedExecutor([.answer(200, assumeRoleAnswer)], clock: clock)
        let sts = STS(try makeClient(executor, clock: clock, region: "cn-north-1"))
        let keys = try await sts.assumeRole(
            STS.Role(
                arn: "arn:aws-cn:iam::1:role/r", sessionName: "s@x", externalID: "a b&c", duration: .seconds(900)),
            deadline: deadline)
        #expect(keys.accessKeyID == "ASIAROLE" && keys.secretAccessKey.exposed == "role/secret+")
        #expect(keys.sessionToken?.exposed == "role token")
        #expect(keys.expiration == UnixInstant(iso8601: "2027-01-15T09:00:00Z"))
        let request = try #require(executor.requests.first)
        #expect(request.line == "POST https://sts.cn-north-1.amazonaws.com.cn/")
        #expect(
            request.body == "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws-cn%3Aiam%3A%3A1%3Arole%2Fr"
                + "&RoleSessionName=s%40x&ExternalId=a%20b%26c&DurationSeconds=900")
        #expect(request["content-type"] == "application/x-www-form-urlencoded; charset=utf-8")
        #expect(request["authorization"]?.contains("/20270115/cn-north-1/sts/aws4_request") == true)
        #expect(request["x-amz-content-sha256"] == nil)
    }

    @Test("The caller is told who it is")
    func callerIdentity() async throws {
        let answer = """
            <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
            <Arn>arn:aws:iam::111122223333:user/u</Arn><UserId>AIDA</UserId><Account>111122223333</Account>
            </GetCallerIdentityResult></GetCallerIdentityResponse>
            """
        let sts = STS(try makeClient(ScriptedExecutor([.answer(200, answer)], clock: clock), clock: clock))
        let identity = try await sts.getCallerIdentity(deadline: deadline)
        #expect(identity.account == "111122223333" && identity.arn == "arn:aws:iam::111122223333:user/u")
        #expect(identity.userID == "AIDA")
    }

    @Test("A refusal has AWS's code and words")
    func refused() async throws {
        let answer = """
            <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
            <Code>AccessDenied</Code><Message>User is not authorized to perform: sts:AssumeRole</Message></Error>
            <RequestId>0-1</RequestId></ErrorResponse>
            """
        let executor = ScriptedExecutor([.answer(403, answer, ["x-amzn-RequestId": "0-1"])], clock: clock)
        let sts = STS(try makeClient(executor, clock: clock))
        let error = try await failure {
            try await sts.assumeRole(STS.Role(arn: "arn", sessionName: "s"), deadline: deadline)
        }
        #expect(error?.code == .accessDenied && error?.httpStatus == 403 && executor.requests.count == 1)
        #expect(
            error?.message == "STS AssumeRole failed with AccessDenied (HTTP 403): User is not authorized to perform: "
                + "sts:AssumeRole. Request id 0-1.")
    }

    @Test(
        "An answer without keys is an error that does not show what there was",
        arguments: [
            "", "<a/>", assumeRoleAnswer.replacing("Expiration>", with: "E>"),
            assumeRoleAnswer.replacing("2027-01-15T09", with: "soon"), assumeRoleAnswer.replacing("Token>", with: "T>"),
        ])
    func malformed(answer: String) async throws {
        let sts = STS(try makeClient(ScriptedExecutor([.answer(200, answer)], clock: clock), clock: clock))
        let error = try await failure {
            try await sts.assumeRole(STS.Role(arn: "arn", sessionName: "s"), deadline: deadline)
        }
        #expect(error?.code == .invalidResponse && error?.operation == "AssumeRole")
        #expect(error?.message.contains("role") == false)
    }
}
