"""S3: writes and deletes under a condition."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from on_aws.bench import Bench, outcome
from on_aws.claims import Seen, claim, decided

SERVICE = "S3, conditional requests"


def _bucket(bench: Bench) -> str:
    return bench.shared("plain bucket", lambda: bench.bucket("plain"))


def _versioned(bench: Bench) -> str:
    return bench.shared("versioned bucket", lambda: bench.bucket("versions", versioned=True))


def _put(bench: Bench, key: str, bucket: str = "", **more: Any) -> tuple[int, str]:
    return outcome(bench.client("s3").put_object, Bucket=bucket or _bucket(bench), Key=key, Body=b"x", **more)


def _delete(bench: Bench, key: str, bucket: str = "", **more: Any) -> tuple[int, str]:
    return outcome(bench.client("s3").delete_object, Bucket=bucket or _bucket(bench), Key=key, **more)


def _made(bench: Bench, key: str, bucket: str = "") -> dict[str, Any]:
    return bench.client("s3").put_object(Bucket=bucket or _bucket(bench), Key=key, Body=b"made")


@claim("s3-put-once", "PutObject with `If-None-Match: *` answers 412 when the object is there.")
def put_once(bench: Bench) -> Seen:
    _made(bench, "once")
    seen = _put(bench, "once", IfNoneMatch="*")
    return decided(seen == (412, "PreconditionFailed"), seen)


@claim("s3-put-one-winner", "Of ten PutObject with `If-None-Match: *` at once one succeeds; the others get 409 or 412.")
def put_one_winner(bench: Bench) -> Seen:
    bucket = _bucket(bench)
    put = bench.client("s3").put_object
    with ThreadPoolExecutor(10) as pool:
        tries = [
            pool.submit(outcome, put, Bucket=bucket, Key="race", Body=bytes([n]), IfNoneMatch="*") for n in range(10)
        ]
        found = sorted(each.result()[0] for each in tries)
    return decided(found.count(200) == 1 and set(found) <= {200, 409, 412}, found)


@claim(
    "s3-put-after-marker", "PutObject with `If-None-Match: *` succeeds where a delete marker is the current version."
)
def put_after_marker(bench: Bench) -> Seen:
    bucket = _versioned(bench)
    _made(bench, "marked", bucket)
    _delete(bench, "marked", bucket)
    seen = _put(bench, "marked", bucket, IfNoneMatch="*")
    return decided(seen[0] == 200, seen)


@claim("s3-put-if-match-other", "PutObject with `If-Match` answers 412 when the object has another ETag.")
def put_if_match_other(bench: Bench) -> Seen:
    _made(bench, "other")
    seen = _put(bench, "other", IfMatch='"00000000000000000000000000000000"')
    return decided(seen == (412, "PreconditionFailed"), seen)


@claim("s3-put-if-match-gone", "PutObject with `If-Match` answers 404 when the object has vanished.")
def put_if_match_gone(bench: Bench) -> Seen:
    etag = _made(bench, "gone")["ETag"]
    _delete(bench, "gone")
    seen = _put(bench, "gone", IfMatch=etag)
    return decided(seen == (404, "NoSuchKey"), seen)


@claim("s3-put-if-match-marked", "PutObject with `If-Match` answers 404 where a delete marker is the current version.")
def put_if_match_marked(bench: Bench) -> Seen:
    bucket = _versioned(bench)
    etag = _made(bench, "if-marked", bucket)["ETag"]
    _delete(bench, "if-marked", bucket)
    seen = _put(bench, "if-marked", bucket, IfMatch=etag)
    return decided(seen == (404, "NoSuchKey"), seen)


@claim("s3-delete-if-match", "DeleteObject with `If-Match` and the right ETag removes the object.")
def delete_if_match(bench: Bench) -> Seen:
    etag = _made(bench, "to-delete")["ETag"]
    seen = _delete(bench, "to-delete", IfMatch=etag)
    left = outcome(bench.client("s3").head_object, Bucket=_bucket(bench), Key="to-delete")[0]
    return decided(seen[0] == 204 and left == 404, (*seen, f"HEAD afterwards: {left}"))


@claim(
    "s3-delete-if-match-other",
    "DeleteObject with `If-Match` answers 412 when the object has another ETag, and it stays.",
)
def delete_if_match_other(bench: Bench) -> Seen:
    _made(bench, "stays")
    seen = _delete(bench, "stays", IfMatch='"00000000000000000000000000000000"')
    left = outcome(bench.client("s3").head_object, Bucket=_bucket(bench), Key="stays")[0]
    return decided(seen == (412, "PreconditionFailed") and left == 200, (*seen, f"HEAD afterwards: {left}"))


@claim("s3-delete-if-match-gone", "DeleteObject with `If-Match` answers 404 when the object has vanished.")
def delete_if_match_gone(bench: Bench) -> Seen:
    etag = _made(bench, "gone-too")["ETag"]
    _delete(bench, "gone-too")
    seen = _delete(bench, "gone-too", IfMatch=etag)
    return decided(seen == (404, "NoSuchKey"), seen)


@claim("s3-delete-if-match-version", "DeleteObject with `If-Match` beside a version id answers 501.")
def delete_if_match_version(bench: Bench) -> Seen:
    bucket = _versioned(bench)
    made = _made(bench, "version", bucket)
    seen = _delete(bench, "version", bucket, IfMatch=made["ETag"], VersionId=made["VersionId"])
    return decided(seen == (501, "NotImplemented"), seen)
