"""The alarm on reads: which of CloudTrail's events the rule picks out, judged by EventBridge's rules of matching."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.event_patterns import matches
from support.provider import install


@pytest.fixture(scope="module")
def provider(cloud):
    topic = cloud.client("sns").create_topic(Name="reads")["TopicArn"]
    adopted = cloud.create_role("reads-adopted", {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})
    provider = install(
        cloud, "reads", ExportPrefix="Reads", AlarmTopicArn=topic, AlarmOnReads="true", AdoptedRoleArns=adopted
    )
    yield provider
    cloud.stacks.delete("reads")


def rule_of(cloud, stack: str) -> dict[str, Any]:
    found = cloud.client("cloudformation").describe_stack_resource(
        StackName=stack, LogicalResourceId="UnexpectedReadRule"
    )
    name = found["StackResourceDetail"]["PhysicalResourceId"].rsplit("/", 1)[-1]
    return cloud.client("events").describe_rule(Name=name)


@pytest.fixture(scope="module")
def rule(cloud, provider) -> dict[str, Any]:
    return rule_of(cloud, "reads")


@pytest.fixture(scope="module")
def pattern(rule) -> dict[str, Any]:
    return json.loads(rule["EventPattern"])


def role(arn: str) -> dict[str, Any]:
    account, name = arn.split(":")[4], arn.rsplit("/", 1)[1]
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/session",
        "accountId": account,
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": arn, "accountId": account, "userName": name}},
    }


def event(provider, who: dict[str, Any], name: str = "GetObject", bucket: str = "", **more: Any) -> dict[str, Any]:
    """As CloudTrail hands it to EventBridge."""
    detail = {
        "eventVersion": "1.11",
        "userIdentity": who,
        "eventTime": "2026-11-21T08:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "sourceIPAddress": "198.51.100.7",
        "requestParameters": {"bucketName": bucket or provider.bucket, "key": "backend-certificate/shop/x/y/z.json"},
        "readOnly": True,
        "managementEvent": False,
        "eventCategory": "Data",
    }
    return {"source": "aws.s3", "detail-type": "AWS API Call via CloudTrail", "detail": {**detail, **more}}


def of_account(provider, name: str, account: str = "") -> dict[str, Any]:
    return role(f"arn:aws:iam::{account or provider.cloud.account}:role/{name}")


ROOT = {"type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333"}
USER = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/eve", "accountId": "111122223333"}
# A user with a session of MFA has a session context, and no issuer.
USER_WITH_MFA = {**USER, "sessionContext": {"attributes": {"mfaAuthenticated": "true"}}}
SERVICE = {"type": "AWSService", "invokedBy": "replication.s3.amazonaws.com"}


def alarming(provider) -> dict[str, dict[str, Any]]:
    account, abroad = provider.cloud.account, "444455556666"
    return {
        "a role of this account": event(provider, of_account(provider, "Admin")),
        "a role whose name begins like the path": event(provider, of_account(provider, "stackcert-app-not")),
        "a role whose name begins like the other path": event(
            provider, of_account(provider, "stackcert-lets-encrypt-x")
        ),
        "a role below another path": event(provider, of_account(provider, "x/stackcert-app/web")),
        "another account's role of the same path": event(provider, of_account(provider, "stackcert-app/web", abroad)),
        "a role whose name begins like the function's": event(provider, role(provider.role_arn + "2")),
        "the renewal": event(provider, role(provider.renewal_role_arn)),
        "the break-glass role": event(provider, role(provider.break_glass_role)),
        "the root user": event(provider, ROOT),
        "a user": event(provider, USER),
        "a user with MFA": event(provider, USER_WITH_MFA),
        "a service": event(provider, SERVICE),
        "a try that was refused": event(provider, of_account(provider, "Admin"), errorCode="AccessDenied"),
        f"a console session in {account}": event(
            provider, of_account(provider, "aws-reserved/sso.amazonaws.com/AWSReservedSSO_x")
        ),
    }


def quiet(provider) -> dict[str, dict[str, Any]]:
    admin = of_account(provider, "Admin")
    other = event(provider, admin)
    foreign = copy.deepcopy(other)
    foreign["detail"]["eventSource"] = "s3express.amazonaws.com"
    return {
        "a server": event(provider, of_account(provider, "stackcert-app/web")),
        "a server's role below a longer path": event(provider, of_account(provider, "stackcert-app/team/web")),
        "the function": event(provider, role(provider.role_arn)),
        "the function for Let's Encrypt certificates": event(
            provider, of_account(provider, "stackcert-lets-encrypt/letsencrypt-LetsEncryptRole-X")
        ),
        "an adopted role": event(provider, of_account(provider, "reads-adopted")),
        "a look from outside": event(provider, admin, "HeadObject"),
        "a listing": event(provider, admin, "ListObjects"),
        "another bucket": event(provider, admin, bucket=provider.state_bucket),
        "another source": {**other, "source": "aws.s3express"},
        "another event source": foreign,
        "S3's own event": {**other, "detail-type": "Object Access Tier Changed"},
    }


def test_the_rule_tells_the_topic(cloud, provider, rule):
    [target] = cloud.client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["Arn"].endswith(":reads")
    assert rule["State"] == "ENABLED"
    paths = target["InputTransformer"]["InputPathsMap"]
    shown = target["InputTransformer"]["InputTemplate"]
    assert all(f"<{name}>" in shown for name in paths)
    assert json.loads(shown)  # one string: SNS is given a text, not an object


def test_every_read_that_is_not_expected_is_told(provider, pattern):
    missed = [name for name, one in alarming(provider).items() if not matches(pattern, one)]
    assert missed == []


def test_servers_and_the_function_raise_no_alarm(provider, pattern):
    told = [name for name, one in quiet(provider).items() if matches(pattern, one)]
    assert told == []


def variants(pattern: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The pattern without one of its parts, for each."""
    for key in ("source", "detail-type"):
        yield key, {name: value for name, value in pattern.items() if name != key}
    detail = pattern["detail"]
    for key in detail:
        yield key, {**pattern, "detail": {name: value for name, value in detail.items() if name != key}}
    for index in range(len(detail["$or"])):
        branches = [branch for number, branch in enumerate(detail["$or"]) if number != index]
        yield f"$or {index}", {**pattern, "detail": {**detail, "$or": branches}}
    words = detail["$or"][0]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"][0]["anything-but"]["wildcard"]
    for index, word in enumerate(words):
        changed = copy.deepcopy(pattern)
        issuer = changed["detail"]["$or"][0]["userIdentity"]["sessionContext"]["sessionIssuer"]
        del issuer["arn"][0]["anything-but"]["wildcard"][index]
        yield word, changed


