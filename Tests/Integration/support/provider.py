"""The provider as a user installs it: the zip in a bucket, provider.yml as a stack."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud import LocalCloud

from support import documents
from support.paths import architecture, command_zip, function_zip

CODE_BUCKET = "code-of-stackcert"
CODE_KEY = "stackcert-lambda.zip"
COMMAND_KEY = f"stackcert/1/stackcert-{architecture()}.zip"


def upload_code(cloud: LocalCloud, code: Path | None = None, key: str = CODE_KEY) -> None:
    """Put the zip where the stack finds it. Doing it twice does no harm."""
    s3 = cloud.client("s3")
    if CODE_BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=CODE_BUCKET)
        s3.put_object(Bucket=CODE_BUCKET, Key=COMMAND_KEY, Body=command_zip().read_bytes())
    s3.put_object(Bucket=CODE_BUCKET, Key=key, Body=(code or function_zip()).read_bytes())


@dataclass(frozen=True)
class Provider:
    """An installed provider."""

    cloud: LocalCloud
    stack: str
    outputs: dict[str, str]

    @property
    def arn(self) -> str:
        return self.outputs["ProviderArn"]

    @property
    def bucket(self) -> str:
        return self.outputs["CertificateBucketName"]

    @property
    def state_bucket(self) -> str:
        return self.outputs["StateBucketName"]

    @property
    def key_arn(self) -> str:
        return self.outputs["CertificateKeyArn"]

    @property
    def role_arn(self) -> str:
        return self.outputs["FunctionRoleArn"]

    @property
    def renewal_role_arn(self) -> str:
        found = self.cloud.client("cloudformation").describe_stack_resource(
            StackName=self.stack, LogicalResourceId="RenewalRole"
        )
        return f"arn:aws:iam::{self.cloud.account}:role/{found['StackResourceDetail']['PhysicalResourceId']}"

    @property
    def renewal_function_name(self) -> str:
        return f"{self.stack}-stack-renewal"

    @property
    def queue_url(self) -> str:
        return self.outputs["FailureQueueUrl"]

    @property
    def function_name(self) -> str:
        return f"{self.stack}-backend-certificate"

    @property
    def log_group(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    @property
    def break_glass_role(self) -> str:
        """A role that reads and deletes every bundle, for looking into the bucket in tests."""
        return f"arn:aws:iam::{self.cloud.account}:role/{self.stack}-break-glass"

    def bundle(self, key: str) -> dict[str, Any]:
        """A bundle's members, read by the break-glass role."""
        client = self.cloud.client("s3", as_role=self.break_glass_role)
        return json.loads(client.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def keys(self, prefix: str = "", bucket: str | None = None) -> list[str]:
        """Keys of all objects that are there now."""
        pages = self.cloud.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=bucket or self.bucket, Prefix=prefix)
        return sorted(item["Key"] for page in found for item in page.get("Contents", []))

    def versions(self, prefix: str = "") -> list[tuple[str, str]]:
        """(key, version id) of every version and delete marker in the certificate bucket."""
        pages = self.cloud.client("s3").get_paginator("list_object_versions")
        return sorted(
            (item["Key"], item["VersionId"])
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix)
            for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        )

    def state(self, prefix: str = "") -> list[str]:
        return self.keys(prefix, self.state_bucket)


def install(
    cloud: LocalCloud, stack: str = "stackcert", break_glass: bool = True, template: str = "", **parameters: str
) -> Provider:
    """Create the provider's stack, with a break-glass role that tests look through, unless they do not want one.

    `template` is another text than this version's.
    """
    upload_code(cloud)
    given = {
        "CodeS3Bucket": CODE_BUCKET,
        "CodeS3Key": CODE_KEY,
        "CommandS3Key": COMMAND_KEY,
        "Architecture": architecture(),
        **parameters,
    }
    if not template:
        # Where the tests' stacks have their images, see support.renewal.
        images = f"arn:aws:ssm:{cloud.region}:{cloud.account}:parameter/stackcert/images/*"
        given.setdefault("RenewalSsmParameters", images)
    if break_glass:
        given["BreakGlassRoleArn"] = cloud.create_role(
            f"{stack}-break-glass",
            {
                "Effect": "Allow",
                "Action": [
                    "s3:GetObject",
                    "s3:GetObjectVersion",
                    "s3:DeleteObject",
                    "kms:Decrypt",
                    "sqs:ReceiveMessage",
                ],
                "Resource": "*",
            },
        )
    result = cloud.stacks.create(stack, template or documents.published("provider"), given)
    if result.status != "CREATE_COMPLETE":
        raise RuntimeError(f"provider.yml: {result.status}: {result.reasons()}")
    return Provider(cloud, stack, result.outputs)
