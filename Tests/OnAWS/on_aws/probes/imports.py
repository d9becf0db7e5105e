"""CloudFormation's resource import, by which a provider comes back over what it left (docs/runbook.md)."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from on_aws.bench import Bench, Inconclusive
from on_aws.claims import Seen, claim, decided

SERVICE = "CloudFormation, resource import"


def _policy(bench: Bench, bucket: str, sid: str) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject"}
    statement["Resource"] = f"arn:{bench.place.partition}:s3:::{bucket}/proof"
    return {"Version": "2012-10-17", "Statement": [statement]}


def _template(bench: Bench, bucket: str, sid: str) -> dict[str, Any]:
    kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    properties = {"Bucket": bucket, "PolicyDocument": _policy(bench, bucket, sid)}
    return {
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket", **kept, "Properties": {"BucketName": bucket}},
            "Policy": {"Type": "AWS::S3::BucketPolicy", **kept, "Properties": properties},
        }
    }


def _sid(bench: Bench, bucket: str) -> str:
    found = json.loads(bench.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
    return found["Statement"][0]["Sid"]


def _change_set(bench: Bench, template: dict[str, Any], bucket: str) -> tuple[str, str]:
    """A new stack's name, and the ARN of the change set that imports the bucket and its policy into it."""
    cloudformation, stack = bench.client("cloudformation"), bench.name("import")
    bench.undo(f"stack {stack}", lambda: cloudformation.delete_stack(StackName=stack))
    identifiers = {
        "Bucket": ("AWS::S3::Bucket", {"BucketName": bucket}),
        "Policy": ("AWS::S3::BucketPolicy", {"Bucket": bucket}),
    }
    made = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=bench.name("import"),
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(template),
        ResourcesToImport=[
            {"LogicalResourceId": name, "ResourceType": kind, "ResourceIdentifier": identifier}
            for name, (kind, identifier) in identifiers.items()
        ],
        Tags=bench.tags,
    )["Id"]
    return stack, made


def _imported(bench: Bench, template: dict[str, Any], bucket: str) -> str:
    cloudformation = bench.client("cloudformation")
    stack, made = _change_set(bench, template, bucket)

    def told() -> dict[str, Any] | None:
        found = cloudformation.describe_change_set(ChangeSetName=made)
        return None if found["Status"] in ("CREATE_PENDING", "CREATE_IN_PROGRESS") else found

    found = bench.wait("the change set", told)
    if found["ExecutionStatus"] != "AVAILABLE":
        raise Inconclusive(f"the change set ended as {found['Status']}: {found.get('StatusReason')}")
    cloudformation.execute_change_set(ChangeSetName=made)
    bench.wait("the import's beginning", lambda: bench.status(stack) != "REVIEW_IN_PROGRESS")
    status = bench.settled(stack)
    if status != "IMPORT_COMPLETE":
        raise Inconclusive(f"the import ended as {status}: {bench.reasons(stack)}")
    return stack


def _bucket_with_a_policy(bench: Bench) -> str:
    bucket = bench.bucket("retained")
    bench.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(_policy(bench, bucket, "Former")))
    return bucket


@claim(
    "import-changes-nothing",
    "An import leaves a bucket's policy as it is when the template has another one.",
)
def changes_nothing(bench: Bench) -> Seen:
    bucket = _bucket_with_a_policy(bench)
    _imported(bench, _template(bench, bucket, "Latter"), bucket)
    return decided(_sid(bench, bucket) == "Former", _sid(bench, bucket))


@claim(
    "import-then-update",
    "The update after an import writes the bucket's policy, when its template's differs from the import's.",
)
def then_update(bench: Bench) -> Seen:
    bucket = _bucket_with_a_policy(bench)
    stack = _imported(bench, _template(bench, bucket, "Latter"), bucket)
    template = json.dumps(_template(bench, bucket, "Last"))
    bench.client("cloudformation").update_stack(StackName=stack, TemplateBody=template)
    status = bench.settled(stack)
    return decided(status == "UPDATE_COMPLETE" and _sid(bench, bucket) == "Last", f"{status} {_sid(bench, bucket)}")


@claim(
    "import-refuses-outputs", "A change set of type IMPORT for a new stack is refused when its template has outputs."
)
def refuses_outputs(bench: Bench) -> Seen:
    bucket = _bucket_with_a_policy(bench)
    template = _template(bench, bucket, "Latter") | {"Outputs": {"Name": {"Value": bucket}}}
    try:
        _change_set(bench, template, bucket)
    except ClientError as error:
        return decided("Outputs" in str(error), str(error))
    return decided(False, "the change set was made")
