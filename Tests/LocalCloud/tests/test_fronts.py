"""Load balancers and distributions of a template, met from outside: the certificate that a handshake shows."""

from __future__ import annotations

import http.client
import socket
import ssl
from pathlib import Path

import pytest

from localcloud import LocalCloud
from localcloud.dns.zones import Zones
from localcloud.fronts import ClassicFront, DistributionFront, ListenerFront

from .certificates import Authority, pem
from .support import HERE


@pytest.fixture(scope="module")
def ca() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def trust(ca, tmp_path_factory) -> ssl.SSLContext:
    path: Path = tmp_path_factory.mktemp("trust") / "root.pem"
    path.write_bytes(pem(ca.root))
    return ssl.create_default_context(cafile=str(path))


@pytest.fixture(scope="module")
def front_zone(shared) -> str:
    made = shared.client("route53").create_hosted_zone(Name="front.test", CallerReference="front")
    return made["HostedZone"]["Id"].split("/")[-1]


def imported(cloud: LocalCloud, ca: Authority, name: str) -> str:
    issued = ca.issue(name)
    return cloud.client("acm").import_certificate(
        Certificate=issued.certificate, PrivateKey=issued.key, CertificateChain=issued.chain
    )["CertificateArn"]


def get(port: int, name: str, trust: ssl.SSLContext, path: str = "/") -> tuple[int, str]:
    """A request whose handshake is verified for the name."""
    connection = http.client.HTTPSConnection(name, 443, context=trust, timeout=10)
    connection.sock = trust.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname=name)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def balancer_parameters(cloud: LocalCloud, zone: str, **more: str) -> dict[str, str]:
    subnets = cloud.client("ec2").describe_subnets()["Subnets"]
    chosen = ",".join(each["SubnetId"] for each in subnets[:2])
    return {"ZoneId": zone, "VpcId": subnets[0]["VpcId"], "Subnets": chosen, **more}


def test_a_listener_shows_the_certificate_that_it_names_and_follows_changes(cloud, ca, trust, front_zone):
    template = (HERE / "balancer.yml").read_text()
    app, other, further = (imported(cloud, ca, name) for name in ("app.front.test", "app.front.test", "b.front.test"))
    parameters = balancer_parameters(cloud, front_zone, Certificate=app)
    made = cloud.stacks.create("balancer", template, parameters)
    assert made.status == "CREATE_COMPLETE", made.reasons()
    assert Zones(cloud.route53.visible).resolve("app.front.test", "A").records[0].values == ("127.0.0.1",)
    with ListenerFront(cloud, made.outputs["Listener"]) as front:
        assert get(front.port, "app.front.test", trust) == (200, "hello")
        with pytest.raises(ssl.SSLCertVerificationError):
            get(front.port, "b.front.test", trust)
        changed = cloud.stacks.update(
            "balancer", template, {**parameters, "Certificate": other, "FurtherCertificate": further, "Text": "bye"}
        )
        assert changed.status == "UPDATE_COMPLETE", changed.reasons()
        assert changed.outputs["Listener"] == made.outputs["Listener"]
        assert get(front.port, "app.front.test", trust) == get(front.port, "b.front.test", trust) == (200, "bye")
        cloud.client("acm").delete_certificate(CertificateArn=app)
        assert cloud.stacks.delete("balancer").status == "DELETE_COMPLETE"
        with pytest.raises(OSError):
            get(front.port, "app.front.test", trust)
    for arn in (other, further):
        cloud.client("acm").delete_certificate(CertificateArn=arn)


