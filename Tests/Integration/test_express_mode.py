"""Deployments that wait for nobody, and resources that move to another stack: no key goes that servers may have."""

from __future__ import annotations

import pytest
from support import policies, sweep
from support.application import application, await_next_second, template
from support.policies import Part
from support.renewal import Renewal, eventually

EXPRESS = {"DeploymentConfig": {"Mode": "EXPRESS"}}
ASK = Part("FunctionPolicy", "AskHowStacksAreDeployed", "without", "cloudformation:DescribeStacks")


@pytest.fixture(scope="module")
def renewal(cloud):
    renewal = Renewal.with_topic(cloud, "express")
    yield renewal
    cloud.stacks.delete(renewal.provider.stack)


def deployed(stack, later: str | None = None, **changes: str):
    """An update in express mode, and its clean-up, which goes on when the update is complete."""
    await_next_second()
    wanted = {**stack.properties, **changes}
    stack.result = stack.cloud.stacks.update(stack.name, template(wanted, later), **EXPRESS)
    if stack.result.status == "UPDATE_COMPLETE":
        stack.properties = wanted
        eventually(lambda: stack.events()[-1][0] == "Delete" and stack.events()[-1][2])
    return stack.result


def left(stack) -> list[str]:
    return [key for key, _ in stack.provider.versions(f"backend-certificate/{stack.name}/")]


@pytest.fixture
def shop(renewal, name):
    stack = application(renewal.provider, name)
    stack.provider = renewal.provider
    stack.create()
    yield stack
    if stack.cloud.stacks.exists(name):
        assert stack.delete().status == "DELETE_COMPLETE"
    for key, version in stack.provider.versions(f"backend-certificate/{name}/"):
        sweep.remove_version(stack.provider, key, version)


@pytest.mark.contract(35)
def test_an_express_rotation_keeps_the_old_key_which_the_sweep_reports(shop, renewal):
    old = shop.attributes["CertificateS3Key"]
    assert deployed(shop, Rotation="2").status == "UPDATE_COMPLETE"
    assert shop.events()[-1][2] == "SUCCESS"
    assert sorted(left(shop)) == sorted([old, shop.attributes["CertificateS3Key"]])
    assert "private key kept" in shop.cloud.recorder.function_log()
    # A later update in standard mode removes what it replaces itself, and no more.
    second = shop.attributes["CertificateS3Key"]
    await_next_second()
    assert shop.update(Rotation="3").status == "UPDATE_COMPLETE"
    assert second not in left(shop) and old in left(shop)
    sweep.age(renewal.provider, days=8)
    assert renewal.sweep() == {"Sweep": "Complete", "Orphans": 1}
    [orphan] = sweep.latest(renewal.provider)["orphans"]
    assert orphan["key"] == old


@pytest.mark.contract(35)
def test_after_a_failed_express_update_the_former_key_is_deployed_again(shop, provider):
    before = dict(shop.attributes)
    assert deployed(shop, later="", Rotation="2").status == "UPDATE_FAILED"
    assert len(left(shop)) == 2
    assert deployed(shop, later="x").status == "UPDATE_COMPLETE"
    assert shop.attributes["PublicKey"] == before["PublicKey"]
    assert shop.attributes["CertificateS3Key"] == before["CertificateS3Key"]


@pytest.mark.contract(35)
def test_a_whole_stack_goes_in_express_mode_with_its_keys(shop):
    assert shop.delete(**EXPRESS).status == "DELETE_COMPLETE"
    assert left(shop) == []


@pytest.mark.contract(35)
def test_a_function_that_may_not_ask_keeps_what_was_replaced_and_fails_nothing(shop, renewal):
    old = shop.attributes["CertificateS3Key"]
    with policies.InForce(renewal.provider).changed(ASK):
        await_next_second()
        assert shop.update(Rotation="2").status == "UPDATE_COMPLETE"
        assert shop.events()[-1][:3:2] == ("Delete", "SUCCESS")
        assert old in left(shop)
        await_next_second()
        assert shop.delete().status == "DELETE_COMPLETE"
    assert left(shop) == [old]


@pytest.mark.contract(36)
def test_a_resource_that_moves_to_another_stack_keeps_its_key_there(shop, cloud, renewal, name):
    other = application(renewal.provider, f"{name}-other", AppName=f"{name}-other")
    other.create()
    registry = cloud.environment.registry
    here, there = (registry.find(cloud.account, cloud.region, each) for each in (name, other.name))
    # Past the API: how stack refactoring moves a custom resource, if it does, is not documented. No event is sent.
    own, moved = there.resources["Certificate"], here.resources["Certificate"]
    there.resources["Certificate"] = moved
    try:
        assert other.delete().status == "DELETE_FAILED"
        assert any("refactoring" in reason for reason in cloud.stacks.describe(other.name).reasons())
        assert left(shop) == [shop.attributes["CertificateS3Key"]]
    finally:
        there.resources["Certificate"] = own
    assert other.delete().status == "DELETE_COMPLETE"
