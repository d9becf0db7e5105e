"""AwsCertificateManagerDemo's four templates, in steps as its users take them: created, updated, rotated and deleted as
they are, with a function that does what its own does, and with ours in that function's place. Their servers boot."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from localcloud.elb import BackendChecker
from support import tls
from support.provider import install
from support.surroundings import self_signed
from support.system_a import SystemA

TEMPLATES = Path(__file__).parent / "system_a"
IN_FRONT = ("frontend-certificate", "hard-coded-certificate", "automated")
ANY_APP_ROLE = "arn:aws:iam::123456789012:role/*-AppRole-*"
"""What its template calls the servers' role, whatever the stack's name and CloudFormation's suffix."""


def body(step: str, **properties: str) -> str:
    """A template; `properties` are those that its user adds to the certificate."""
    text = (TEMPLATES / f"{step}.yml").read_text()
    last = "      AppS3Bucket: !Ref CertificateBucket\n"
    added = "".join(f"      {name}: '{value}'\n" for name, value in properties.items())
    assert not added or last in text
    return text.replace(last, last + added)


class App:
    """A stack of one of the templates, and its load balancer."""

    def __init__(self, cloud, name: str, step: str, domain: str, parameters: dict[str, str]):
        self.cloud, self.name, self.step, self.domain, self.parameters = cloud, name, step, domain, parameters
        self.checked("CREATE_COMPLETE", cloud.stacks.create(name, body(step), parameters))

    def checked(self, status: str, result):
        assert result.status == status, result.reasons()
        self.result = result
        return result

    def update(self, servers: int = 1, **properties: str):
        self.parameters = {**self.parameters, "Servers": str(servers)}
        result = self.cloud.stacks.update(self.name, body(self.step, **properties), self.parameters)
        return self.checked("UPDATE_COMPLETE", result)

    def delete(self) -> None:
        self.checked("DELETE_COMPLETE", self.cloud.stacks.delete(self.name))

    @property
    def balancer(self) -> BackendChecker:
        return BackendChecker(self.cloud.client("elb"), self.result.physical_id("ElasticLoadBalancer"))

    def ids(self) -> set[str]:
        group = self.result.physical_id("AppGroup")
        described = self.cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])
        return {instance["InstanceId"] for instance in described["AutoScalingGroups"][0]["Instances"]}

    def servers(self) -> list:
        """Its servers, the oldest first, when their boot scripts have ended well."""
        ids = self.ids()
        found = sorted((each for each in self.cloud.instances if each.id in ids), key=lambda each: each.launched_at)
        assert len(found) == len(ids)
        for server in found:
            assert server.wait_booted() == 0, server.console
        return found

    @property
    def physical_id(self) -> str:
        described = self.cloud.client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId="ElbBackendCertificate"
        )
        return described["StackResourceDetail"]["PhysicalResourceId"]


class Demo:
    """What its users have around their stacks: its function and bucket, a zone, an image."""

    def __init__(self, cloud, word: str):
        self.cloud, self.zone = cloud, f"{word}.test"
        self.a = SystemA.set_up(cloud, f"certificates-of-{word}", versioned=True)
        made = cloud.client("route53").create_hosted_zone(Name=self.zone, CallerReference=self.zone)
        self.zone_id = made["HostedZone"]["Id"].rsplit("/", 1)[1]
        self.image = cloud.client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]

    def app(self, name: str, step: str) -> App:
        domain, given = f"{name}.{self.zone}", {"ImageId": self.image}
        certificate, key = self_signed(domain)
        if step in IN_FRONT:
            imported = self.cloud.client("acm").import_certificate(Certificate=certificate, PrivateKey=key)
            given |= {"Domain": domain, "HostedZone": self.zone, "CertificateArn": imported["CertificateArn"]}
        if step == "hard-coded-certificate":
            secret = (key + certificate).decode()
            given |= {"PublicKey": tls.public_key_of(key.decode()), "Secret": secret.rstrip("\n")}
        if step == "automated":
            given |= {"CertificateBucket": self.a.bucket, "CreateElbBackendCertificatesArn": self.a.arn}
        return App(self.cloud, name, step, domain, given)

    def names(self) -> list[str]:
        """The domains that lead to a load balancer."""
        listed = self.cloud.client("route53").list_resource_record_sets(HostedZoneId=self.zone_id)
        return [each["Name"].rstrip(".") for each in listed["ResourceRecordSets"] if each["Type"] == "CNAME"]

    def objects(self) -> list[str]:
        listed = self.cloud.client("s3").list_objects_v2(Bucket=self.a.bucket)
        return [each["Key"] for each in listed.get("Contents", [])]


