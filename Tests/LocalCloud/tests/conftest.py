"""Clouds for the tests, and a zip with the stand-in provider."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import pytest

from localcloud import LocalCloud

HERE = Path(__file__).parent
ZIP_KEY = "function.zip"


def standin_zip() -> bytes:
    source = f"#!{sys.executable}\n" + (HERE / "standin_bootstrap.py").read_text()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, source)
    return buffer.getvalue()


def prepare(cloud: LocalCloud) -> LocalCloud:
    """A bucket with the stand-in's zip."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key=ZIP_KEY, Body=standin_zip())
    return cloud


@pytest.fixture(scope="module")
def shared():
    """One cloud for all tests of a module; each uses its own names."""
    with LocalCloud(custom_resource_timeout=5) as cloud:
        yield prepare(cloud)


@pytest.fixture
def cloud(shared: LocalCloud):
    """The module's cloud, with an empty record and no faults."""
    shared.recorder.clear()
    shared.faults.clear()
    yield shared
    shared.faults.clear()


@pytest.fixture
def fresh():
    """A cloud of one's own: `fresh(rollback="delete")`."""
    opened: list[LocalCloud] = []

    def start(**settings) -> LocalCloud:
        cloud = LocalCloud(**{"custom_resource_timeout": 5, **settings}).start()
        opened.append(cloud)
        return prepare(cloud)

    yield start
    for cloud in opened:
        cloud.stop()


TEMPLATE = (HERE / "stack.yml").read_text()


@pytest.fixture
def template() -> str:
    return TEMPLATE


def keys(cloud, result) -> list[str]:
    """What the certificate's provider has stored."""
    listed = cloud.client("s3").list_objects_v2(Bucket=result.outputs["BucketName"])
    return sorted(entry["Key"] for entry in listed.get("Contents", []) if "late" not in entry["Key"])
