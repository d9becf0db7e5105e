"""Faults of everything around the function: it converges on one key, answers in time, and leaves nothing behind."""

from __future__ import annotations

import threading
import time

import pytest
from support import tls
from support.application import application, await_next_second, template


def one_bundle(provider, stack) -> str:
    """The key of the only version in the stack's part of the bucket."""
    [(key, _)] = provider.versions(f"backend-certificate/{stack.name}/")
    return key


def consistent(provider, stack) -> None:
    """What the stack shows belongs to the one bundle that is there."""
    key = one_bundle(provider, stack)
    assert key == stack.attributes["CertificateS3Key"]
    assert tls.public_key_of(provider.bundle(key)["private_key"]) == stack.attributes["PublicKey"]


def deliveries_of(cloud, stack, kind: str) -> list:
    """Every delivery of an event of this kind for the stack."""
    wanted = (f":stack/{stack.name}/".encode(), f'"RequestType": "{kind}"'.encode())
    return [i for i in list(cloud.recorder.invocations) if all(part in i.payload for part in wanted)]


def bundle_put(call) -> bool:
    return call.params.get("Key", "").startswith("backend-certificate/")


def record_put(call) -> bool:
    return call.params.get("Key", "").startswith("records/")


@pytest.mark.contract(4)
def test_an_event_that_is_delivered_twice(app, provider, cloud):
    cloud.faults.add("duplicate", "Create", kind="delivery")
    stack = app()
    assert stack.create().status == "CREATE_COMPLETE"
    cloud.asynchronous.wait_idle()
    consistent(provider, stack)
    [exchange] = cloud.recorder.exchanges
    first, second = (upload[2] for upload in exchange.uploads)
    assert first == second


@pytest.mark.contract(19)
@pytest.mark.parametrize(
    ("fault", "on", "settings"),
    [
        ("refuse", "s3:PutObject", {"status": 503, "code": "SlowDown", "count": 2}),
        ("refuse", "s3:PutObject", {"status": 409, "code": "ConditionalRequestConflict"}),
        ("refuse", "s3:PutObject", {"status": 500, "code": "InternalError"}),
        ("refuse", "s3:HeadObject", {"status": 503, "code": "SlowDown"}),
        ("reset", "s3:PutObject", {}),
        ("lose_answer", "s3:PutObject", {"where": bundle_put}),
        ("lose_answer", "s3:PutObject", {"where": record_put}),
        ("kill_after", "s3:PutObject", {"where": bundle_put}),
        ("kill_after", "s3:PutObject", {"where": record_put}),
        ("kill", "s3:PutObject", {"where": bundle_put}),
    ],
    ids=lambda value: (
        str(value) if isinstance(value, str) else "-".join(str(v) for v in value.values() if not callable(v))
    ),
)
def test_a_passing_fault_of_s3_is_not_noticed(app, provider, cloud, fault, on, settings):
    """Twice: of a creation, and of a rotation."""
    stack = app()
    first = cloud.faults.add(fault, on, **settings)
    assert stack.create().status == "CREATE_COMPLETE", stack.result.reasons()
    cloud.asynchronous.wait_idle()
    consistent(provider, stack)
    second = cloud.faults.add(fault, on, **settings)
    before = stack.attributes["PublicKey"]
    assert stack.update(Rotation="2").status == "UPDATE_COMPLETE", stack.result.reasons()
    cloud.asynchronous.wait_idle()
    consistent(provider, stack)
    assert stack.attributes["PreviousPublicKey"] == before
    assert first.struck and second.struck


