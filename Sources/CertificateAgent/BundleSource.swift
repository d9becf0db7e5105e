package import AWSClient
package import Diagnostics
package import Timekeeping

/// Where a server learns which bundle to use, and gets it.
package protocol BundleSource: Sendable {
    /// The S3 key of the bundle that servers use now.
    func pointer(deadline: UnixInstant) async throws -> String

    /// The bundle's JSON.
    func bundle(_ pointer: String, deadline: UnixInstant) async throws -> Redacted<[UInt8]>
}

/// The parameter that CloudFormation sets once the load balancer trusts the key, and the bucket.
package struct AWSBundleSource: BundleSource {
    private let ssm: SSM
    private let s3: S3
    private let parameter: String
    private let bucket: String

    package init(_ client: AWSServiceClient, parameter: String, bucket: String) {
        self.ssm = SSM(client)
        self.s3 = S3(client, expectedBucketOwner: nil)
        self.parameter = parameter
        self.bucket = bucket
    }

    package func pointer(deadline: UnixInstant) async throws -> String {
        do {
            let key = try await ssm.getParameter(parameter, deadline: deadline).value
            guard !key.allSatisfy(\.isWhitespace) else {
                throw AgentError(
                    .bundleInvalid, "Parameter \(parameter) is empty: it must hold the S3 key of a bundle.")
            }
            return key
        } catch let error as AWSError {
            throw AgentError(error)
        }
    }

    package func bundle(_ pointer: String, deadline: UnixInstant) async throws -> Redacted<[UInt8]> {
        do {
            return Redacted(try await s3.getObject(bucket: bucket, key: pointer, deadline: deadline).body)
        } catch let error as AWSError where error.code == .invalidResponse {
            throw AgentError(.bundleInvalid, "\(error.message) It is no bundle.", cause: error)
        } catch let error as AWSError {
            throw AgentError(error)
        }
    }
}
