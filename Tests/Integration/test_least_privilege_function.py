"""The function's role: without any one of its actions something that the function promises fails, through the real
function in the cloud; with all of them nothing is refused."""

from __future__ import annotations

import json
import time

import pytest
from support import policies
from support.application import application

# This provider's bucket is its own, and so has versions: deleting without one is for buckets that were there before.
ACTIONS = [
    part
    for part in policies.actions("FunctionPolicy", "Allow")
    if (part.sid, part.name) != ("KeepStableCopies", "s3:DeleteObject")
]


@pytest.fixture(scope="module")
def in_force(provider):
    return policies.InForce(provider)


def scenario(provider, name: str) -> str | None:
    """A stack's whole life, and an event that fails: what went wrong, or None."""
    cloud = provider.cloud
    cloud.recorder.clear()
    forget_logs(provider)
    stack = application(provider, name, StableS3Key="true")
    try:
        return (
            expect(stack.create(later="x"), "CREATE_COMPLETE", "create")
            or expect(stack.update(later=""), "UPDATE_ROLLBACK_COMPLETE", "roll back")
            or expect(stack.update(Rotation="2", later=""), "UPDATE_ROLLBACK_COMPLETE", "roll a rotation back")
            or expect(stack.update(Rotation="3", later="y"), "UPDATE_COMPLETE", "rotate")
            or expect(stack.delete(), "DELETE_COMPLETE", "delete")
            or left_behind(provider, name, stack.guid)
            or refused(provider)
            or logged(provider, stack.guid)
            or handed_over(provider)
        )
    finally:
        cloud.asynchronous.wait_idle()


def expect(result, status: str, what: str) -> str | None:
    return None if result.status == status else f"{what}: {result.status}: {result.reasons()[:1]}"


def refused(provider) -> str | None:
    denied = provider.cloud.recorder.denied("FunctionRole")
    return f"refused: {denied[0].action}" if denied else None


def left_behind(provider, name: str, guid: str) -> str | None:
    left = provider.versions(f"backend-certificate/{name}/") + provider.versions(f"backend-certificate-{name}.json")
    state = [key for key in provider.state() if guid in key and not key.startswith("tombstones/")]
    return f"left behind: {left} {state}" if left or state else None


def forget_logs(provider) -> None:
    client = provider.cloud.client("logs")
    for stream in client.describe_log_streams(logGroupName=provider.log_group)["logStreams"]:
        client.delete_log_stream(logGroupName=provider.log_group, logStreamName=stream["logStreamName"])


def logged(provider, guid: str) -> str | None:
    events = provider.cloud.client("logs").filter_log_events(logGroupName=provider.log_group)["events"]
    return None if any(guid in event["message"] for event in events) else "nothing of the stack is in the log"


def handed_over(provider) -> str | None:
    """An event that fails three times goes to the failure queue."""
    cloud = provider.cloud
    marker = f"failing-event-{time.monotonic_ns()}"
    cloud.client("lambda").invoke(
        FunctionName=provider.function_name, InvocationType="Event", Payload=json.dumps({"marker": marker}).encode()
    )
    cloud.asynchronous.wait_idle()
    queue = cloud.client("sqs", as_role=provider.break_glass_role)
    messages = queue.receive_message(QueueUrl=provider.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    found = any(marker in message["Body"] for message in messages.get("Messages", []))
    for message in messages.get("Messages", []):
        cloud.client("sqs").delete_message(QueueUrl=provider.queue_url, ReceiptHandle=message["ReceiptHandle"])
    return None if found else "the failed event is not in the failure queue"


@pytest.mark.contract(11)
def test_the_whole_policy_is_enough(provider, name):
    assert scenario(provider, name) is None


@pytest.mark.contract(11)
def test_it_is_enough_if_s3_knows_no_prefix_when_it_decides_between_absent_and_forbidden(provider, name):
    """AWS does not say which; with the other answer every first Create would fail."""
    provider.cloud.authorizer.implicit_list_prefix = False
    try:
        assert scenario(provider, name) is None
    finally:
        provider.cloud.authorizer.implicit_list_prefix = True


@pytest.mark.parametrize("part", ACTIONS, ids=str)
def test_no_action_can_be_spared(provider, in_force, name, part):
    stacks = provider.cloud.stacks
    with in_force.changed(part):
        wrong = scenario(provider, name)
    assert wrong is not None, f"{part} makes no difference"
    if stacks.exists(name):
        assert stacks.delete(name).status == "DELETE_COMPLETE"
    for key, version in provider.versions(f"backend-certificate-{name}.json"):
        provider.cloud.client("s3", as_role=provider.role_arn).delete_object(
            Bucket=provider.bucket, Key=key, VersionId=version
        )