@pytest.mark.contract(19)
@pytest.mark.parametrize(
    ("fault", "settings", "deliveries"),
    [
        ("refuse", {"status": 500, "count": 2}, 1),
        ("refuse", {"status": 429}, 1),
        # A success whose body tells of an error.
        ("refuse", {"status": 200, "count": 2}, 1),
        ("reset", {}, 1),
        ("lose_answer", {}, 1),
        # A refusal for good is not hammered: the invocation fails, and Lambda delivers the event again.
        ("refuse", {"status": 403}, 2),
        ("kill", {}, 2),
        ("kill_after", {}, 2),
    ],
    ids=lambda value: str(value) if not isinstance(value, dict) else "-".join(map(str, value.values())),
)
def test_an_answer_that_does_not_get_through_at_once(app, provider, cloud, fault, settings, deliveries):
    stack = app()
    cloud.faults.add(fault, kind="response-url", **settings)
    assert stack.create().status == "CREATE_COMPLETE", stack.result.reasons()
    cloud.asynchronous.wait_idle()
    consistent(provider, stack)
    assert len(deliveries_of(cloud, stack, "Create")) == deliveries
    [exchange] = cloud.recorder.exchanges
    for _, headers, body in exchange.uploads:
        sent = {name.lower(): value for name, value in headers.items()}
        assert sent["content-type"] == "" and int(sent["content-length"]) == len(body) <= 4096


def brown_out(seconds: float):
    """Matches every call from the first on, for some time."""
    ends: list[float] = []

    def during(_call) -> bool:
        ends[:] = ends or [time.monotonic() + seconds]
        return time.monotonic() < ends[0]

    return during


@pytest.mark.contract(32)
@pytest.mark.parametrize("fault", ["refuse", "reset"])
def test_a_brown_out_of_s3_that_ends_in_time_fails_no_stack(app, provider, cloud, fault):
    stack = app()
    outage = cloud.faults.add(
        fault, "s3:*", status=503, code="ServiceUnavailable", where=brown_out(4), count=1_000_000
    )
    assert stack.create().status == "CREATE_COMPLETE", stack.result.reasons()
    assert outage.struck > 4
    cloud.asynchronous.wait_idle()
    assert len(deliveries_of(cloud, stack, "Create")) == 1
    consistent(provider, stack)


@pytest.mark.contract(2)
def test_a_creation_that_fails_after_storing_is_cleaned_up(app, provider, cloud):
    """It answers with the real id, so that the rollback's Delete finds the bundle."""
    stack = app()
    cloud.faults.add("refuse", "s3:PutObject", status=403, code="AccessDenied", where=record_put)
    assert stack.create().status == "ROLLBACK_COMPLETE"
    create, delete = stack.events()
    assert create[2] == "FAILED" and create[3].startswith("stackcert:1:")
    assert delete[:3] == ("Delete", create[3], "SUCCESS")
    assert provider.versions(f"backend-certificate/{stack.name}/") == []


@pytest.mark.contract(10)
def test_a_delete_that_may_not_look_fails_and_can_be_repeated(app, provider, cloud):
    """AccessDenied is never taken for absence."""
    stack = app()
    stack.create()
    cloud.faults.add("refuse", "s3:DeleteObject", status=403, code="AccessDenied", count=2)
    assert stack.delete().status == "DELETE_FAILED"
    cloud.faults.clear()
    assert one_bundle(provider, stack) == stack.attributes["CertificateS3Key"]
    assert stack.delete().status == "DELETE_COMPLETE"
    assert provider.versions(f"backend-certificate/{stack.name}/") == []


@pytest.mark.contract(10)
def test_a_bundle_that_is_gone_already_is_no_obstacle(app, provider, cloud):
    stack = app()
    stack.create()
    key = one_bundle(provider, stack)
    for _, version in provider.versions(key):
        cloud.client("s3", as_role=provider.role_arn).delete_object(Bucket=provider.bucket, Key=key, VersionId=version)
    assert stack.delete().status == "DELETE_COMPLETE"


