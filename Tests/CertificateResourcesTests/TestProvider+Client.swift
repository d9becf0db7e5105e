import AWSClient
import Diagnostics
import FoundationEssentials
import PKI
import ProviderTestSupport
import TestSupport
import Timekeeping

extension TestProvider {
    /// Somebody else who may use the buckets.
    var client: S3 {
        get throws {
            S3(
                AWSServiceClient(
                    configuration: try AWSConfiguration.fromEnvironment(["AWS_REGION": "eu-west-1"]), executor: s3,
                    credentials: EnvironmentCredentials(environment: [
                        "AWS_ACCESS_KEY_ID": "AKIDOTHER", "AWS_SECRET_ACCESS_KEY": "other-secret",
                    ]),
                    clock: clock), expectedBucketOwner: nil)
        }
    }

    static let stableKey = "backend-certificate-shop.json"
    static let logStream = "2026/01/05/[$LATEST]0123456789abcdef0123456789abcdef"

    /// Puts an object as system A's function made it, and returns its public key.
    @discardableResult
    func putSystemABundle(in bucket: String = TestProvider.adoptedBucket) async throws -> String {
        let keyPair = try await KeyPair.generate(.ecP256)
        let certificate = try keyPair.selfSigned(
            SelfSignedProfile(
                names: [.dns(try DomainName("shop.example.com"))], commonName: "*.shop.example.com",
                notBefore: UnixInstant(seconds: clock.now.seconds - 86_400),
                notAfter: UnixInstant(seconds: clock.now.seconds + 3649 * 86_400)))
        let members = [
            "private_key": keyPair.privateKeyPEM.exposed, "certificate": certificate.pem,
            "public_key": keyPair.publicKey.pem, "app_name": "shop", "apps_domain": "shop.example.com",
        ]
        _ = try await client.putObject(
            bucket: bucket, key: Self.stableKey, body: Array(try JSONEncoder().encode(members)),
            deadline: clock.now.advanced(by: .seconds(60)))
        return keyPair.publicKey.base64
    }

    /// The public key in the bundle at a key; nil when there is none.
    func publicKey(in bucket: String, at key: String = TestProvider.stableKey) throws -> String? {
        guard let body = s3.body(bucket: bucket, key: key) else { return nil }
        let members = try JSONDecoder().decode([String: String].self, from: Data(body))
        return try IssuedCertificate(pem: members["certificate"] ?? "").publicKey.base64
    }
}
