"""Custom::LetsEncryptCertificate from outside: pebble issues, ACM has the copy, a listener shows it."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from localcloud.acme.second_authority import SecondAuthority
from localcloud.fronts import ListenerFront
from support import lets_encrypt, tls
from support.acme_account import deactivate
from support.application import await_next_second
from support.gates import counted
from support.lets_encrypt import ATTRIBUTES, names_in, orders


def created(stack) -> dict[str, str]:
    assert stack.create().status == "CREATE_COMPLETE", stack.result.reasons()
    return dict(stack.attributes)


def rotated(stack, rotation: str) -> dict[str, str]:
    await_next_second()
    assert stack.update(Rotation=rotation).status == "UPDATE_COMPLETE", stack.result.reasons()
    return dict(stack.attributes)


def test_apex_and_wildcard_are_proven_by_dns_and_shown_by_a_listener(shops, authority, provider, cloud):
    stack = shops(with_listener=True)
    stack.properties["DomainNames"] = [stack.domain, f"*.{stack.domain}"]
    attributes = created(stack)
    assert {name for name in ATTRIBUTES if attributes[name]} == set(ATTRIBUTES) - {
        "ServerCertificateArn",
        "ServerCertificateName",
    }
    assert orders(authority, stack.domain) == 1
    assert stack.provider.answers(stack.domain) == {}
    with ListenerFront(cloud, attributes["Listener"]) as front:
        for name in (stack.domain, f"www.{stack.domain}"):
            shown = tls.verified(front.port, name, authority.root())
            assert tls.public_key_in(shown) == attributes["PublicKey"]
            assert names_in(shown) == {stack.domain, f"*.{stack.domain}"}
    assert tls.certificate_fingerprint(shown) == attributes["CertificateFingerprint"]
    assert tls.fingerprint(attributes["PublicKey"]) == attributes["PublicKeyFingerprint"]
    assert stack.copies() == [attributes["CertificateArn"]]


def test_an_authority_of_another_make_issues_too(shops, cloud):
    with SecondAuthority(cloud) as second:
        stack = shops(Directory=second.directory, with_listener=True)
        attributes = created(stack)
        after = rotated(stack, "2")
        with ListenerFront(cloud, after["Listener"]) as front:
            shown = tls.verified(front.port, stack.domain, second.root())
        assert tls.public_key_in(shown) == after["PublicKey"] != attributes["PublicKey"]
        assert stack.delete().status == "DELETE_COMPLETE", stack.result.reasons()
    assert stack.left_behind() == []


def test_the_bundle_is_for_the_applications_own_role_only(shops, provider, cloud):
    stack = shops()
    attributes = created(stack)
    assert attributes["CertificateS3Key"].startswith(attributes["CertificateS3Prefix"])
    own = f"arn:aws:s3:::{provider.bucket}/{attributes['CertificateS3Prefix']}*"
    rights = (
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": own},
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": provider.key_arn},
    )
    reader = cloud.create_role(f"{stack.name}-reader", *rights, path="/stackcert-app/")
    where = {"Bucket": provider.bucket, "Key": attributes["CertificateS3Key"]}
    assert cloud.client("s3", as_role=reader).get_object(**where)["ServerSideEncryption"] == "aws:kms"
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    strangers = (
        cloud.create_role(f"{stack.name}-administrator", everything),
        cloud.create_role(f"{stack.name}-neighbour", rights[1], path="/stackcert-app/"),
        provider.role_arn,
    )
    for stranger in strangers:
        with pytest.raises(ClientError, match="AccessDenied"):
            cloud.client("s3", as_role=stranger).get_object(**where)
    bundle = stack.bundle()
    assert tls.public_key_of(bundle["private_key"]) == attributes["PublicKey"]
    assert {"private_key", "certificate", "chain", "public_key", "app_name", "apps_domain"} <= set(bundle)


def test_no_server_sees_an_account_key_or_an_order(shops, provider, cloud):
    created(shops())
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    server = cloud.create_role("curious-server", everything, path="/stackcert-app/")
    kept = provider.keys("acme/")
    assert {key.split("/")[1] for key in kept} == {"accounts", "locks", "orders"}
    for key in kept:
        with pytest.raises(ClientError, match="AccessDenied"):
            cloud.client("s3", as_role=server).get_object(Bucket=provider.bucket, Key=key)


def test_a_rotation_makes_another_and_the_old_one_is_deleted_afterwards(shops, authority, cloud):
    stack = shops(with_listener=True)
    before = created(stack)
    after = rotated(stack, "2")
    for name in ("PublicKey", "CertificateArn", "CertificateS3Key", "SerialNumber", "PhysicalId"):
        assert after[name] != before[name], name
    assert stack.kinds() == ["Create", "Update", "Delete"]
    assert stack.copies() == [after["CertificateArn"]]
    assert stack.bundles() == [after["CertificateS3Key"]]
    with ListenerFront(cloud, after["Listener"]) as front:
        assert tls.public_key_in(tls.verified(front.port, stack.domain, authority.root())) == after["PublicKey"]


def test_an_update_of_something_else_orders_nothing(shops, authority):
    stack = shops()
    before = created(stack)
    assert stack.update(later="x").status == "UPDATE_COMPLETE"
    assert stack.update(later="x", Contact="ops@example.com", RevokeOnDelete="false").status == "UPDATE_COMPLETE"
    assert stack.attributes == before
    assert orders(authority, stack.domain) == 1


@pytest.mark.contract(7)
def test_a_failed_update_gives_everything_back(shops, authority, cloud):
    stack = shops(with_listener=True)
    before = created(stack)
    bundle, body = stack.bundle(), cloud.client("acm").get_certificate(CertificateArn=before["CertificateArn"])
    await_next_second()
    assert stack.update(Rotation="2", later="").status == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.attributes == before
    assert stack.bundle() == bundle
    assert (
        cloud.client("acm").get_certificate(CertificateArn=before["CertificateArn"])["Certificate"]
        == (body["Certificate"])
    )
    assert stack.copies() == [before["CertificateArn"]]
    assert stack.bundles() == [before["CertificateS3Key"]]
    with ListenerFront(cloud, before["Listener"]) as front:
        assert tls.public_key_in(tls.verified(front.port, stack.domain, authority.root())) == before["PublicKey"]


def test_a_delete_leaves_nothing(shops):
    stack = shops(Import="ACM,IAM", ImportPath="/shops/")
    created(stack)
    assert stack.delete().status == "DELETE_COMPLETE", stack.result.reasons()
    assert stack.left_behind() == []


def test_ten_creations_that_are_rolled_back_are_one_order(shops, authority, cloud):
    """Something after the certificate cannot be made, as long as its template is being worked on."""
    keys = set()
    for number in range(10):
        stack = shops()
        assert stack.create(later="").status == "ROLLBACK_COMPLETE", (number, stack.result.reasons())
        keys.add(json.loads(cloud.recorder.exchanges[0].uploads[0][2])["Data"]["PublicKey"])
        assert stack.delete().status == "DELETE_COMPLETE", (number, stack.result.reasons())
        cloud.recorder.clear()
    keys.add(created(shops())["PublicKey"])
    counted(f"a stack created and rolled back ten times: {orders(authority, stack.domain)} order")
    assert orders(authority, stack.domain) == 1
    assert len(keys) == 1


def test_a_profile_that_the_authority_dropped_stops_a_rotation_and_is_named(shops, authority):
    authority.shim.extensions.profiles = {"shortlived": "Six days"}
    stack = shops(Profile="shortlived", Import=None)
    before = created(stack)
    authority.shim.extensions.profiles = {}
    await_next_second()
    assert stack.update(Rotation="2").status == "UPDATE_ROLLBACK_COMPLETE"
    [reason] = stack.result.reasons("UPDATE_FAILED")
    assert 'offers no certificate profiles, and Profile asks for "shortlived": leave Profile out.' in reason
    assert (stack.attributes, orders(authority, stack.domain)) == (before, 1)


def test_a_deactivated_account_stops_no_rotation(shops, authority, provider, cloud):
    stack = shops(Contact="leaving@example.com", RevokeOnDelete="true", Import=None)
    before = created(stack)
    documents = {key: provider.bundle(key) for key in provider.keys("acme/accounts/")}
    [(key, stored)] = [(k, d) for k, d in documents.items() if d["contact"] == "leaving@example.com"]
    deactivate(authority, stored)
    after = rotated(stack, "2")
    assert after["SerialNumber"] != before["SerialNumber"]
    replaced = provider.bundle(key)
    assert replaced["url"] != stored["url"]
    assert replaced["ended"] == [{"url": stored["url"], "key": stored["key"]}]
    # The account that ordered it cannot: its own key did.
    assert authority.pebble.status(int(before["SerialNumber"], 16))["Status"] == "Revoked"


def test_two_rotations_do_not_bring_the_first_key_back(shops, authority):
    """It may have been rotated because somebody knows it."""
    stack = shops()
    seen = [created(stack)["PublicKey"], rotated(stack, "2")["PublicKey"], rotated(stack, "3")["PublicKey"]]
    assert len(set(seen)) == 3
    assert orders(authority, stack.domain) == 3


def test_a_website_proves_a_name_too(shops, authority, cloud):
    stack = shops(HostedZoneId=None, Challenge="http-01", ChallengeBucket=lets_encrypt.WEBSITE, Import=None)
    authority.website.names[stack.domain] = lets_encrypt.WEBSITE
    listing = {"Bucket": lets_encrypt.WEBSITE}
    before, objects = len(authority.website.requests), cloud.client("s3").list_objects_v2(**listing)["KeyCount"]
    attributes = created(stack)
    assert len(authority.website.requests) > before
    assert attributes["CertificateArn"] == attributes["ServerCertificateArn"] == ""
    assert names_in(stack.bundle()["certificate"]) == {stack.domain}
    assert cloud.client("s3").list_objects_v2(**listing)["KeyCount"] == objects


def test_a_zone_of_another_account_is_reached_with_a_role_there(shops, authority, cloud):
    role = f"arn:aws:iam::{cloud.foreign_account}:role/zone-keeper"
    stack = shops(HostedZoneId=None, HostedZoneRoleArn=role, Import=None)
    stack.properties["DomainNames"] = f"{stack.name}.{lets_encrypt.ABROAD}"
    created(stack)
    assert names_in(stack.bundle()["certificate"]) == {f"{stack.name}.{lets_encrypt.ABROAD}"}


def test_a_copy_in_iam_has_its_path(shops, cloud):
    stack = shops(Import="IAM", ImportPath="/cloudfront/shops/")
    attributes = created(stack)
    name = attributes["ServerCertificateName"]
    found = cloud.client("iam").get_server_certificate(ServerCertificateName=name)["ServerCertificate"]
    assert found["ServerCertificateMetadata"]["Path"] == "/cloudfront/shops/"
    assert found["ServerCertificateMetadata"]["Arn"] == attributes["ServerCertificateArn"]
    assert tls.public_key_in(found["CertificateBody"]) == attributes["PublicKey"]
    assert attributes["CertificateArn"] == ""


def test_an_import_goes_to_the_region_that_is_asked_for(shops):
    stack = shops(ImportRegion="eu-west-1")
    attributes = created(stack)
    assert attributes["CertificateArn"].split(":")[3] == "eu-west-1"
    assert (stack.copies("eu-west-1"), stack.copies("us-east-1")) == ([attributes["CertificateArn"]], [])
    assert stack.delete().status == "DELETE_COMPLETE"
    assert stack.left_behind() == []


def test_a_stable_arn_stays(shops, authority, cloud):
    stack = shops(StableCertificateArn="true", with_listener=True)
    before = created(stack)
    arn = before["CertificateArn"]
    after = rotated(stack, "2")
    assert after["CertificateArn"] == arn
    assert after["PublicKey"] != before["PublicKey"]

    def shown() -> str:
        return tls.public_key_in(cloud.client("acm").get_certificate(CertificateArn=arn)["Certificate"])

    assert shown() == after["PublicKey"]
    await_next_second()
    assert stack.update(Rotation="3", later="").status == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.attributes == after
    assert shown() == after["PublicKey"]
    with ListenerFront(cloud, after["Listener"]) as front:
        assert tls.public_key_in(tls.verified(front.port, stack.domain, authority.root())) == after["PublicKey"]
    assert stack.delete().status == "DELETE_COMPLETE", stack.result.reasons()
    assert stack.left_behind() == []


def test_another_kind_of_key_cannot_take_a_stable_arn(shops, authority):
    stack = shops(StableCertificateArn="true")
    before = created(stack)
    await_next_second()
    assert stack.update(KeyAlgorithm="RSA_2048").status == "UPDATE_ROLLBACK_COMPLETE"
    [reason] = [r for r in stack.result.reasons("UPDATE_FAILED") if "key of type" in r]
    assert "ACM never changes that" in reason
    assert orders(authority, stack.domain) == 1
    assert stack.attributes == before


def test_a_certificate_can_be_revoked_when_it_is_deleted(shops, authority):
    stack = shops(RevokeOnDelete="true")
    serial = int(created(stack)["SerialNumber"], 16)
    assert authority.pebble.status(serial)["Status"] == "Valid"
    assert stack.delete().status == "DELETE_COMPLETE", stack.result.reasons()
    assert authority.pebble.status(serial)["Status"] == "Revoked"
    again = shops()
    created(again)
    assert orders(authority, stack.domain) == 2
