package import Timekeeping

/// How S3 encrypts an object.
package enum ServerSideEncryption: Hashable, Sendable {
    /// As the bucket's own setting says.
    case none
    /// With a key of S3 (SSE-S3).
    case aes256
    /// With a KMS key, named by its id or ARN (SSE-KMS).
    case kms(String)
}

/// What S3 tells of an object without its body.
package struct ObjectHead: Hashable, Sendable {
    package let contentLength: Int
    /// In its quotation marks, as `If-Match` wants it.
    package let etag: String
    /// Nil in a bucket that was never versioned.
    package let versionID: String?
    package let lastModified: UnixInstant?
    /// The user metadata, names in lower case and without `x-amz-meta-`.
    package let metadata: [String: String]

    package init(
        contentLength: Int, etag: String, versionID: String?, lastModified: UnixInstant?, metadata: [String: String]
    ) {
        self.contentLength = contentLength
        self.etag = etag
        self.versionID = versionID
        self.lastModified = lastModified
        self.metadata = metadata
    }
}

/// One entry of a listing.
package struct ObjectSummary: Hashable, Sendable {
    package let key: String
    package let size: Int
    package let etag: String
    package let lastModified: UnixInstant?

    package init(key: String, size: Int, etag: String, lastModified: UnixInstant?) {
        self.key = key
        self.size = size
        self.etag = etag
        self.lastModified = lastModified
    }
}

/// One version, or one delete marker, of a key.
package struct ObjectVersion: Hashable, Sendable {
    package let key: String
    /// `null` for what was written before the bucket was versioned.
    package let versionID: String
    package let isLatest: Bool
    package let isDeleteMarker: Bool

    package init(key: String, versionID: String, isLatest: Bool, isDeleteMarker: Bool) {
        self.key = key
        self.versionID = versionID
        self.isLatest = isLatest
        self.isDeleteMarker = isDeleteMarker
    }
}

/// Whether a bucket keeps earlier versions of its objects.
package enum BucketVersioning: Hashable, Sendable {
    case enabled
    /// Versions from before are still there; what is written from now on has the version `null` and overwrites it.
    case suspended
    /// Versioning was never enabled.
    case never
}
