"""What a company's rules ask of an installation: boundaries and paths of roles, keys of logs, trails, and who is told
when somebody touches the key."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import documents
from support.application import application
from support.event_patterns import matches
from support.lets_encrypt import install as install_lets_encrypt
from support.provider import Provider, install

STACK = "bounded"


@pytest.fixture(scope="module")
def boundary(cloud) -> str:
    """Everything, but for changes of ACM: that is noticed."""
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "acm:*", "Resource": "*"},
        ],
    }
    made = cloud.client("iam").create_policy(PolicyName="boundary", PolicyDocument=json.dumps(document))
    return made["Policy"]["Arn"]


@pytest.fixture(scope="module")
def log_key(cloud) -> str:
    return cloud.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture(scope="module")
def bounded(cloud, boundary, log_key):
    topic = cloud.client("sns").create_topic(Name=STACK)["TopicArn"]
    provider = install(
        cloud,
        STACK,
        ExportPrefix="Bounded",
        PermissionsBoundaryArn=boundary,
        RolePath="/security/stackcert/",
        LogKeyArn=log_key,
        AlarmTopicArn=topic,
        AlarmOnReads="true",
        ExistingTrailName="organization",
    )
    yield provider
    assert cloud.stacks.delete(STACK).status == "DELETE_COMPLETE"


def resource(provider: Provider, logical_id: str, stack: str = "") -> str:
    found = provider.cloud.client("cloudformation").describe_stack_resource(
        StackName=stack or provider.stack, LogicalResourceId=logical_id
    )
    return found["StackResourceDetail"]["PhysicalResourceId"]


def resources(provider: Provider) -> set[str]:
    found = provider.cloud.client("cloudformation").describe_stack_resources(StackName=provider.stack)
    return {each["LogicalResourceId"] for each in found["StackResources"]}


def test_every_role_has_the_boundary_and_the_path(cloud, bounded, boundary):
    declared = documents.read("provider")["Resources"]
    roles = [name for name, each in declared.items() if each["Type"] == "AWS::IAM::Role"]
    assert len(roles) == 2
    for role in roles:
        found = cloud.client("iam").get_role(RoleName=resource(bounded, role))["Role"]
        assert found["Path"] == "/security/stackcert/"
        assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary


def test_a_bounded_provider_on_another_path_does_its_work(bounded, name):
    stack = application(bounded, name)
    assert stack.create().status == "CREATE_COMPLETE", stack.result.reasons()
    assert "private_key" in bounded.bundle(stack.attributes["CertificateS3Key"])
    assert stack.delete().status == "DELETE_COMPLETE"


def test_every_log_is_encrypted_with_the_key(cloud, bounded, log_key):
    groups = cloud.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{STACK}-")["logGroups"]
    assert len(groups) == 2
    assert {group["kmsKeyId"] for group in groups} == {log_key}
    assert {group["retentionInDays"] for group in groups} == {365}


def test_the_role_for_lets_encrypt_stays_below_the_path_that_the_bucket_knows(cloud, bounded, boundary, log_key):
    second = install_lets_encrypt(
        bounded,
        stack="bounded-le",
        ExportPrefix="Bounded",
        PermissionsBoundaryArn=boundary,
        RolePath="/stackcert-lets-encrypt/security/",
        LogKeyArn=log_key,
    )
    try:
        found = cloud.client("iam").get_role(RoleName=resource(bounded, "LetsEncryptRole", second.stack))["Role"]
        assert found["Path"] == "/stackcert-lets-encrypt/security/"
        assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    finally:
        assert cloud.stacks.delete(second.stack).status == "DELETE_COMPLETE"


def test_with_a_trail_of_yours_none_is_made_and_the_alarm_works(bounded):
    found = resources(bounded)
    assert not found & {"Trail", "AuditBucket", "AuditBucketPolicy"}
    assert "UnexpectedReadRule" in found


def test_the_key_has_an_alias(cloud, bounded):
    aliases = cloud.client("kms").list_aliases()["Aliases"]
    targets = {alias["AliasName"]: alias.get("TargetKeyId") for alias in aliases}
    assert targets[f"alias/{STACK}-bundles"] == bounded.key_arn.rsplit("/", 1)[1]


def key_event(provider: Provider, name: str, key: str = "", source: str = "aws.kms") -> dict[str, Any]:
    """As CloudTrail hands it to EventBridge."""
    return {
        "source": source,
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {
            "eventSource": "kms.amazonaws.com",
            "eventName": name,
            "requestParameters": {"keyId": key or provider.key_arn},
        },
    }


def test_the_topic_is_told_when_somebody_disables_or_deletes_the_key(cloud, bounded):
    name = resource(bounded, "KeyAlarmRule").rsplit("/", 1)[-1]
    pattern = json.loads(cloud.client("events").describe_rule(Name=name)["EventPattern"])
    [target] = cloud.client("events").list_targets_by_rule(Rule=name)["Targets"]
    assert target["Arn"].endswith(f":{STACK}")
    identifier = bounded.key_arn.rsplit("/", 1)[1]
    for told in ("DisableKey", "ScheduleKeyDeletion"):
        assert matches(pattern, key_event(bounded, told))
        assert matches(pattern, key_event(bounded, told, identifier))
    assert not matches(pattern, key_event(bounded, "EnableKey"))
    assert not matches(pattern, key_event(bounded, "DisableKey", "arn:aws:kms:us-east-1:123456789012:key/another"))
    assert not matches(pattern, key_event(bounded, "DisableKey", source="aws.s3"))
