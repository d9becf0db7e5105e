"""What the tests share: a stand-in provider's zip, templates, and a look at what the provider has stored."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

from localcloud import LocalCloud
from localcloud.stacks import StackResult

HERE = Path(__file__).parent
ZIP_KEY = "function.zip"
TEMPLATE = (HERE / "stack.yml").read_text()


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


def keys(cloud: LocalCloud, result: StackResult) -> list[str]:
    """What the certificate's provider has stored."""
    listed = cloud.client("s3").list_objects_v2(Bucket=result.outputs["BucketName"])
    return sorted(entry["Key"] for entry in listed.get("Contents", []) if "late" not in entry["Key"])


def allow(actions: str | list[str], resources: str | list[str], **condition: dict) -> dict:
    """A policy statement."""
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return {**statement, "Condition": condition} if condition else statement
