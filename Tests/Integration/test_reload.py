"""Servers that stay, and load another certificate in place (Rollout=reload)."""

from __future__ import annotations

import json

import pytest
from support import documents
from support.gates import counted
from support.renewal import Renewal, deployer, eventually
from support.server_role import ServerRole
from support.surroundings import surroundings
from support.traffic import Counts, Traffic

pytestmark = pytest.mark.alone

DOMAIN = "reload.example.com"
STACK = "reload"
# In each change-over.
ENOUGH = 500
# What a stack may have behind the servers' pointer: an update that fails there goes back when servers know the new key.
BEHIND_THE_POINTER = """
  Later:
    Type: AWS::SSM::Parameter
    DependsOn: CertificatePointer
    Properties:
      {Name: !Sub '/stackcert/${AWS::StackName}/later', Type: String, Value: !GetAtt ElbBackendCertificate.SerialNumber}
  Last:
    Type: AWS::SSM::Parameter
    DependsOn: Later
    Properties:
      {Name: !Sub '/stackcert/${AWS::StackName}/last', Type: String, Value: !GetAtt ElbBackendCertificate.SerialNumber}

Outputs:
"""


class Shop:
    """A stack of automated.yml whose server looks for another certificate every second."""

    def __init__(self, cloud, provider):
        self.cloud, self.provider, self.renewal = cloud, provider, Renewal(provider)
        parameters = {
            **surroundings(cloud, DOMAIN).parameters,
            "Domain": DOMAIN,
            "CertificateBucket": provider.bucket,
            "CreateElbBackendCertificatesArn": provider.arn,
            "Rollout": "reload",
            "CertificateInterval": "1s",
        }
        template = documents.path("automated").read_text().replace("\nOutputs:\n", BEHIND_THE_POINTER)
        self.result = cloud.stacks.create(STACK, template, parameters, RoleARN=deployer(cloud))
        assert self.result.status == "CREATE_COMPLETE", [i.console for i in cloud.instances.all]
        self.traffic = Traffic(cloud, self.result.physical_id("LoadBalancer"))

    @property
    def role(self) -> ServerRole:
        return ServerRole(self.cloud, self.result.outputs["ServerRoleArn"])

    @property
    def guid(self) -> str:
        return self.result.id.rsplit("/", 1)[1]

    @property
    def server(self):
        group = self.result.physical_id("Servers")
        found = self.cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])
        [instance] = found["AutoScalingGroups"][0]["Instances"]
        return self.cloud.instances[instance["InstanceId"]]

    def outputs(self) -> dict[str, str]:
        return self.cloud.stacks.describe(STACK).outputs

    def said(self) -> dict:
        """What the server says in the state bucket."""
        key = f"acknowledgements/{self.guid}/ElbBackendCertificate/{self.server.id}.json"
        answer = self.cloud.client("s3").get_object(Bucket=self.provider.state_bucket, Key=key)
        return json.loads(answer["Body"].read())

    def shown(self) -> str:
        """The public key that the server shows."""
        return self.traffic.shown_by(self.server.port(8443))

    def renew(self) -> str | None:
        self.renewal.let_time_pass(self)
        self.renewal.make_due(self, "ElbBackendCertificate")
        return self.renewal.run(self)

    def wait(self) -> str:
        return self.cloud.stacks.wait(STACK).status


@pytest.fixture(scope="module")
def shop(cloud, provider):
    made = Shop(cloud, provider)
    yield made
    made.renewal.forget(made)
    assert cloud.stacks.delete(STACK).status == "DELETE_COMPLETE"


def settled(shop: Shop, counts: Counts) -> None:
    """Until the server shows the current key, has said so, and handshakes have gone on for a while."""
    outputs = shop.outputs()
    eventually(lambda: shop.shown() == outputs["PublicKey"], 30)
    eventually(lambda: shop.said()["bundle"] == outputs["CertificateS3Key"], 30)
    eventually(lambda: counts.accepted >= ENOUGH, 60)


