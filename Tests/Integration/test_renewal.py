"""Renewal: the scheduled function finds what is due and updates the stacks, and nothing else."""

from __future__ import annotations

import json
import shlex
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import tool
from support.renewal import Renewable, Renewal, deployer, eventually, renewable
from test_status import row, status


def test_the_schedule_wakes_the_function_every_hour(renewal, shop):
    rule = renewal.rule()
    assert rule["ScheduleExpression"] == "rate(1 hour)"
    assert rule["State"] == "ENABLED"
    renewal.make_due(shop)
    renewal.fire()
    assert renewal.outcomes(shop) == ["Started"]


def test_what_is_due_is_renewed_and_the_old_key_deleted(provider, renewal, shop):
    before = shop.attributes
    renewal.make_due(shop)
    assert renewal.run(shop) == "Started"
    assert shop.wait().status == "UPDATE_COMPLETE"
    after = shop.outputs()
    assert after["PublicKey"] != before["PublicKey"]
    assert after["PreviousPublicKey"] == before["PublicKey"]
    assert shop.rotation().startswith(before["NotAfter"][:10] + "-")
    assert provider.keys(f"backend-certificate/{shop.name}/") == [after["CertificateS3Key"]]
    assert renewal.run(shop) == "Renewed"
    assert renewal.run(shop) is None
    assert provider.state("renewals/") == []


def test_a_pipeline_that_sets_the_parameter_back_is_told(renewal, shop, provider):
    renewal.make_due(shop)
    assert renewal.run(shop) == "Started"
    shop.wait()
    assert renewal.run(shop) == "Renewed"
    renewed = shop.rotation()
    # A deployment that leaves the parameter alone is none of renewal's business.
    shop.publish_image("ami-2")
    assert shop.deploy().status == "UPDATE_COMPLETE"
    assert renewal.run(shop) is None
    assert shop.deploy(CertificateRotation="1").status == "UPDATE_COMPLETE"
    assert renewal.run(shop) == "Reverted"
    assert "must not name CertificateRotation at all" in renewal.line
    assert renewal.run(shop) is None
    assert row(status(provider.cloud), shop.name)[-1] == "REVERTED"
    assert shop.deploy(CertificateRotation=renewed).status == "UPDATE_COMPLETE"
    assert renewal.run(shop) is None
    assert row(status(provider.cloud), shop.name)[-1] == "ok"
    assert not [key for key in provider.state("reverted/") if shop.guid in key]


@pytest.fixture
def stored(provider, renewal, name) -> Iterator[Renewable]:
    """The same, with its rotation in Parameter Store."""
    stack = renewable(provider, name, stored=True)
    yield stack
    provider.cloud.faults.clear()
    stack.wait()
    stack.delete()
    renewal.forget(stack)


def test_a_rotation_in_parameter_store_is_changed_there(renewal, stored):
    before = stored.outputs()["PublicKey"]
    renewal.make_due(stored)
    assert renewal.run(stored) == "Started"
    assert stored.wait().status == "UPDATE_COMPLETE"
    assert renewal.run(stored) == "Renewed"
    assert stored.stored_rotation() == stored.rotation() != "1"
    renewed = stored.outputs()
    assert renewed["PreviousPublicKey"] == before
    # A pipeline names the same parameter at each deployment, and cannot take the renewal back.
    stored.publish_image("ami-2")
    assert stored.deploy(CertificateRotation=stored.rotation_parameter).status == "UPDATE_COMPLETE"
    assert stored.outputs() == renewed
    assert renewal.run(stored) is None


def test_a_rotation_in_parameter_store_is_taken_back_when_the_update_is_refused(renewal, stored):
    stored.publish_image("ami-2")
    renewal.make_due(stored)
    assert renewal.run(stored) == "ForeignChanges"
    assert stored.stored_rotation() == "1"
    # So that a deployment of the owners' does not rotate by surprise.
    assert stored.deploy().status == "UPDATE_COMPLETE"
    assert stored.outputs()["PublicKey"] == stored.attributes["PublicKey"]


def test_a_rotation_in_parameter_store_is_taken_back_when_the_update_is_rolled_back(renewal, stored):
    stored.cloud.faults.add("refuse", "ssm:PutParameter", principal="deployer")
    renewal.make_due(stored)
    assert renewal.run(stored) == "Started"
    assert stored.wait().status == "UPDATE_ROLLBACK_COMPLETE"
    stored.cloud.faults.clear()
    assert renewal.run(stored) == "RolledBack"
    assert stored.stored_rotation() == "1"


def test_what_is_not_due_is_left_alone(renewal, shop):
    assert renewal.run(shop) is None
    assert shop.outputs() == shop.attributes


def test_a_change_of_somebody_elses_is_not_deployed(renewal, shop):
    """The image is looked up anew in Parameter Store at each update, and there is a newer one."""
    shop.publish_image("ami-2")
    renewal.make_due(shop)
    assert renewal.run(shop) == "ForeignChanges"
    assert "Image (AWS::SSM::Parameter): Modify" in renewal.line
    assert "CertificateRotation=" in renewal.line
    assert shop.outputs() == shop.attributes
    assert renewal.change_sets(shop) == []


def test_an_update_that_is_rolled_back_is_told_with_its_cause(renewal, shop):
    shop.cloud.faults.add("refuse", "ssm:PutParameter", principal="deployer")
    renewal.make_due(shop)
    assert renewal.run(shop) == "Started"
    assert shop.wait().status == "UPDATE_ROLLBACK_COMPLETE"
    assert renewal.run(shop) == "RolledBack"
    assert "Pointer:" in renewal.line
    assert shop.outputs()["PublicKey"] == shop.attributes["PublicKey"]
    # Servers have been through it: not again today.
    assert renewal.run(shop) == "Waiting"
    renewal.let_time_pass(shop)
    assert renewal.run(shop) == "Started"
    assert shop.wait().status == "UPDATE_COMPLETE"


