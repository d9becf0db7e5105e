"""What a test does around a sweep: lets objects grow old, loses some, and reads the report."""

from __future__ import annotations

import datetime
import json
import uuid
from typing import Any

from moto.s3.models import s3_backends

from support.provider import Provider


def age(provider: Provider, days: int) -> None:
    """Every object in both buckets becomes so many days older. Past the API: S3 lets nobody set the date."""
    backend = s3_backends[provider.cloud.account]["aws"]
    for bucket in (provider.bucket, provider.state_bucket):
        keys = backend.buckets[bucket].keys
        for key in list(keys):
            for version in keys.getlist(key):
                version.last_modified -= datetime.timedelta(days=days)


def lose(provider: Provider, key: str) -> None:
    """Somebody removes an object of the state bucket by hand."""
    client = provider.cloud.client("s3", as_role=provider.role_arn)
    client.delete_object(Bucket=provider.state_bucket, Key=key)


def damage(provider: Provider, key: str, body: bytes) -> None:
    """Somebody overwrites an object of the state bucket by hand."""
    client = provider.cloud.client("s3", as_role=provider.renewal_role_arn)
    client.put_object(Bucket=provider.state_bucket, Key=key, Body=body)


def remove_version(provider: Provider, key: str, version: str) -> None:
    """What the operator does about an orphan."""
    client = provider.cloud.client("s3", as_role=provider.role_arn)
    client.delete_object(Bucket=provider.bucket, Key=key, VersionId=version)


def leave_a_record_of_nothing(provider: Provider, record: str, guid: str) -> str:
    """The record of a stack that does not exist, and of a bundle that is gone."""
    client = provider.cloud.client("s3", as_role=provider.role_arn)
    other = str(uuid.uuid4())
    body = client.get_object(Bucket=provider.state_bucket, Key=record)["Body"].read().decode()
    key = record.replace(guid, other)
    client.put_object(Bucket=provider.state_bucket, Key=key, Body=body.replace(guid, other).encode())
    return key


def forget(provider: Provider) -> None:
    """Ends a sweep that a test broke, with the lease of its run, and removes the records that it left."""
    client = provider.cloud.client("s3", as_role=provider.break_glass_role)
    for key in provider.state("sweep/") + provider.state("records/"):
        client.delete_object(Bucket=provider.state_bucket, Key=key)


def lose_all(provider: Provider) -> None:
    """The state bucket is empty, as a new one is."""
    client = provider.cloud.client("s3", as_role=provider.break_glass_role)
    for key in provider.state():
        client.delete_object(Bucket=provider.state_bucket, Key=key)


def latest(provider: Provider) -> dict[str, Any]:
    found = provider.cloud.client("s3").get_object(Bucket=provider.state_bucket, Key="sweep/latest.json")
    return json.loads(found["Body"].read())