@pytest.mark.contract(3)
def test_a_creation_that_is_cancelled_leaves_nothing_and_can_be_repeated(provider, name, cloud):
    """The Delete comes with an id that CloudFormation invented, and overtakes the Create."""
    stack = application(provider, name)
    cloud.stacks.create(name, without_certificate())
    cloud.faults.add("late", "Create", kind="delivery", seconds=3)
    with_it = template(stack.properties)
    cloud.stacks.start_update(name, with_it)
    cloud.stacks.wait_for(name, lambda: bool(cloud.recorder.exchanges))
    cloud.client("cloudformation").cancel_update_stack(StackName=name)
    assert cloud.stacks.wait(name).status == "UPDATE_ROLLBACK_COMPLETE"
    create, delete = cloud.recorder.exchanges
    assert delete.request["PhysicalResourceId"].startswith(f"{name}-Certificate-")
    assert delete.response["Status"] == "SUCCESS"
    await_late_delivery(cloud, stack)
    assert provider.versions(f"backend-certificate/{name}/") == []

    cloud.faults.clear()
    await_next_second()
    stack.result = cloud.stacks.update(name, with_it)
    assert stack.result.status == "UPDATE_COMPLETE", stack.result.reasons()
    consistent(provider, stack)
    cloud.stacks.delete(name)
    assert provider.versions(f"backend-certificate/{name}/") == []


def without_certificate() -> str:
    return '{"Resources": {"Other": {"Type": "AWS::SSM::Parameter",\n "Properties": {"Type": "String", "Value": "x"}}}}'


def await_late_delivery(cloud, stack, seconds: float = 15) -> None:
    limit = time.monotonic() + seconds
    while not deliveries_of(cloud, stack, "Create"):
        assert time.monotonic() < limit, "the late Create never came"
        time.sleep(0.05)
    cloud.asynchronous.wait_idle()


@pytest.mark.contract(8)
@pytest.mark.parametrize("rollback", ["update", "delete"])
def test_an_update_that_died_is_cleaned_up_by_the_next(provider, app, cloud, rollback):
    """Killed after its PUT in every delivery, it leaves a bundle that no Delete will ever name."""
    before, cloud.environment.rollback = cloud.environment.rollback, rollback
    try:
        stack = app(ServiceTimeout="4")
        stack.create()
        first = dict(stack.attributes)
        cloud.faults.add("kill_after", "s3:PutObject", count=20)
        cloud.stacks.start_update(stack.name, template({**stack.properties, "Rotation": "2"}))
        cloud.stacks.wait_for(stack.name, lambda: len(deliveries_of(cloud, stack, "Update")) >= 3, 20)
        cloud.faults.clear()
        stack.result = cloud.stacks.wait(stack.name)
        assert stack.result.status == "UPDATE_ROLLBACK_COMPLETE"
        assert stack.attributes["PublicKey"] == first["PublicKey"]
        await_next_second()
        assert stack.update(Rotation="3").status == "UPDATE_COMPLETE"
        cloud.asynchronous.wait_idle()
        consistent(provider, stack)
    finally:
        cloud.environment.rollback = before


@pytest.mark.alone
@pytest.mark.contract(18)
def test_a_stack_hears_of_it_before_the_functions_time_is_over(app, cloud):
    """S3 does not answer; the function has twelve seconds and keeps half of them for its reply."""
    stack = app()
    cloud.faults.add("deadline", kind="invocation", seconds=12)
    cloud.faults.add("hang", "s3:HeadObject", seconds=20)
    began = time.monotonic()
    assert stack.create().status == "ROLLBACK_COMPLETE"
    assert time.monotonic() - began < 12
    reason = cloud.recorder.exchanges[0].response["Reason"]
    assert "S3 HeadObject" in reason and "raise the function's timeout" in reason


@pytest.mark.contract(4)
def test_many_stacks_at_once(app, provider):
    """A function's processes share nothing."""
    stacks = [app(str(number)) for number in range(6)]
    threads = [threading.Thread(target=stack.create) for stack in stacks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    for stack in stacks:
        assert stack.result.status == "CREATE_COMPLETE"
        consistent(provider, stack)
