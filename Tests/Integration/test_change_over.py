"""Nothing dropped: real servers behind a checking client, while their certificate changes over."""

from __future__ import annotations

import pytest
from localcloud.elb import BackendChecker
from support import documents
from support.gates import counted
from support.renewal import Renewal, deployer
from support.server_role import ServerRole
from support.surroundings import surroundings
from support.traffic import Traffic, agrees

pytestmark = pytest.mark.alone

DOMAIN = "change-over.example.com"
STACK = "change-over"
# In each change-over. A stack's update takes some seconds here.
ENOUGH = 500


class Shop:
    """A stack of automated.yml that renewal may update."""

    def __init__(self, cloud, provider):
        self.cloud, self.renewal = cloud, Renewal(provider)
        parameters = {
            **surroundings(cloud, DOMAIN).parameters,
            "Domain": DOMAIN,
            "CertificateBucket": provider.bucket,
            "CreateElbBackendCertificatesArn": provider.arn,
        }
        template = documents.published("automated")
        self.result = cloud.stacks.create(STACK, template, parameters, RoleARN=deployer(cloud))
        assert self.result.status == "CREATE_COMPLETE", self.result.reasons()

    @property
    def guid(self) -> str:
        return self.result.id.rsplit("/", 1)[1]

    def outputs(self) -> dict[str, str]:
        return self.cloud.stacks.describe(STACK).outputs

    def traffic(self, **settings) -> Traffic:
        return Traffic(self.cloud, self.result.physical_id("LoadBalancer"), **settings)

    def renew(self) -> None:
        self.renewal.let_time_pass(self)
        self.renewal.make_due(self, "ElbBackendCertificate")
        assert self.renewal.run(self) == "Started", self.renewal.line

    def wait(self) -> str:
        return self.cloud.stacks.wait(STACK).status


@pytest.fixture(scope="module")
def shop(cloud, provider):
    made = Shop(cloud, provider)
    yield made
    made.renewal.forget(made)
    assert cloud.stacks.delete(STACK).status == "DELETE_COMPLETE"


def test_the_client_sees_the_policies_that_the_api_tells(cloud, shop):
    checker = BackendChecker(cloud.client("elb"), shop.result.physical_id("LoadBalancer"))
    assert agrees(shop.traffic(), checker)


def test_no_handshake_is_refused_during_a_renewal(shop, record_property):
    before = shop.outputs()
    with shop.traffic().flowing() as counts:
        shop.renew()
        assert shop.wait() == "UPDATE_COMPLETE"
    counted(f"renewal: {counts}")
    assert shop.renewal.run(shop) == "Renewed"
    assert counts.keys == {before["PublicKey"], shop.outputs()["PublicKey"]}
    assert counts.refused == 0
    assert counts.accepted >= ENOUGH


@pytest.mark.parametrize("rollback", ["update", "delete"])
def test_no_handshake_is_refused_when_a_renewal_is_rolled_back(cloud, shop, rollback):
    before, kind = shop.outputs(), cloud.environment.rollback
    cloud.environment.rollback = rollback
    role = ServerRole(cloud, before["ServerRoleArn"])
    try:
        with shop.traffic().flowing() as counts:
            # New servers cannot fetch their bundle.
            with role.powerless():
                shop.renew()
                cloud.stacks.wait_for(STACK, lambda: "ROLLBACK" in cloud.stacks.status(STACK))
            assert shop.wait() == "UPDATE_ROLLBACK_COMPLETE"
    finally:
        cloud.environment.rollback = kind
    counted(f"roll back ({rollback}): {counts}")
    assert shop.renewal.run(shop) == "RolledBack"
    assert "Servers" in shop.renewal.line
    assert shop.outputs()["PublicKey"] == before["PublicKey"]
    assert counts.refused == 0
    assert counts.accepted >= ENOUGH


def test_a_client_that_trusts_the_new_key_only_does_refuse(shop):
    """The control: what the tests above count would be seen."""
    with shop.traffic(narrowed=lambda keys: keys[:1]).flowing() as counts:
        shop.renew()
        assert shop.wait() == "UPDATE_COMPLETE"
    counted(f"trusting one key: {counts}")
    assert counts.refused > 0
    assert counts.accepted > 0
