"""The renewal's role: without any one of its actions a renewal fails, through the real function in the cloud; with all
of them nothing is refused."""

from __future__ import annotations

import pytest
from support import policies, sweep
from support.renewal import Renewable, Renewal, renewable

# What is needed for other accounts is held in test_least_privilege_reach.py: all stacks here are in one. What is needed
# for authorities is held in test_least_privilege_lets_encrypt.py: nobody asks one here.
ELSEWHERE = ("ActInOtherAccounts", "RememberWhatAuthoritiesSay")
ACTIONS = [part for part in policies.actions("RenewalPolicy", "Allow") if part.sid not in ELSEWHERE]


@pytest.fixture(scope="module")
def renewal(cloud):
    """A provider with a topic, so that every statement is in force."""
    renewal = Renewal.with_topic(cloud, "told")
    yield renewal
    cloud.stacks.delete(renewal.provider.stack)


@pytest.fixture(scope="module")
def in_force(renewal):
    return policies.InForce(renewal.provider)


def scenario(renewal: Renewal, stack: Renewable) -> str | None:
    """A renewal that is told not to deploy a change, one that is rolled back, one that goes well, and a sweep: what
    went wrong, or None."""
    cloud = renewal.cloud
    cloud.recorder.clear()
    renewal.messages()
    renewal.make_due(stack)
    renewal.acknowledge(stack, stack.outputs()["CertificateS3Key"])
    stack.publish_image("ami-2")
    if renewal.run(stack) != "ForeignChanges" or renewal.change_sets(stack):
        return f"the change set was not judged: {renewal.line}"
    if not renewal.messages():
        return "nobody was told"
    if stack.stored_rotation() != "1":
        return "the rotation was not taken back"
    stack.publish_image("ami-1")
    renewal.let_time_pass(stack)
    cloud.faults.add("refuse", "ssm:PutParameter", principal="deployer")
    if renewal.run(stack) != "Started":
        return f"not started: {renewal.line}"
    stack.wait()
    if renewal.run(stack) != "RolledBack":
        return f"not seen to be rolled back: {renewal.line}"
    renewal.let_time_pass(stack)
    if renewal.run(stack) != "Started":
        return f"not started again: {renewal.line}"
    stack.wait()
    if renewal.run(stack) != "Renewed" or renewal.run(stack) is not None:
        return f"not seen to be renewed: {renewal.line}"
    if [key for key in renewal.provider.state("renewals/") if stack.guid in key]:
        return "its memory was left behind"
    if wrong := swept(renewal, stack) or taken_back(renewal, stack):
        return wrong
    denied = cloud.recorder.denied("RenewalRole")
    return f"refused: {denied[0].action}" if denied else None


def swept(renewal: Renewal, stack: Renewable) -> str | None:
    """A sweep that mends, clears away and reports: what went wrong, or None."""
    provider = renewal.provider
    [record] = provider.state(f"records/{stack.guid}/")
    [marker] = [key for key in provider.state("actions/") if stack.guid in key]
    of_nothing = sweep.leave_a_record_of_nothing(provider, record, stack.guid)
    sweep.age(provider, days=2)
    for key in (record, marker):
        sweep.lose(provider, key)
    if renewal.sweep().get("Sweep") != "Complete" or "Orphans" not in renewal.metrics():
        return "the sweep did not come to its end"
    found = provider.state()
    if record not in found or marker not in found:
        return "what was lost did not come back"
    if of_nothing in found:
        return "a record of nothing was left behind"
    return "the sweep's progress was left behind" if "sweep/progress.json" in found else None


def taken_back(renewal: Renewal, stack: Renewable) -> str | None:
    """A pipeline sets the parameter back, and then somewhere else: what went wrong, or None."""
    stack.store_rotation("1")
    stack.deploy()
    if renewal.run(stack) != "Reverted":
        return "nobody was told of a reversion"
    stack.store_rotation("2")
    stack.deploy()
    if renewal.run(stack) is not None or [key for key in renewal.provider.state("reverted/") if stack.guid in key]:
        return "a reversion was not forgotten"
    return None


def played(renewal: Renewal, name: str) -> str | None:
    stack = renewable(renewal.provider, name, stored=True)
    try:
        return scenario(renewal, stack)
    finally:
        renewal.cloud.faults.clear()
        stack.wait()


def cleaned(renewal: Renewal, name: str) -> None:
    """With all of the policy in force again."""
    stack = Renewable(renewal.cloud, name, renewal.cloud.stacks.wait(name))
    stack.delete()
    renewal.forget(stack)
    sweep.forget(renewal.provider)


def test_the_whole_policy_is_enough(renewal, name):
    assert played(renewal, name) is None
    cleaned(renewal, name)


@pytest.mark.contract(11)
def test_it_is_enough_if_s3_knows_no_prefix_when_it_decides_between_absent_and_forbidden(renewal, name):
    renewal.cloud.authorizer.implicit_list_prefix = False
    try:
        assert played(renewal, name) is None
    finally:
        renewal.cloud.authorizer.implicit_list_prefix = True
    cleaned(renewal, name)


@pytest.mark.parametrize("part", ACTIONS, ids=str)
def test_no_action_can_be_spared(renewal, in_force, name, part):
    with in_force.changed(part):
        wrong = played(renewal, name)
    assert wrong is not None, f"{part} makes no difference"
    cleaned(renewal, name)
