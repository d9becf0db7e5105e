"""letsencrypt.yml and website.yml as stacks: met over TLS, rotated, renewed by the schedule, deleted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from localcloud.acme.renewal_information import RenewalInformation
from localcloud.fronts import DistributionFront, ListenerFront
from support import documents, tls
from support.lets_encrypt import DOMAIN, orders, wanted_at_once
from support.renewal import Renewable, Renewal, deployer


@pytest.fixture(scope="module")
def common(lets_encrypt_provider, authority) -> dict[str, str]:
    return {
        "HostedZoneId": lets_encrypt_provider.zone,
        "DirectoryName": authority.directory,
        "Contact": "ops@example.com",
    }


@pytest.fixture(scope="module")
def network(cloud) -> dict[str, str]:
    """What a load balancer and a server need that the template does not make."""
    subnets = cloud.client("ec2").describe_subnets()["Subnets"]
    images = cloud.client("ec2").describe_images(Owners=["amazon"])["Images"]
    return {
        "VpcId": subnets[0]["VpcId"],
        "Subnets": ",".join(subnet["SubnetId"] for subnet in subnets[:2]),
        "ImageId": images[0]["ImageId"],
    }


@pytest.fixture
def renewals(authority) -> Iterator[RenewalInformation]:
    yield authority.shim.extensions.advertise_renewal_information()
    authority.shim.extensions.reset()


def made(cloud, template: str, domain: str, parameters: dict[str, str]):
    given = {**parameters, "Domain": domain}
    result = cloud.stacks.create(domain.split(".")[0], documents.published(template), given, RoleARN=deployer(cloud))
    assert result.status == "CREATE_COMPLETE", result.reasons()
    return result


def nothing_left(provider, cloud, domain: str, arns: list[str]) -> None:
    assert provider.versions(f"lets-encrypt/{domain}/") == []
    known = {each["CertificateArn"] for each in listed(cloud)}
    assert not known & set(arns)


def listed(cloud) -> list:
    keys = {"keyTypes": ["EC_prime256v1"]}
    return cloud.client("acm", region="us-east-1").list_certificates(Includes=keys)["CertificateSummaryList"]


def test_an_application_behind_a_load_balancer(cloud, provider, authority, common, network, renewals):
    domain = f"front.{DOMAIN}"
    first = made(cloud, "letsencrypt", domain, {**common, **network})
    with ListenerFront(cloud, first.outputs["Listener"]) as front:
        assert tls.page(front.port, domain, authority.root()).startswith("Server ")
        assert tls.public_key_in(tls.verified(front.port, domain, authority.root())) == first.outputs["PublicKey"]
        second = cloud.stacks.update("front", None, {"CertificateRotation": "2"})
        assert second.status == "UPDATE_COMPLETE", second.reasons()
        assert tls.public_key_in(tls.verified(front.port, domain, authority.root())) == second.outputs["PublicKey"]
        # The schedule's hour comes, and the authority wants it renewed.
        renewal = Renewal(provider)
        stack = Renewable(cloud, "front", second)
        wanted_at_once(cloud, renewals, second.outputs["CertificateArn"])
        renewal.make_due(stack)
        assert renewal.run(stack) == "Started", renewal.line
        assert stack.wait().status == "UPDATE_COMPLETE"
        third = stack.outputs()
        assert tls.public_key_in(tls.verified(front.port, domain, authority.root())) == third["PublicKey"]
        assert renewal.run(stack) == "Renewed", renewal.line
    assert len({first.outputs["PublicKey"], second.outputs["PublicKey"], third["PublicKey"]}) == 3
    assert orders(authority, domain) == 3
    assert [key for key, _ in provider.versions(f"lets-encrypt/{domain}/")] == [third["CertificateS3Key"]]
    assert cloud.stacks.delete("front").status == "DELETE_COMPLETE"
    nothing_left(provider, cloud, domain, [o["CertificateArn"] for o in (first.outputs, second.outputs, third)])


def test_a_website_behind_cloudfront(cloud, provider, authority, common, renewals):
    domain = f"site.{DOMAIN}"
    first = made(cloud, "website", domain, common)
    s3 = cloud.client("s3")
    s3.put_object(Bucket=first.outputs["Bucket"], Key="index.html", Body=b"hello", ContentType="text/html")
    with DistributionFront(cloud, first.outputs["Distribution"]) as front:
        assert tls.page(front.port, domain, authority.root()) == "hello"
        second = cloud.stacks.update("site", None, {"CertificateRotation": "2"})
        assert second.status == "UPDATE_COMPLETE", second.reasons()
        assert second.outputs["CertificateArn"] != first.outputs["CertificateArn"]
        assert tls.public_key_in(tls.verified(front.port, domain, authority.root())) == second.outputs["PublicKey"]
        renewal = Renewal(provider)
        stack = Renewable(cloud, "site", second)
        wanted_at_once(cloud, renewals, second.outputs["CertificateArn"])
        renewal.make_due(stack)
        assert renewal.run(stack) == "Started", renewal.line
        assert stack.wait().status == "UPDATE_COMPLETE"
        assert tls.public_key_in(tls.verified(front.port, domain, authority.root())) == stack.outputs()["PublicKey"]
    s3.delete_object(Bucket=first.outputs["Bucket"], Key="index.html")
    renewal.forget(stack)
    assert cloud.stacks.delete("site").status == "DELETE_COMPLETE"
    nothing_left(provider, cloud, domain, [first.outputs["CertificateArn"], second.outputs["CertificateArn"]])
