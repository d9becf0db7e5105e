"""Runs one event through a packaged zip: `python -m localcloud invoke`."""

from __future__ import annotations

import json
import string
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.accounts import trust
from localcloud.cloud import LocalCloud
from localcloud.recorder import CustomResourceExchange

_FUNCTION = "invoked"
_BUCKET = "localcloud-code"


@dataclass
class OneEvent:
    """What came of it: the function's result, its log, and for a custom-resource event the reply that it uploaded."""

    result: bytes
    error: bool
    log: str
    replies: list[tuple[int, bytes]] = field(default_factory=list)


def upload(cloud: LocalCloud, zip_path: Path, key: str = "function.zip") -> tuple[str, str]:
    """Put a zip where templates can take it from; returns its bucket and key."""
    s3 = cloud.client("s3")
    if _BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=_BUCKET)
    s3.put_object(Bucket=_BUCKET, Key=key, Body=zip_path.read_bytes())
    return _BUCKET, key


def install(
    cloud: LocalCloud, zip_path: Path, template: Path | None, variables: dict[str, str], handler: str
) -> dict[str, str]:
    """The outputs of the stack made from `template`; without one, of a plain function that may do everything."""
    bucket, key = upload(cloud, zip_path)
    if template:
        result = cloud.stacks.create("provider", template, {"CodeS3Bucket": bucket, "CodeS3Key": key})
        if result.status != "CREATE_COMPLETE":
            raise RuntimeError(f"{template} gives {result.status}: {'; '.join(result.reasons())}")
        return result.outputs
    iam = cloud.client("iam")
    role = iam.create_role(RoleName=_FUNCTION, AssumeRolePolicyDocument=trust(services=["lambda.amazonaws.com"]))
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=_FUNCTION, PolicyName="everything", PolicyDocument=json.dumps(everything))
    made = cloud.client("lambda").create_function(
        FunctionName=_FUNCTION,
        Runtime="provided.al2023",
        Role=role["Role"]["Arn"],
        Handler=handler,
        Code={"S3Bucket": bucket, "S3Key": key},
        Timeout=60,
        MemorySize=512,
        Environment={"Variables": variables},
    )
    return {"ProviderArn": made["FunctionArn"]}


def completed(
    cloud: LocalCloud, payload: dict[str, Any], function_arn: str
) -> tuple[dict[str, Any], CustomResourceExchange]:
    """A custom-resource event with all the members that CloudFormation sends; those given stay, but for ResponseURL."""
    event = {
        "ServiceToken": function_arn,
        "StackId": f"arn:aws:cloudformation:{cloud.region}:{cloud.account}:stack/invoked/{uuid.uuid4()}",
        "RequestId": str(uuid.uuid4()),
        "LogicalResourceId": "Resource",
        "ResourceType": "Custom::Resource",
        "ResourceProperties": {"ServiceToken": function_arn},
        **payload,
    }
    if isinstance(event["ResourceProperties"], dict):
        event["ResourceProperties"] = {"ServiceToken": function_arn, **event["ResourceProperties"]}
    exchange = CustomResourceExchange(event)
    cloud.recorder.add(exchange)
    _, event["ResponseURL"] = cloud.response_server.open(exchange, cloud.functions.kill_handling, cloud.region)
    return event, exchange


def invoke(
    cloud: LocalCloud,
    zip_path: Path,
    payload: str,
    template: Path | None = None,
    variables: dict[str, str] | None = None,
    handler: str = "bootstrap",
) -> OneEvent:
    """`payload` is JSON; `${CertificateBucketName}` in it, for one, becomes that output of the provider's stack."""
    outputs = install(cloud, zip_path, template, variables or {}, handler)
    event = json.loads(string.Template(payload).safe_substitute(outputs))
    exchange = None
    if isinstance(event, dict) and "RequestType" in event:
        event, exchange = completed(cloud, event, outputs["ProviderArn"])
    function = cloud.functions.find(outputs["ProviderArn"], cloud.account, cloud.region)
    outcome = cloud.functions.invoke(function, json.dumps(event).encode())
    replies = [(status, body) for status, _, body in exchange.uploads] if exchange else []
    return OneEvent(outcome.result, outcome.error, outcome.log, replies)