class Adopted(Demo):
    """A stack that its function made; then ours in that function's place, with all roles of its template adopted."""

    def __init__(self, cloud, word: str):
        super().__init__(cloud, word)
        self.first = self.app("adopted", "automated")
        self.provider = install(
            cloud,
            f"adopting-{word}",
            ExportPrefix=f"Adopting-{word}-",
            AuditBundles="false",
            CertificateBucketName=self.a.bucket,
            UseExistingBucket="true",
            StableS3KeyDefault="true",
            AdoptedRoleArns=ANY_APP_ROLE,
        )
        self.a.take_over(self.provider)


@pytest.fixture(scope="module")
def demo(cloud):
    return Demo(cloud, "demo")


@pytest.fixture(scope="module")
def adopted(cloud):
    return Adopted(cloud, "ours")


@pytest.mark.parametrize("step", ["plain", "frontend-certificate", "hard-coded-certificate"])
def test_the_steps_before_the_custom_resource(cloud, demo, step):
    app = demo.app(step.split("-")[0], step)
    [server] = app.servers()
    if step == "hard-coded-certificate":
        assert app.balancer.check(server.port(8443)).trusted
        assert app.balancer.get(server.port(8443)) == (200, "hello\n")
    else:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port(8080)}/") as answer:
            assert answer.read() == b"hello\n"
    assert (app.domain in demo.names()) == (step in IN_FRONT)
    app.update(servers=2)
    assert len(app.ids()) == 2
    app.delete()
    assert app.domain not in demo.names()


def test_the_custom_resource_with_its_own_function(demo):
    app = demo.app("automated-demo", "automated")
    [server] = app.servers()
    first, stable = app.result.outputs["PublicKey"], f"backend-certificate-{app.domain}.json"
    assert app.balancer.check(server.port(8443)).trusted
    assert app.physical_id.startswith("2020/01/01/[$LATEST]")
    # Create and Update are the same to it: while the object is there, its key stays.
    assert app.update(CacheBuster="1").outputs["PublicKey"] == first
    assert app.balancer.check(server.port(8443)).trusted
    # Its users rotate by removing the object. Running servers are refused from then on.
    demo.cloud.client("s3").delete_object(Bucket=demo.a.bucket, Key=stable)
    assert app.update(servers=2, CacheBuster="2").outputs["PublicKey"] != first
    old, new = app.servers()
    assert not app.balancer.check(old.port(8443)).trusted
    assert app.balancer.check(new.port(8443)).trusted
    app.delete()
    assert stable not in demo.objects()


@pytest.mark.contract(26)
def test_the_custom_resource_with_ours_in_its_functions_place(adopted):
    app = adopted.first
    [server] = app.servers()
    first, identifier = app.result.outputs["PublicKey"], app.physical_id
    assert app.update(CacheBuster="1").outputs["PublicKey"] == first
    assert app.physical_id == identifier
    assert app.balancer.check(server.port(8443)).trusted
    # The template trusts one key and replaces no server: those that run are refused until they are replaced.
    assert app.update(servers=2, CacheBuster="1", Rotation="2").outputs["PublicKey"] != first
    old, new = app.servers()
    assert not app.balancer.check(old.port(8443)).trusted
    assert app.balancer.check(new.port(8443)).trusted
    app.delete()
    assert adopted.provider.versions(f"backend-certificate-{app.domain}") == []
    assert adopted.provider.versions(f"backend-certificate/{app.domain}") == []


@pytest.mark.contract(26)
def test_a_new_stack_of_its_template_starts_servers(cloud, adopted):
    """Their role's name is made up by CloudFormation: a pattern among AdoptedRoleArns admits it from the start."""
    app = adopted.app("from-the-start", "automated")
    [server] = app.servers()
    assert app.balancer.check(server.port(8443)).trusted
    assert app.physical_id.startswith("stackcert:1:")
    # The pattern admits nobody else, whatever their own policies say.
    everything = {"Effect": "Allow", "Action": ["s3:Get*", "kms:Decrypt"], "Resource": "*"}
    stranger = cloud.client("s3", as_role=cloud.create_role("demo-stranger", everything))
    with pytest.raises(ClientError, match="AccessDenied"):
        stranger.get_object(Bucket=adopted.a.bucket, Key=f"backend-certificate-{app.domain}.json")
    app.delete()
    assert adopted.provider.versions(f"backend-certificate-{app.domain}") == []
