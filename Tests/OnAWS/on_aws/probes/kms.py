"""KMS behind S3: who needs which permission of the key, and what the conditions see."""

from __future__ import annotations

import json
from typing import Any

from on_aws.bench import Bench, allow, outcome
from on_aws.claims import Seen, claim, decided

SERVICE = "S3 with KMS"


def _encrypted(bench: Bench) -> tuple[str, str]:
    """A bucket under a key, with one object in it; its name and the key's ARN."""

    def make() -> tuple[str, str]:
        key, name = bench.kms_key(), bench.bucket("encrypted")
        s3 = bench.client("s3")
        rule = {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
            "BucketKeyEnabled": False,
        }
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
        s3.put_object(Bucket=name, Key="a", Body=b"x")
        return name, key

    return bench.shared("encrypted bucket", make)


def _as(bench: Bench, *statements: dict[str, Any]) -> Any:
    name, _ = _encrypted(bench)
    objects = allow(["s3:PutObject", "s3:GetObject"], f"arn:{bench.place.partition}:s3:::{name}/*")
    return bench.client("s3", bench.as_role(objects, *statements))


@claim("kms-head-needs-no-decrypt", "HeadObject of an SSE-KMS object succeeds without kms:Decrypt.")
def head_needs_no_decrypt(bench: Bench) -> Seen:
    name, _ = _encrypted(bench)
    seen = outcome(_as(bench).head_object, Bucket=name, Key="a")
    return decided(seen[0] == 200, seen)


@claim("kms-get-needs-decrypt", "GetObject of an SSE-KMS object is refused without kms:Decrypt.")
def get_needs_decrypt(bench: Bench) -> Seen:
    name, _ = _encrypted(bench)
    seen = outcome(_as(bench).get_object, Bucket=name, Key="a")
    return decided(seen[0] == 403, seen)


def _put_under_context(bench: Bench, of_object: bool, **more: Any) -> tuple[int, str]:
    name, key = _encrypted(bench)
    arn = f"arn:{bench.place.partition}:s3:::{name}" + ("/*" if of_object else "")
    condition = {"StringLike": {"kms:EncryptionContext:aws:s3:arn": [arn]}}
    writer = _as(bench, allow(["kms:GenerateDataKey", "kms:Decrypt"], key, **condition))
    return outcome(
        writer.put_object, Bucket=name, Key="b", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key, **more
    )


@claim(
    "kms-context-is-the-object",
    "Without an S3 Bucket Key `kms:EncryptionContext:aws:s3:arn` is the object's ARN.",
)
def context_is_the_object(bench: Bench) -> Seen:
    seen = _put_under_context(bench, of_object=True, BucketKeyEnabled=False)
    return decided(seen[0] == 200, seen)


@claim(
    "kms-context-of-bucket-key",
    "With an S3 Bucket Key `kms:EncryptionContext:aws:s3:arn` is the bucket's ARN.",
    not_local="the local cloud knows no S3 Bucket Keys",
)
def context_of_bucket_key(bench: Bench) -> Seen:
    seen = _put_under_context(bench, of_object=False, BucketKeyEnabled=True)
    return decided(seen[0] == 200, seen)


@claim("kms-via-service", "`kms:ViaService` lets a role use the key through S3, and not directly.")
def via_service(bench: Bench) -> Seen:
    name, key = _encrypted(bench)
    suffix = "amazonaws.com.cn" if bench.place.partition == "aws-cn" else "amazonaws.com"
    only = {"StringEquals": {"kms:ViaService": f"s3.{bench.place.region}.{suffix}"}}
    credentials = bench.as_role(
        allow(["s3:GetObject"], f"arn:{bench.place.partition}:s3:::{name}/*"),
        allow(["kms:Decrypt", "kms:GenerateDataKey"], key, **only),
    )
    through = outcome(bench.client("s3", credentials).get_object, Bucket=name, Key="a")
    direct = outcome(bench.client("kms", credentials).generate_data_key, KeyId=key, KeySpec="AES_256")
    return decided(
        through[0] == 200 and direct[1].startswith("AccessDenied"), f"through S3 {through}, directly {direct}"
    )


@claim(
    "kms-policy-other-key",
    "A bucket policy with StringNotEquals on `s3:x-amz-server-side-encryption-aws-kms-key-id` refuses PutObject that "
    "names no key, although the bucket's default is that key.",
)
def policy_other_key(bench: Bench) -> Seen:
    _, key = _encrypted(bench)
    s3, name = bench.client("s3"), bench.bucket("only-under-the-key")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:{bench.place.partition}:s3:::{name}/*",
        "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": key}},
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    def other() -> bool:
        return outcome(s3.put_object, Bucket=name, Key="x", Body=b"", ServerSideEncryption="AES256")[0] == 403

    bench.wait("that the policy refuses another encryption", other, 60)
    bare = outcome(s3.put_object, Bucket=name, Key="bare", Body=b"")
    named = outcome(s3.put_object, Bucket=name, Key="named", Body=b"", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    return decided(bare[0] == 403 and named[0] == 200, f"without a key {bare}, with it {named}")
