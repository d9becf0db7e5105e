"""Which KMS key S3 uses for an object, and the permissions on it that the caller of S3 needs."""

from __future__ import annotations

from moto.kms.models import kms_backends

from localcloud.authz import context, s3_actions
from localcloud.authz.actions import key_arn
from localcloud.authz.authorizer import Authorizer, bucket, bucket_owner
from localcloud.errors import AwsError
from localcloud.gateway.call import Answer, Call
from localcloud.recorder import Decision

_SSE = "x-amz-server-side-encryption"
_SSE_KEY = "x-amz-server-side-encryption-aws-kms-key-id"
_BUCKET_KEY = "x-amz-server-side-encryption-bucket-key-enabled"
_MANAGED_KEY = "alias/aws/s3"


def _usable(arn: str) -> None:
    _, _, _, region, account, name = arn.split(":", 5)
    key = kms_backends[account][region].keys.get(name.removeprefix("key/"))
    if key is None:
        raise AwsError("KMS.NotFoundException", f"Key '{arn}' does not exist", 400)
    if key.key_state == "PendingDeletion":
        raise AwsError("KMS.KMSInvalidStateException", f"{arn} is pending deletion.", 400)
    if not key.enabled:
        raise AwsError("KMS.DisabledException", f"{arn} is disabled.", 400)


def _is_managed(arn: str) -> bool:
    """AWS's own key for S3: its policy admits everyone of the account, through S3."""
    _, _, _, region, account, name = arn.split(":", 5)
    key = kms_backends[account][region].keys.get(name.removeprefix("key/"))
    return key is not None and any(alias.endswith(_MANAGED_KEY) for alias in key.aliases)


def _subject(call: Call, bucket_key: str) -> str:
    """The encryption context's aws:s3:arn: the object's, or the bucket's where a Bucket Key is used
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html)."""
    name = s3_actions.bucket_of(call)
    if bucket_key.lower() == "true":
        return f"arn:aws:s3:::{name}"
    return s3_actions.object_arn(str(name), call.params.get("Key", ""))


class S3Keys:
    """Asks the authorizer on behalf of KMS, with the context that S3 hands over."""

    def __init__(self, authorizer: Authorizer):
        self._authorizer = authorizer

    def _require(self, call: Call, action: str, arn: str, object_arn: str, decisions: list[Decision]) -> None:
        assert call.principal is not None
        _usable(arn)
        if _is_managed(arn) and arn.split(":")[4] == call.principal.account:
            return
        keys = context.of_s3_key_use(call.principal, arn.split(":")[3], object_arn)
        self._authorizer.require(call.principal, action, arn, keys, decisions)

    def before_write(self, call: Call, decisions: list[Decision]) -> None:
        """kms:GenerateDataKey for an object that will be encrypted with a KMS key, by header or by bucket default."""
        if call.operation not in ("PutObject", "CopyObject", "CreateMultipartUpload"):
            return
        name = s3_actions.bucket_of(call)
        found = bucket(name)
        if found is None:
            return
        owner, region = bucket_owner(name) or "", found.region_name
        algorithm, key = call.header(_SSE), call.header(_SSE_KEY)
        if algorithm is None and found.encryption:
            default = found.encryption["Rule"].get("ApplyServerSideEncryptionByDefault", {})
            algorithm, key = default.get("SSEAlgorithm"), default.get("KMSMasterKeyID")
        if algorithm != "aws:kms":
            return
        if not key:
            key = key_arn(_MANAGED_KEY, region, owner)
            if call.header(_SSE):
                # The emulator would take the bucket's default key here; S3 takes its own managed key.
                call.headers.append((_SSE_KEY, key))
        by_default = (found.encryption or {}).get("Rule", {}).get("BucketKeyEnabled", False)
        subject = _subject(call, call.header(_BUCKET_KEY) or str(by_default))
        self._require(call, "kms:GenerateDataKey", key_arn(key, region, owner), subject, decisions)

    def after_read(self, call: Call, answer: Answer, decisions: list[Decision]) -> None:
        """kms:Decrypt to see the bytes of an object. A HEAD shows none, unless it asks for the checksum."""
        reads = call.operation == "GetObject" or (
            call.operation == "HeadObject" and (call.header("x-amz-checksum-mode") or "").upper() == "ENABLED"
        )
        if not reads or answer.status >= 300 or answer.header(_SSE) != "aws:kms":
            return
        name = s3_actions.bucket_of(call)
        found = bucket(name)
        key = answer.header(_SSE_KEY)
        if found is None or not key:
            return
        arn = key_arn(key, found.region_name, bucket_owner(name) or "")
        self._require(call, "kms:Decrypt", arn, _subject(call, answer.header(_BUCKET_KEY) or ""), decisions)

    def before_copy(self, call: Call, decisions: list[Decision]) -> None:
        """kms:Decrypt of the object that a copy reads."""
        source = s3_actions.copy_source(call)
        found = bucket(source[0]) if source else None
        if not source or found is None:
            return
        stored = found.keys.get(source[1])
        if stored is not None and getattr(stored, "encryption", None) == "aws:kms" and stored.kms_key_id:
            arn = key_arn(stored.kms_key_id, found.region_name, bucket_owner(source[0]) or "")
            self._require(call, "kms:Decrypt", arn, s3_actions.object_arn(source[0], source[1]), decisions)