def test_no_handshake_is_refused_or_lost_while_a_server_loads_a_renewed_certificate(shop):
    before, server = shop.outputs(), shop.server
    with shop.traffic.flowing() as counts:
        assert shop.renew() == "Started", shop.renewal.line
        assert shop.wait() == "UPDATE_COMPLETE"
        settled(shop, counts)
    counted(f"reload: {counts}")
    assert shop.server.id == server.id
    assert counts.keys == {before["PublicKey"], shop.outputs()["PublicKey"]}
    assert (counts.refused, counts.unanswered) == (0, 0)
    assert shop.renewal.run(shop) == "Renewed"


@pytest.mark.parametrize("rollback", ["update", "delete"])
def test_no_server_takes_a_certificate_that_is_rolled_back(cloud, shop, rollback):
    """With one kind of rollback the load balancer distrusts the new key before the pointer goes back."""
    before, server, kind = shop.outputs(), shop.server, cloud.environment.rollback
    cloud.environment.rollback = rollback
    # The update fails some seconds after the pointer was set.
    cloud.faults.add("hang", "ssm:PutParameter", nth=2, seconds=5, principal="deployer")
    cloud.faults.add(
        "refuse", "ssm:PutParameter", nth=3, status=400, code="ParameterLimitExceeded", principal="deployer"
    )
    try:
        with shop.traffic.flowing() as counts:
            assert shop.renew() == "Started", shop.renewal.line
            assert shop.wait() == "UPDATE_ROLLBACK_COMPLETE"
            settled(shop, counts)
    finally:
        cloud.environment.rollback = kind
    counted(f"reload, rolled back ({rollback}): {counts}")
    assert shop.renewal.run(shop) == "RolledBack"
    assert shop.server.id == server.id
    assert shop.outputs()["PublicKey"] == before["PublicKey"]
    history = cloud.client("ssm").get_parameter_history(Name=f"/stackcert/{STACK}/certificate")["Parameters"]
    old, new, again = [version["Value"] for version in history][-3:]
    assert old == again == before["CertificateS3Key"] != new
    assert counts.keys == {before["PublicKey"]}
    assert (counts.refused, counts.unanswered) == (0, 0)


def test_a_second_rotation_waits_for_the_server_that_has_not_taken_the_first(cloud, shop):
    # The server cannot look any more.
    with shop.role.powerless(), shop.traffic.flowing() as counts:
        result = cloud.stacks.update(STACK, parameters={"CertificateRotation": "first"}, RoleARN=deployer(cloud))
        assert result.status == "UPDATE_COMPLETE", result.reasons()
        assert shop.renew() == "ServersBehind"
        assert shop.renewal.line.startswith(f"Server {shop.server.id} of stack {STACK} does not serve")
        assert counts.refused == 0
    eventually(lambda: shop.said()["bundle"] == shop.outputs()["CertificateS3Key"], 60)
    assert shop.renew() == "Started", shop.renewal.line
    assert shop.wait() == "UPDATE_COMPLETE"


def test_a_server_says_what_it_serves_of_its_own_stack_only(cloud, provider, shop):
    s3 = cloud.client("s3", as_role=shop.role.arn)
    own = {"Bucket": provider.state_bucket, "Key": f"acknowledgements/{shop.guid}/x.json", "Body": b"{}"}
    s3.put_object(**own)
    cloud.client("s3", as_role=provider.break_glass_role).delete_object(Bucket=own["Bucket"], Key=own["Key"])
    with shop.role.without("SayWhatIsServed"), pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.put_object(**own)
    others = own | {"Key": "acknowledgements/another-stack/x.json"}
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.put_object(**others)
    with shop.role.wider("SayWhatIsServed", "Resource"):
        s3.put_object(**others)
    cloud.client("s3", as_role=provider.break_glass_role).delete_object(Bucket=own["Bucket"], Key=others["Key"])


def test_a_server_looks_at_its_own_stack_only(cloud, provider, shop):
    cloudformation = cloud.client("cloudformation", as_role=shop.role.arn)
    cloudformation.describe_stacks(StackName=shop.result.id)
    sid = "SeeWhetherTheUpdateIsComplete"
    with shop.role.without(sid), pytest.raises(cloudformation.exceptions.ClientError, match="AccessDenied"):
        cloudformation.describe_stacks(StackName=shop.result.id)
    with pytest.raises(cloudformation.exceptions.ClientError, match="AccessDenied"):
        cloudformation.describe_stacks(StackName=provider.stack)
    with shop.role.wider(sid, "Resource"):
        cloudformation.describe_stacks(StackName=provider.stack)