def test_a_distribution_shows_its_certificate_and_reads_its_bucket_by_itself(cloud, ca, trust, front_zone):
    template = (HERE / "website.yml").read_text()
    first, second = imported(cloud, ca, "site.front.test"), imported(cloud, ca, "site.front.test")
    parameters = {"ZoneId": front_zone, "Certificate": first}
    made = cloud.stacks.create("website", template, parameters)
    assert made.status == "CREATE_COMPLETE", made.reasons()
    cloud.client("s3").put_object(Bucket="site.front.test", Key="index.html", Body=b"site", ContentType="text/html")
    with DistributionFront(cloud, made.outputs["Distribution"]) as front:
        assert get(front.port, "site.front.test", trust) == (200, "site")
        assert get(front.port, "site.front.test", trust, "/missing")[0] == 404
        changed = cloud.stacks.update("website", template, {**parameters, "Certificate": second, "Root": "other"})
        assert changed.status == "UPDATE_COMPLETE", changed.reasons()
        assert get(front.port, "site.front.test", trust)[0] == 404
        cloud.client("acm").delete_certificate(CertificateArn=first)
        cloud.client("s3").delete_bucket_policy(Bucket="site.front.test")
        assert get(front.port, "site.front.test", trust)[0] == 403
    cloud.client("s3").delete_object(Bucket="site.front.test", Key="index.html")
    assert cloud.stacks.delete("website").status == "DELETE_COMPLETE"
    cloud.client("acm").delete_certificate(CertificateArn=second)


def test_a_classic_load_balancer_shows_a_server_certificate(cloud, ca, trust):
    issued, classic = ca.issue("classic.test"), cloud.client("elb")
    arn = cloud.client("iam").upload_server_certificate(
        ServerCertificateName="classic",
        CertificateBody=issued.certificate.decode(),
        PrivateKey=issued.key.decode(),
        CertificateChain=issued.chain.decode(),
    )["ServerCertificateMetadata"]["Arn"]
    entry = {"Protocol": "HTTPS", "LoadBalancerPort": 443, "InstancePort": 80, "SSLCertificateId": arn}
    classic.create_load_balancer(LoadBalancerName="shown", AvailabilityZones=["us-east-1a"], Listeners=[entry])
    with ClassicFront(cloud, "shown") as front:
        # No server runs behind it.
        assert get(front.port, "classic.test", trust) == (503, "Service Unavailable")
    classic.delete_load_balancer(LoadBalancerName="shown")


GROUP = """
Parameters: {Zone: {Type: String}, Value: {Type: String}}
Resources:
  Group:
    Type: AWS::Route53::RecordSetGroup
    Properties:
      HostedZoneId: !Ref Zone
      RecordSets:
        - {Name: !Sub '${Value}.front.test', Type: A, TTL: 60, ResourceRecords: [192.0.2.1]}
        - {Name: group.front.test, Type: TXT, TTL: 60, ResourceRecords: [!Sub '"${Value}"']}
"""


def test_a_group_of_records_is_changed_in_one_batch(cloud, front_zone):
    def resolved(name: str, kind: str) -> list[tuple[str, ...]]:
        return [each.values for each in Zones(cloud.route53.visible).resolve(name, kind).records]

    assert cloud.stacks.create("group", GROUP, {"Zone": front_zone, "Value": "a"}).status == "CREATE_COMPLETE"
    assert resolved("a.front.test", "A") == [("192.0.2.1",)] and resolved("group.front.test", "TXT") == [('"a"',)]
    cloud.recorder.clear()
    assert cloud.stacks.update("group", GROUP, {"Zone": front_zone, "Value": "b"}).status == "UPDATE_COMPLETE"
    assert resolved("a.front.test", "A") == [] and resolved("group.front.test", "TXT") == [('"b"',)]
    assert len(cloud.recorder.calls_named("route53:ChangeResourceRecordSets")) == 1
    assert cloud.stacks.delete("group").status == "DELETE_COMPLETE"
    assert resolved("b.front.test", "A") == resolved("group.front.test", "TXT") == []


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("      Port: 8443\n", "      Port: 8443\n      IpAddressType: ipv6\n", "TargetGroup with IpAddressType"),
        (
            "!Ref Certificate\n      DefaultActions",
            "!Ref Certificate\n          IsDefault: true\n      DefaultActions",
            "IsDefault",
        ),
    ],
)
def test_a_property_that_is_not_covered_is_refused(cloud, ca, front_zone, before, after, told):
    template = (HERE / "balancer.yml").read_text()
    assert before in template
    certificate = imported(cloud, ca, "app.front.test")
    parameters = balancer_parameters(cloud, front_zone, Certificate=certificate)
    result = cloud.stacks.create("uncovered", template.replace(before, after), parameters)
    cloud.stacks.delete("uncovered")
    assert result.status == "ROLLBACK_COMPLETE" and told in str(result.reasons())