def test_no_part_of_the_pattern_can_be_spared(provider, pattern):
    found = list(variants(pattern))
    assert len(found) == 2 + 4 + 2 + 4
    for part, changed in found:
        wrong = [name for name, one in alarming(provider).items() if not matches(changed, one)]
        wrong += [name for name, one in quiet(provider).items() if matches(changed, one)]
        assert wrong, f"{part} makes no difference"


@pytest.mark.parametrize(
    ("parameters", "has_rule"),
    [({}, False), ({"AlarmOnReads": "true", "AuditBundles": "false"}, False), ({"AlarmOnReads": "true"}, True)],
)
def test_the_rule_is_optional_and_needs_the_trail(cloud, name, parameters, has_rule):
    topic = cloud.client("sns").create_topic(Name=name)["TopicArn"]
    stack = f"reads-{len(parameters)}-{has_rule}".lower()
    install(cloud, stack, break_glass=False, ExportPrefix=stack, AlarmTopicArn=topic, **parameters)
    resources = cloud.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    assert ("UnexpectedReadRule" in {resource["LogicalResourceId"] for resource in resources}) is has_rule
    if has_rule:
        pattern = json.loads(rule_of(cloud, stack)["EventPattern"])
        [branch, _] = pattern["detail"]["$or"]
        words = branch["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"][0]["anything-but"]["wildcard"]
        # No empty word, which would be refused, when there are no adopted roles.
        assert len(words) == 3 and all(words)
    cloud.stacks.delete(stack)


# Of the User Guide's examples.
@pytest.mark.parametrize(
    ("pattern", "given", "expected"),
    [
        ({"a": ["x", "y"]}, {"a": "y"}, True),
        ({"a": ["x"]}, {"a": "y"}, False),
        ({"a": ["x"]}, {"a": ["y", "x"]}, True),
        ({"a": ["x"]}, {}, False),
        ({"a": {"b": ["x"]}}, {"a": {"b": "x", "c": 1}}, True),
        ({"a": {"b": ["x"]}}, {"a": "x"}, False),
        ({"a": [{"exists": True}]}, {"a": ""}, True),
        ({"a": [{"exists": False}]}, {}, True),
        ({"a": {"b": [{"exists": False}]}}, {}, True),
        ({"a": {"b": [{"exists": False}]}}, {"a": {"b": "x"}}, False),
        ({"a": [{"anything-but": ["x"]}]}, {"a": "y"}, True),
        ({"a": [{"anything-but": ["x"]}]}, {"a": "x"}, False),
        ({"a": [{"anything-but": ["x"]}]}, {}, False),
        ({"a": [{"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}]}, {"a": "/usr/bin/x"}, False),
        ({"a": [{"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}]}, {"a": "/usr/share/x"}, True),
        ({"a": [{"wildcard": "dir/*.png"}]}, {"a": "dir/one.png"}, True),
        ({"a": [{"wildcard": "dir/*.png"}]}, {"a": "dir/one.jpg"}, False),
        ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": "y"}, True),
        ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"a": "y"}, False),
    ],
)
def test_the_judge_matches_as_the_user_guide_says(pattern, given, expected):
    assert matches(pattern, given) is expected
