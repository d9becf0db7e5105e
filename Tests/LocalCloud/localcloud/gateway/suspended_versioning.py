"""Buckets whose versioning is suspended, which the emulator treats as if they had never kept versions.

AWS keeps the versions that are there, gives new objects and delete markers the version id `null`, and lets only those
replace each other (S3 User Guide, "Adding objects to versioning-suspended buckets" and "Deleting objects from
versioning-suspended buckets").
"""

from __future__ import annotations

from typing import Any

from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, S3Backend

NULL = "null"
_put_object = S3Backend.put_object
_set_delete_marker = S3Backend._set_delete_marker


def _keeps_versions(bucket: FakeBucket) -> bool:
    return bucket.versioning_status in ("Enabled", "Suspended")


def _in_place_of_null(bucket: FakeBucket, key: str, made: FakeKey | FakeDeleteMarker) -> None:
    if bucket.versioning_status == "Suspended":
        made._version_id = NULL
        kept = [each for each in bucket.keys.getlist(key) if each is made or each.version_id != NULL]
        bucket.keys.setlist(key, kept)


def _put(backend: S3Backend, bucket_name: str, key_name: str, *values: Any, **more: Any) -> FakeKey:
    made = _put_object(backend, bucket_name, key_name, *values, **more)
    _in_place_of_null(backend.get_bucket(bucket_name), key_name, made)
    return made


def _mark(backend: S3Backend, bucket_name: str, key_name: str) -> FakeDeleteMarker:
    made = _set_delete_marker(backend, bucket_name, key_name)
    _in_place_of_null(backend.get_bucket(bucket_name), key_name, made)
    return made


def apply() -> None:
    FakeBucket.is_versioned = property(_keeps_versions)  # type: ignore[assignment,method-assign]
    S3Backend.put_object = _put  # type: ignore[assignment,method-assign]
    S3Backend._set_delete_marker = _mark  # type: ignore[method-assign]
