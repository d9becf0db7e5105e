"""The four steps as stacks, with their servers' own boot scripts: whom the load balancer trusts, what a role reads."""

from __future__ import annotations

import json
import os
import urllib.request

import pytest
from judges.cases import domain as long_domain
from localcloud.authz import context
from localcloud.elb import BackendChecker
from support import documents, impostor, tls
from support.provider import CODE_BUCKET, COMMAND_KEY
from support.server_role import ServerRole
from support.surroundings import self_signed, surroundings

DOMAIN = "automated.example.com"
ROTATION = "CertificateRotation"


def parameters(cloud, provider, domain: str) -> dict[str, str]:
    return {
        **surroundings(cloud, domain).parameters,
        "Domain": domain,
        "CertificateBucket": provider.bucket,
        "CreateElbBackendCertificatesArn": provider.arn,
    }


def load_balancer(cloud, result) -> BackendChecker:
    return BackendChecker(cloud.client("elb"), result.physical_id("LoadBalancer"))


def servers_of(cloud, result) -> list:
    group = result.physical_id("Servers")
    found = cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    return [cloud.instances[i["InstanceId"]] for i in found["AutoScalingGroups"][0]["Instances"]]


@pytest.fixture(scope="module")
def shop(cloud, provider):
    """A stack of automated.yml, and how to describe it anew."""
    made = cloud.stacks.create("automated", documents.published("automated"), parameters(cloud, provider, DOMAIN))
    assert made.status == "CREATE_COMPLETE", [i.console for i in cloud.instances.all]
    yield lambda: cloud.stacks.describe("automated")
    if cloud.stacks.exists("automated"):
        assert cloud.stacks.delete("automated").status == "DELETE_COMPLETE"
    assert not [key for key, _ in provider.versions(f"backend-certificate/{DOMAIN}/")]


def test_the_load_balancer_trusts_the_server_and_no_impostor(cloud, shop, provider, tmp_path):
    result, balancer = shop(), load_balancer(cloud, shop())
    [server] = servers_of(cloud, result)
    assert balancer.trusted_keys() == [result.outputs["PublicKey"], result.outputs["PreviousPublicKey"]]
    verdict = balancer.check(server.port(8443))
    assert verdict.trusted and verdict.public_key == result.outputs["PublicKey"]
    bundle = provider.bundle(result.outputs["CertificateS3Key"])
    assert tls.certificate_fingerprint(bundle["certificate"]) in balancer.get(server.port(8443))[1]
    with impostor.serving(DOMAIN, tmp_path) as port:
        assert not balancer.check(port).trusted


@pytest.mark.contract(31)
@pytest.mark.parametrize("length", [63, 128])
def test_servers_of_a_long_domain_come_up(cloud, provider, name, length):
    """Neither the wildcard nor, of 128, the domain fits a common name. The boot script runs curl --cacert."""
    domain = long_domain(length - len(".example.com")) + ".example.com"
    made = cloud.stacks.create(name, documents.published("automated"), parameters(cloud, provider, domain))
    try:
        assert made.status == "CREATE_COMPLETE", [i.console for i in cloud.instances.all]
        [server] = servers_of(cloud, made)
        verdict = load_balancer(cloud, made).check(server.port(8443))
        assert verdict.trusted and verdict.public_key == made.outputs["PublicKey"]
    finally:
        assert cloud.stacks.delete(name).status == "DELETE_COMPLETE"


def test_the_private_key_is_readable_by_the_tls_server_only(cloud, shop):
    [server] = servers_of(cloud, shop())
    key = server.path("/etc/stunnel/private-key.pem")
    assert "PRIVATE KEY" in key.read_text()
    assert "PRIVATE KEY" not in server.console
    assert key.stat().st_mode & 0o777 == 0o400
    users = dict(line.split(":")[:3:2] for line in server.path("/etc/passwd").read_text().splitlines())
    # Without root an instance has one user only: whoever runs the tests.
    assert key.stat().st_uid == (int(users["backend-tls"]) if os.geteuid() == 0 else os.geteuid())


