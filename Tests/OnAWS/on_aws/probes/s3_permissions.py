"""S3: who is told what, and the conditions of the bucket's policy."""

from __future__ import annotations

import json
from typing import Any

from on_aws.bench import Bench, allow, outcome
from on_aws.claims import Seen, claim, decided

SERVICE = "S3, permissions"


def _bucket(bench: Bench) -> tuple[str, str]:
    """A bucket with one object, and its ARN."""

    def make() -> str:
        name = bench.bucket("permissions")
        bench.client("s3").put_object(Bucket=name, Key="there/a", Body=b"x")
        return name

    name = bench.shared("permissions bucket", make)
    return name, f"arn:{bench.place.partition}:s3:::{name}"


def _as(bench: Bench, *statements: dict[str, Any]) -> Any:
    return bench.client("s3", bench.as_role(*statements))


@claim("s3-absent-without-list", "HeadObject of a missing key answers 403 to a role without s3:ListBucket.")
def absent_without_list(bench: Bench) -> Seen:
    name, arn = _bucket(bench)
    seen = outcome(_as(bench, allow("s3:GetObject", f"{arn}/*")).head_object, Bucket=name, Key="there/none")
    return decided(seen[0] == 403, seen)


@claim(
    "s3-absent-with-prefix",
    "HeadObject of a missing key answers 404 to a role whose s3:ListBucket is limited to its prefix by `s3:prefix`.",
)
def absent_with_prefix(bench: Bench) -> Seen:
    name, arn = _bucket(bench)
    seeing = _as(
        bench,
        allow("s3:GetObject", f"{arn}/*"),
        allow("s3:ListBucket", arn, StringLike={"s3:prefix": ["there/*"]}),
    )
    seen = outcome(seeing.head_object, Bucket=name, Key="there/none")
    return decided(seen[0] == 404, seen)


@claim(
    "s3-absent-with-other-prefix",
    "HeadObject of a missing key answers 403 to a role whose s3:ListBucket is limited to another prefix.",
)
def absent_with_other_prefix(bench: Bench) -> Seen:
    name, arn = _bucket(bench)
    other = _as(
        bench,
        allow("s3:GetObject", f"{arn}/*"),
        allow("s3:ListBucket", arn, StringLike={"s3:prefix": ["elsewhere/*"]}),
    )
    seen = outcome(other.head_object, Bucket=name, Key="there/none")
    return decided(seen[0] == 403, seen)


@claim(
    "s3-put-if-match-permission",
    "PutObject with `If-Match` is refused to a role with s3:PutObject but without s3:GetObject.",
)
def put_if_match_permission(bench: Bench) -> Seen:
    name, arn = _bucket(bench)
    etag = bench.client("s3").put_object(Bucket=name, Key="conditions/a", Body=b"x")["ETag"]
    writer = _as(bench, allow("s3:PutObject", f"{arn}/*"))
    seen = outcome(writer.put_object, Bucket=name, Key="conditions/a", Body=b"y", IfMatch=etag)
    return decided(seen[0] == 403, seen)


@claim(
    "s3-delete-if-match-permission",
    "DeleteObject with `If-Match` is refused to a role with s3:DeleteObject but without s3:GetObject.",
)
def delete_if_match_permission(bench: Bench) -> Seen:
    name, arn = _bucket(bench)
    etag = bench.client("s3").put_object(Bucket=name, Key="conditions/b", Body=b"x")["ETag"]
    deleter = _as(bench, allow("s3:DeleteObject", f"{arn}/*"))
    seen = outcome(deleter.delete_object, Bucket=name, Key="conditions/b", IfMatch=etag)
    return decided(seen[0] == 403, seen)


def _guarded(bench: Bench, statement: dict[str, Any]) -> str:
    name = bench.bucket("guarded")
    arn = f"arn:{bench.place.partition}:s3:::{name}/*"
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": "*", "Resource": arn, **statement}],
    }
    bench.client("s3").put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
    return name


def _refused(bench: Bench, name: str) -> bool:
    """Whether a plain write is refused: a new policy of a bucket may need a moment."""
    return outcome(bench.client("s3").put_object, Bucket=name, Key="plain", Body=b"")[0] == 403


@claim(
    "s3-policy-only-once",
    "A bucket policy with `Null s3:if-none-match` refuses PutObject without the header, and lets it through with it.",
)
def policy_only_once(bench: Bench) -> Seen:
    name = _guarded(bench, {"Action": "s3:PutObject", "Condition": {"Null": {"s3:if-none-match": "true"}}})
    bench.wait("that the policy refuses a plain write", lambda: _refused(bench, name), 60)
    seen = outcome(bench.client("s3").put_object, Bucket=name, Key="once", Body=b"", IfNoneMatch="*")
    return decided(seen[0] == 200, f"with the header: {seen}")


@claim(
    "s3-policy-principal-path",
    "`aws:PrincipalArn` in a bucket policy is the ARN of a session's role, with the role's path.",
)
def policy_principal_path(bench: Bench) -> Seen:
    pattern = bench.arn("iam", "role/stackcert-proof/*", region=False)
    name = _guarded(bench, {"Action": "s3:PutObject", "Condition": {"ArnNotLike": {"aws:PrincipalArn": [pattern]}}})
    bench.wait("that the policy refuses others", lambda: _refused(bench, name), 60)
    inside = _as(bench, allow("s3:PutObject", f"arn:{bench.place.partition}:s3:::{name}/*"))
    seen = outcome(inside.put_object, Bucket=name, Key="inside", Body=b"")
    return decided(seen[0] == 200, f"a role below the path: {seen}")
