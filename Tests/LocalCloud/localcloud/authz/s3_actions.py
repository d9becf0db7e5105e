"""Which actions on which ARNs an S3 operation needs. Their names in IAM often differ from the operations' names."""

from __future__ import annotations

from urllib.parse import unquote

from localcloud.gateway.call import Call

_BUCKET_ACTIONS = {
    "CreateBucket": "CreateBucket",
    "DeleteBucket": "DeleteBucket",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketPolicy": "DeleteBucketPolicy",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteBucketWebsite": "DeleteBucketWebsite",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAcl": "GetBucketAcl",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketLocation": "GetBucketLocation",
    "GetBucketLogging": "GetBucketLogging",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketOwnershipControls": "GetBucketOwnershipControls",
    "GetBucketPolicy": "GetBucketPolicy",
    "GetBucketPolicyStatus": "GetBucketPolicyStatus",
    "GetBucketTagging": "GetBucketTagging",
    "GetBucketVersioning": "GetBucketVersioning",
    "GetBucketWebsite": "GetBucketWebsite",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketLogging": "PutBucketLogging",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketOwnershipControls": "PutBucketOwnershipControls",
    "PutBucketPolicy": "PutBucketPolicy",
    "PutBucketTagging": "PutBucketTagging",
    "PutBucketVersioning": "PutBucketVersioning",
    "PutBucketWebsite": "PutBucketWebsite",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
_OBJECT_ACTIONS = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteObject": "DeleteObject",
    "DeleteObjectTagging": "DeleteObjectTagging",
    "GetObject": "GetObject",
    "GetObjectAttributes": "GetObject",
    "GetObjectTagging": "GetObjectTagging",
    "HeadObject": "GetObject",
    "ListParts": "ListMultipartUploadParts",
    "PutObject": "PutObject",
    "PutObjectTagging": "PutObjectTagging",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
_OF_ONE_VERSION = {
    "DeleteObject": "DeleteObjectVersion",
    "GetObject": "GetObjectVersion",
    "HeadObject": "GetObjectVersion",
    "GetObjectTagging": "GetObjectVersionTagging",
}


def bucket_of(call: Call) -> str | None:
    return call.params.get("Bucket")


def object_arn(bucket: str, key: str) -> str:
    return f"arn:aws:s3:::{bucket}/{key}"


def changes_acl(call: Call) -> bool:
    """Whether a write asks for another ACL than objects have by default. To change the ACL needs s3:PutObjectAcl (API
    reference of PutObject); `private` is the default (User Guide, "Canned ACL") and changes nothing."""
    granted = any(name.lower().startswith("x-amz-grant-") for name, _ in call.headers)
    return granted or call.header("x-amz-acl") not in (None, "private")


def copy_source(call: Call) -> tuple[str, str, str | None] | None:
    """Bucket, key and version id of the object that a copy reads."""
    source = call.header("x-amz-copy-source")
    if not source:
        return None
    path, _, version = source.partition("?versionId=")
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    return bucket, key, version or None


def required(call: Call) -> list[tuple[str, str]] | None:
    """(action, resource ARN) pairs, without DeleteObjects, which is decided key by key. None: not known here."""
    if call.operation == "ListBuckets":
        return [("s3:ListAllMyBuckets", "*")]
    bucket = bucket_of(call)
    if call.operation in _BUCKET_ACTIONS:
        return [("s3:" + _BUCKET_ACTIONS[call.operation], f"arn:aws:s3:::{bucket}")]
    if call.operation not in _OBJECT_ACTIONS:
        return None
    action, arn = _OBJECT_ACTIONS[call.operation], object_arn(str(bucket), call.params.get("Key", ""))
    if call.query.get("versionId"):
        action = _OF_ONE_VERSION.get(call.operation, action)
    needed = [("s3:" + action, arn)]
    if call.operation in ("PutObject", "CopyObject", "CreateMultipartUpload"):
        if call.header("x-amz-tagging"):
            needed.append(("s3:PutObjectTagging", arn))
        if changes_acl(call):
            needed.append(("s3:PutObjectAcl", arn))
    # To compare entity tags is to read (User Guide, "How to prevent object overwrites with conditional writes" and
    # "Enforce conditional deletes"): both ask for s3:GetObject as well. `*` only asks whether the object is there.
    if call.operation in ("PutObject", "DeleteObject") and call.header("if-match") not in (None, "*"):
        needed.append(("s3:GetObject", arn))
    source = copy_source(call)
    if source:
        read = "s3:GetObjectVersion" if source[2] else "s3:GetObject"
        needed.append((read, object_arn(source[0], source[1])))
    return needed
