"""Auto scaling groups whose servers really boot, in namespaces of their own."""

import pytest

from localcloud.elb import BackendChecker

from .support import HERE

TEMPLATE = (HERE / "servers.yml").read_text()


@pytest.fixture(scope="module")
def servers(shared):
    # A template's minute, here twenty seconds: boot scripts are not faster on a busy machine.
    shared.environment.types["AWS::AutoScaling::AutoScalingGroup"].minute = shared.environment.minute = 20
    result = shared.stacks.create("servers", TEMPLATE, {"TrustedKey": "none"})
    console = "".join(instance.console for instance in shared.instances.all)
    assert result.status == "CREATE_COMPLETE", (result.reasons(), console)
    return result


@pytest.fixture
def checker(cloud, servers):
    return BackendChecker(cloud.client("elb"), servers.outputs["LoadBalancer"])


def test_a_server_serves_and_reads_with_its_own_role(cloud, servers, checker):
    (instance,) = cloud.instances
    assert instance.wait_booted() == 0
    verdict = checker.check(instance.port())
    assert not verdict.trusted and "no PublicKey policy" in verdict.reason
    assert [i["InstanceId"] for i in registered(cloud, servers)] == [instance.id]
    assert b"BEGIN CERTIFICATE" in instance.path("/etc/stunnel/cert.pem").read_bytes()


def registered(cloud, servers):
    balancers = cloud.client("elb").describe_load_balancers(LoadBalancerNames=[servers.outputs["LoadBalancer"]])
    return balancers["LoadBalancerDescriptions"][0]["Instances"]


def test_a_trusted_key_is_accepted_and_another_port_has_no_policy(cloud, servers, checker):
    (instance,) = cloud.instances
    key = checker.check(instance.port()).public_key
    cloud.stacks.update("servers", parameters={"TrustedKey": key})
    assert [i.id for i in cloud.instances] == [instance.id]
    assert checker.check(instance.port()).trusted
    assert checker.get(instance.port())[1].startswith("hello one")
    assert checker.trusted_keys(80) is None


def test_a_failing_boot_rolls_back_to_a_server_of_the_old_version(cloud, servers, checker):
    result = cloud.stacks.update("servers", parameters={"Broken": "1"})
    assert result.status == "UPDATE_ROLLBACK_COMPLETE", result.reasons()
    assert any("Received FAILURE signal" in reason for reason in result.reasons())
    # Going back makes one more version of the launch template, with the old contents, and so one more server.
    (instance,) = cloud.instances
    assert checker.check(instance.port()).reason and "hello one" in instance.console


def test_a_new_version_rolls_over_before_the_stack_moves_on(cloud, servers, checker):
    (old,) = cloud.instances
    result = cloud.stacks.update("servers", parameters={"Version": "two", "Broken": "0", "TrustedKey": "none"})
    assert result.status == "UPDATE_COMPLETE", result.reasons()
    (new,) = cloud.instances
    assert new.id != old.id and not old.alive
    assert "hello two" in new.console
    statuses = [e["ResourceStatus"] for e in result.events if e["LogicalResourceId"] in ("Servers", "servers")]
    assert statuses[-3:] == ["UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]


def test_deleting_the_stack_ends_its_servers(cloud, servers):
    (instance,) = cloud.instances
    assert cloud.stacks.delete("servers").status == "DELETE_COMPLETE"
    assert list(cloud.instances) == [] and not instance.alive