def test_a_stack_policy_is_never_overridden(renewal, shop):
    allow = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "LogicalResourceId/Certificate"}
    shop.cloud.client("cloudformation").set_stack_policy(
        StackName=shop.name, StackPolicyBody=json.dumps({"Statement": [allow, deny]})
    )
    renewal.make_due(shop)
    assert renewal.run(shop) == "Started"
    assert shop.wait().status == "UPDATE_ROLLBACK_COMPLETE"
    assert renewal.run(shop) == "StackPolicy"
    assert shop.outputs() == shop.attributes


@pytest.mark.parametrize("stored", [False, True])
def test_a_stack_without_a_service_role_is_told_how_to_get_one(provider, renewal, name, stored):
    stack = renewable(provider, name, with_role=False, stored=stored)
    renewal.make_due(stack)
    assert renewal.run(stack) == "NoRole"
    # What the message says to type, but for the role.
    command = renewal.line[renewal.line.index(": aws ") + 2 :].replace("ROLE_ARN", deployer(stack.cloud))
    done = subprocess.run(command, shell=True, env=tool.environment(stack.cloud), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert stack.wait().status == "UPDATE_COMPLETE"
    assert stack.outputs()["PreviousPublicKey"] == stack.attributes["PublicKey"]
    renewal.let_time_pass(stack)
    renewal.make_due(stack)
    assert renewal.run(stack) == "Started"
    stack.wait()
    stack.delete()
    renewal.forget(stack)


def test_a_change_set_that_waits_for_its_approval_is_not_deleted(renewal, shop):
    client = shop.cloud.client("cloudformation")
    client.create_change_set(
        StackName=shop.name,
        ChangeSetName="pipeline",
        UsePreviousTemplate=True,
        Parameters=[
            {"ParameterKey": "CertificateRotation", "ParameterValue": "of the pipeline"},
            {"ParameterKey": "ImageId", "UsePreviousValue": True},
        ],
    )
    client.get_waiter("change_set_create_complete").wait(StackName=shop.name, ChangeSetName="pipeline")
    renewal.make_due(shop)
    assert renewal.run(shop) == "StackBusy"
    assert renewal.change_sets(shop) == ["pipeline"]
    command = renewal.line[renewal.line.index("aws cloudformation delete-change-set") :].split(". ")[0]
    done = subprocess.run(shlex.split(command), env=tool.environment(shop.cloud), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    renewal.let_time_pass(shop)
    assert renewal.run(shop) == "Started"


def test_the_tag_switches_renewal_off(provider, renewal, name):
    stack = renewable(provider, name, Tags=[{"Key": "stackcert:renew", "Value": "off"}])
    renewal.make_due(stack)
    assert renewal.run(stack) == "SwitchedOff"
    stack.delete()
    renewal.forget(stack)


def test_a_deleted_stack_is_forgotten(provider, renewal, shop):
    marker = renewal.make_due(shop)
    assert shop.delete().status == "DELETE_COMPLETE"
    assert renewal.run(shop) is None
    assert marker not in provider.state("actions/")


@pytest.mark.parametrize("call", ["CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet"])
@pytest.mark.parametrize("effect", ["lose_answer", "kill_after"])
def test_a_run_that_ends_in_the_middle_rotates_once(provider, renewal, shop, call, effect):
    renewal.make_due(shop)
    provider.cloud.faults.add(effect, f"cloudformation:{call}")
    renewal.run(shop)
    provider.cloud.faults.clear()
    rotations = {shop.rotation()}
    for _ in range(3):
        shop.wait()
        renewal.let_time_pass(shop)
        renewal.run(shop)
        rotations.add(shop.rotation())
    assert len(rotations - {"1"}) == 1
    assert shop.requests().count("Update") == 1
    assert renewal.run(shop) is None
    assert provider.state("renewals/") == []


def test_runs_at_the_same_time_rotate_once(renewal, shop):
    renewal.make_due(shop)
    assert renewal.run_at_once(shop, 3).count("Started") == 1
    shop.wait()
    assert shop.requests().count("Update") == 1
    assert renewal.run(shop) == "Renewed"


@pytest.mark.contract(33)
def test_a_rotation_by_hand_that_ends_after_the_listing_is_kept(provider, renewal, shop):
    renewal.make_due(shop)
    deployed = threading.Event()
    listed = provider.cloud.faults.add("hang", "cloudformation:DescribeStacks", until=deployed)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(renewal.run, shop)
        try:
            eventually(lambda: listed.struck)
            assert shop.deploy(CertificateRotation="by-hand").status == "UPDATE_COMPLETE"
        finally:
            deployed.set()
        assert run.result(60) == "Renewed"
    assert shop.rotation() == "by-hand"
    assert shop.requests().count("Update") == 1
    assert renewal.run(shop) is None


def test_whoever_is_on_call_is_told_once_of_a_failure(cloud, name):
    renewal = Renewal.with_topic(cloud, name)
    stack = renewable(renewal.provider, f"{name}-app", with_role=False)
    renewal.make_due(stack)
    assert renewal.run(stack) == "NoRole"
    assert renewal.metrics()["RenewalsFailed"] == 1
    assert renewal.metrics()["CertificatesDue"] == 1
    assert 300 < renewal.metrics()["DaysToNearestExpiry"] <= 365
    (message,) = renewal.messages()
    assert stack.name in message["Subject"]
    assert "--role-arn" in message["Message"]
    assert renewal.run(stack) == "Waiting"
    assert renewal.messages() == []
    stack.delete()
    cloud.stacks.delete(renewal.provider.stack)
