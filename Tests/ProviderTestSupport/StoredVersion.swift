internal import AWSClient
package import TestSupport

/// One version of an object, or a delete marker, as it lies in a bucket.
package struct StoredVersion: Hashable, Sendable {
    package let key: String
    package let versionID: String
    package let isDeleteMarker: Bool
}

extension InMemoryS3 {
    /// Everything that is still stored, by key, the latest first.
    package func storedVersions(bucket: String) -> [StoredVersion] {
        versions(bucket: bucket).map {
            StoredVersion(key: $0.key, versionID: $0.versionID, isDeleteMarker: $0.isDeleteMarker)
        }
    }
}
