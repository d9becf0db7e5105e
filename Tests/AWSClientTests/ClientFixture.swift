import AWSClient
import HTTPTransport
import Logging
import SigV4
import TestSupport
import Timekeeping

let secretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
let sessionToken = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQ=="
let accessKeyID = "ASIAIOSFODNN7EXAMPLE"

let environmentKeys = [
    "AWS_ACCESS_KEY_ID": accessKeyID, "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_SESSION_TOKEN": sessionToken,
]

/// A client without chance: it always waits the longest that its policy allows; silent unless given a logger.
func makeClient(
    _ executor: any HTTPExecutor, clock: any WallClock, region: String = "eu-west-1", endpointURL: String? = nil,
    credentials: (any CredentialsProvider)? = nil, quota: RetryQuota = RetryQuota(), logger: Logger? = nil
) throws -> AWSServiceClient {
    AWSServiceClient(
        configuration: try AWSConfiguration(region: region, endpointURL: endpointURL), executor: executor,
        credentials: credentials ?? EnvironmentCredentials(environment: environmentKeys), clock: clock,
        quota: quota, jitter: { $0.upperBound },
        logger: logger ?? Logger(label: "silent", factory: { _ in SwiftLogNoOpLogHandler() }))
}

func failure<Value>(of work: () async throws -> Value) async throws -> AWSError? {
    do {
        _ = try await work()
        return nil
    } catch let error as AWSError {
        return error
    }
}

func s3Error(_ code: String, _ message: String = "Told by S3.") -> String {
    "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>\(message)</Message></Error>"
}
