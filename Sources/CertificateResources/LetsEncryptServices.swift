internal import ACME
package import AWSClient
package import CertificateIssuance
package import Timekeeping

/// What the handler of Let's Encrypt certificates works with, made for each request by what its properties say.
package struct LetsEncryptServices: Sendable {
    private let client: AWSServiceClient
    private let clock: any WallClock
    let issuer: ACMEIssuer
    let accounts: AccountStore

    package init(client: AWSServiceClient, issuer: ACMEIssuer, accounts: AccountStore, clock: any WallClock) {
        self.client = client
        self.issuer = issuer
        self.accounts = accounts
        self.clock = clock
    }

    func solver(for challenge: LetsEncryptCertificateProperties.Challenge) -> any ChallengeSolver {
        switch challenge {
        case .http(let bucket):
            return WebsiteSolver(s3: S3(client, expectedBucketOwner: nil), bucket: bucket, settings: .properties)
        case .dns(let zone, let role):
            return Route53Solver(client: client, hostedZoneID: zone, roleARN: role, clock: clock, settings: .properties)
        }
    }

    /// - Parameter region: nil for the function's own.
    func acm(region: String?) throws -> ACMCopies {
        ACMCopies(acm: ACM(try region.map { try client.inRegion($0) } ?? client), clock: clock)
    }

    func iam(path: String?) -> IAMCopies { IAMCopies(iam: IAM(client), path: path ?? "/", clock: clock) }
}
