package import AWSClient
package import Timekeeping

/// The certificate bucket as the sweep sees it: which bundles there are and what is public about them. Nothing here asks
/// for a bundle's body, which the sweep's role could not decrypt.
package struct BundleListing: Sendable {
    private let s3: S3
    package let bucket: String

    /// - Parameter s3: with the owner that the bucket must have.
    package init(_ bucket: String, s3: S3) {
        self.bucket = bucket
        self.s3 = s3
    }

    /// Bundles of one resource type in the order of their keys, those behind `key` only.
    package func page(
        _ kind: CertificateAddress.Kind, after key: String?, count: Int, deadline: UnixInstant
    ) async throws -> (objects: [ObjectSummary], isLast: Bool) {
        try await s3.listObjectsPage(
            bucket: bucket, prefix: "\(kind.rawValue)/", startAfter: key, maxKeys: count, deadline: deadline)
    }

    /// Nil when there is no bundle; its metadata is nil when it is none that the provider wrote.
    package func head(
        of address: CertificateAddress, deadline: UnixInstant
    ) async throws -> (metadata: CertificateMetadata?, writtenAt: UnixInstant?)? {
        guard
            let head = try await unlessAbsent({
                try await s3.headObject(bucket: address.bucket, key: address.key, deadline: deadline)
            })
        else { return nil }
        return (CertificateMetadata(fields: head.metadata), head.lastModified)
    }
}
