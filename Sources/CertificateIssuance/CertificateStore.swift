package import AWSClient
package import Timekeeping

/// Keeps generations: their bundles in the certificate bucket, what is public about them in the state bucket.
///
/// Every method can be repeated: a second call finds the work of the first done.
package struct CertificateStore: Sendable {
    let s3: S3
    let state: StateBucket
    let keyARN: String
    let clock: any WallClock

    /// - Parameters:
    ///   - s3: with the owner that both buckets must have.
    ///   - stateBucket: the bucket without secrets.
    ///   - keyARN: the KMS key that encrypts bundles.
    package init(s3: S3, stateBucket: String, keyARN: String, clock: any WallClock) {
        self.s3 = s3
        self.state = StateBucket(stateBucket, s3: s3)
        self.keyARN = keyARN
        self.clock = clock
    }
}