def test_servers_read_their_own_bundles_only(cloud, shop, provider, app):
    neighbour = app()
    neighbour.create()
    outputs = shop().outputs
    client = cloud.client("s3", as_role=outputs["ServerRoleArn"])
    own = client.get_object(Bucket=provider.bucket, Key=outputs["CertificateS3Key"])
    assert "private_key" in json.loads(own["Body"].read())
    for key in (neighbour.attributes["CertificateS3Key"], f"backend-certificate-{DOMAIN}.json"):
        with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
            client.get_object(Bucket=provider.bucket, Key=key)
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        client.delete_object(Bucket=provider.bucket, Key=outputs["CertificateS3Key"])


def test_a_rotation_never_distrusts_a_server(cloud, shop):
    """Trust, then pointer, then servers, then the old key goes: by the order of the stack's events."""
    before = shop()
    [old_server] = servers_of(cloud, before)
    seen = len(before.events)
    result = cloud.stacks.update("automated", parameters={ROTATION: "2"})
    assert result.status == "UPDATE_COMPLETE", [i.console for i in cloud.instances.all]
    order = [
        (event["LogicalResourceId"], event["ResourceStatus"])
        for event in result.events[seen:]
        if event["ResourceStatus"] in ("UPDATE_COMPLETE", "DELETE_IN_PROGRESS")
    ]
    assert order == [
        ("ElbBackendCertificate", "UPDATE_COMPLETE"),
        ("LoadBalancer", "UPDATE_COMPLETE"),
        ("CertificatePointer", "UPDATE_COMPLETE"),
        ("ServerTemplate", "UPDATE_COMPLETE"),
        ("Servers", "UPDATE_COMPLETE"),
        ("ElbBackendCertificate", "DELETE_IN_PROGRESS"),
        ("automated", "UPDATE_COMPLETE"),
    ]
    balancer = load_balancer(cloud, result)
    assert before.outputs["PublicKey"] in balancer.trusted_keys()
    [server] = servers_of(cloud, result)
    assert server.id != old_server.id
    assert balancer.check(server.port(8443)).public_key == result.outputs["PublicKey"]


def test_a_server_that_does_not_come_up_takes_the_rotation_back(cloud, provider, shop):
    """New servers cannot fetch their bundle: the stack goes back, and its servers are trusted as before."""
    before = shop()
    with ServerRole(cloud, before.outputs["ServerRoleArn"]).powerless():
        cloud.stacks.start_update("automated", parameters={ROTATION: "never"})
        cloud.stacks.wait_for("automated", lambda: "ROLLBACK" in cloud.stacks.status("automated"))
    result = cloud.stacks.wait("automated")
    assert result.status == "UPDATE_ROLLBACK_COMPLETE", result.reasons()[-1]
    assert result.outputs["PublicKey"] == before.outputs["PublicKey"]
    [server] = servers_of(cloud, result)
    assert load_balancer(cloud, result).check(server.port(8443)).trusted
    assert [key for key, _ in provider.versions(before.outputs["CertificateS3Prefix"])] == [
        before.outputs["CertificateS3Key"]
    ]


def uses(cloud, provider, outputs) -> dict[str, tuple[str, str, dict]]:
    """What a server does by each statement: service, operation, arguments."""
    code = {"Bucket": CODE_BUCKET, "Key": COMMAND_KEY}
    bundle = {"Bucket": provider.bucket, "Key": outputs["CertificateS3Key"]}
    return {
        "ReadOwnBundles": ("s3", "get_object", bundle),
        "DecryptOwnBundles": ("s3", "get_object", bundle),
        "FollowOwnPointer": ("ssm", "get_parameter", {"Name": "/stackcert/automated/certificate"}),
        "FindCommand": ("ssm", "get_parameter", {"Name": provider.outputs["CommandParameterName"]}),
        "FetchCommand": ("s3", "get_object", code),
    }


SIDS = ["ReadOwnBundles", "DecryptOwnBundles", "FollowOwnPointer", "FindCommand", "FetchCommand"]


@pytest.mark.parametrize("sid", SIDS)
def test_no_statement_of_the_servers_role_can_be_spared(cloud, shop, provider, sid):
    outputs = shop().outputs
    role = ServerRole(cloud, outputs["ServerRoleArn"])
    assert [s["Sid"] for s in role.document["Statement"]] == SIDS
    assert all(isinstance(s["Action"], str) for s in role.document["Statement"])
    service, operation, arguments = uses(cloud, provider, outputs)[sid]
    client = cloud.client(service, as_role=role.arn)
    getattr(client, operation)(**arguments)
    with role.without(sid), pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        getattr(client, operation)(**arguments)


@pytest.mark.parametrize(
    ("sid", "widened"),
    [
        ("ReadOwnBundles", "Resource"),
        ("DecryptOwnBundles", "Resource"),
        ("DecryptOwnBundles", "Condition"),
        ("FollowOwnPointer", "Resource"),
        ("FindCommand", "Resource"),
        ("FetchCommand", "Resource"),
    ],
)
def test_the_servers_role_could_not_be_wider(cloud, shop, provider, sid, widened):
    outputs = shop().outputs
    role = ServerRole(cloud, outputs["ServerRoleArn"])
    principal = cloud.session(role.arn).principal
    other_key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    own = f"arn:aws:s3:::{provider.bucket}/{outputs['CertificateS3Key']}"
    neighbours = f"arn:aws:s3:::{provider.bucket}/backend-certificate/neighbour/x/Certificate/y.json"
    action, resource, keys = {
        "ReadOwnBundles": ("s3:GetObject", neighbours, {}),
        "DecryptOwnBundlesResource": ("kms:Decrypt", other_key, context.of_s3_key_use(principal, cloud.region, own)),
        "DecryptOwnBundlesCondition": (
            "kms:Decrypt",
            provider.key_arn,
            context.of_s3_key_use(principal, cloud.region, neighbours),
        ),
        "FollowOwnPointer": ("ssm:GetParameter", "arn:aws:ssm:us-east-1:123456789012:parameter/stackcert/other/x", {}),
        "FindCommand": ("ssm:GetParameter", "arn:aws:ssm:us-east-1:123456789012:parameter/stackcert-command/x", {}),
        "FetchCommand": ("s3:GetObject", f"arn:aws:s3:::{CODE_BUCKET}/secrets.json", {}),
    }[sid + (widened if sid == "DecryptOwnBundles" else "")]
    keys = {**context.of_principal(principal), "aws:securetransport": "true", **keys}
    assert not cloud.authorizer.check(principal, action, resource, keys).allowed
    with role.wider(sid, widened):
        assert cloud.authorizer.check(principal, action, resource, keys).allowed


def test_the_plain_and_the_front_end_step(cloud):
    image = surroundings(cloud, "plain.example.com").image_id
    plain = cloud.stacks.create("plain", documents.published("simple"), {"ImageId": image})
    assert plain.status == "CREATE_COMPLETE", [i.console for i in cloud.instances.all]
    [server] = servers_of(cloud, plain)
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port(8080)}/", timeout=5) as answer:
        assert b"request 1" in answer.read()
    around = surroundings(cloud, "front.example.com").parameters
    front = cloud.stacks.update(
        "plain", documents.published("frontend-certificate"), {**around, "Domain": "front.example.com"}
    )
    assert front.status == "UPDATE_COMPLETE", front.reasons()
    records = cloud.client("route53").list_resource_record_sets(HostedZoneId=around["Route53HostedZoneId"])
    assert "front.example.com." in [record["Name"] for record in records["ResourceRecordSets"]]
    assert cloud.stacks.delete("plain").status == "DELETE_COMPLETE"


def test_the_step_with_a_certificate_made_by_hand(cloud):
    domain = "by-hand.example.com"
    certificate, key = (part.decode() for part in self_signed(domain))
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="by-hand")
    s3.put_object(
        Bucket="by-hand", Key="first.json", Body=json.dumps({"private_key": key, "certificate": certificate}).encode()
    )
    given = {
        **surroundings(cloud, domain).parameters,
        "Domain": domain,
        "CertificateBucket": "by-hand",
        "CertificateS3Key": "first.json",
        "PublicKey": tls.public_key_in(certificate),
    }
    made = cloud.stacks.create("by-hand", documents.published("backend-certificate"), given)
    assert made.status == "CREATE_COMPLETE", [i.console for i in cloud.instances.all]
    [server] = servers_of(cloud, made)
    status, page = load_balancer(cloud, made).get(server.port(8443))
    assert status == 200 and tls.certificate_fingerprint(certificate) in page
    assert cloud.stacks.delete("by-hand").status == "DELETE_COMPLETE"
