"""A stack creates, keeps, rotates and deletes its backend certificate."""

from __future__ import annotations

import pytest
from support import tls
from support.application import ATTRIBUTES, application

PREFIX = "backend-certificate/{name}/{guid}/Certificate/"
FIXED_MEMBERS = {"private_key", "certificate", "public_key", "app_name", "apps_domain"}


@pytest.mark.contract(16)
@pytest.mark.parametrize("algorithm", ["RSA_2048", "RSA_3072", "EC_P256", "EC_P384"])
def test_create(app, provider, algorithm):
    stack = app(algorithm.lower().replace("_", "-"), KeyAlgorithm=algorithm)
    result = stack.create()
    assert result.status == "CREATE_COMPLETE", result.reasons()
    assert stack.kinds() == ["Create"]
    attributes = stack.attributes
    assert not [name for name in ATTRIBUTES if not attributes[name]]
    assert attributes["CertificateS3Prefix"] == PREFIX.format(name=stack.name, guid=stack.guid)
    assert attributes["CertificateS3Key"].startswith(attributes["CertificateS3Prefix"])
    bundle = provider.bundle(attributes["CertificateS3Key"])
    assert set(bundle) >= FIXED_MEMBERS
    assert tls.public_key_of(bundle["private_key"]) == attributes["PublicKey"]
    assert tls.public_key_in(bundle["certificate"]) == attributes["PublicKey"]
    assert tls.fingerprint(attributes["PublicKey"]) == attributes["PublicKeyFingerprint"]
    assert attributes["PreviousPublicKey"] != attributes["PublicKey"]
    assert tls.fingerprint(attributes["PreviousPublicKey"]) == attributes["PreviousPublicKeyFingerprint"]
    assert bundle["app_name"] == stack.name and bundle["apps_domain"] == f"{stack.name}.example.com"


def test_a_public_key_is_what_system_a_returned(app):
    stack = app(KeyAlgorithm="RSA_2048")
    stack.create()
    key = stack.attributes["PublicKey"]
    assert len(key) == 392 and key.startswith("MIIBIjANBgkqhkiG9w0B")


def test_the_bundle_is_encrypted_under_the_providers_key(app, provider):
    stack = app()
    stack.create()
    found = provider.cloud.client("s3", as_role=provider.break_glass_role).head_object(
        Bucket=provider.bucket, Key=stack.attributes["CertificateS3Key"]
    )
    assert found["ServerSideEncryption"] == "aws:kms" and found["SSEKMSKeyId"] == provider.key_arn
    assert not found.get("BucketKeyEnabled")


def test_public_facts_are_recorded_and_a_renewal_is_due(app, provider):
    stack = app()
    stack.create()
    generation = stack.attributes["CertificateS3Key"].rsplit("/", 1)[1]
    assert provider.state(f"records/{stack.guid}/") == [f"records/{stack.guid}/Certificate/{generation}"]
    assert len([key for key in provider.state("actions/") if stack.guid in key]) == 1


@pytest.mark.contract(5)
def test_an_update_that_defines_nothing_new_keeps_the_certificate(app, provider):
    stack = app()
    stack.create()
    before = dict(stack.attributes)
    assert stack.update(RotationParameter="AnotherParameter").status == "UPDATE_COMPLETE"
    assert stack.kinds() == ["Create", "Update"]
    assert stack.attributes == before
    assert len(provider.versions(before["CertificateS3Prefix"])) == 1


@pytest.mark.contract(6)
def test_rotate(app, provider):
    stack = app()
    stack.create()
    before = dict(stack.attributes)
    assert stack.update(Rotation="2").status == "UPDATE_COMPLETE"
    after = stack.attributes
    assert after["PreviousPublicKey"] == before["PublicKey"] != after["PublicKey"]
    first, update, cleanup = stack.events()
    assert update[0] == "Update" and update[3] == after["PhysicalId"] != before["PhysicalId"]
    assert cleanup[:2] == ("Delete", before["PhysicalId"])
    assert [key for key, _ in provider.versions(before["CertificateS3Prefix"])] == [after["CertificateS3Key"]]


def test_a_compromised_key_is_no_longer_trusted(app):
    stack = app()
    stack.create()
    before = dict(stack.attributes)
    stack.update(Rotation="2", TrustPrevious="false")
    assert before["PublicKey"] not in (stack.attributes["PublicKey"], stack.attributes["PreviousPublicKey"])


@pytest.mark.contract(9)
def test_delete_leaves_nothing(app, provider):
    stack = app()
    stack.create()
    stack.update(Rotation="2")
    prefix, guid = stack.attributes["CertificateS3Prefix"], stack.guid
    assert stack.delete().status == "DELETE_COMPLETE"
    assert provider.versions(prefix) == []
    assert [key for key in provider.state() if guid in key and not key.startswith("tombstones/")] == []


def test_two_stacks_of_one_name_have_a_key_each(app, provider):
    one, other = app("one", AppName="shared"), app("other", AppName="shared")
    one.create()
    other.create()
    assert one.attributes["PublicKey"] != other.attributes["PublicKey"]
    kept = other.attributes["CertificateS3Key"]
    one.delete()
    assert tls.public_key_of(provider.bundle(kept)["private_key"]) == other.attributes["PublicKey"]


def test_renaming_the_application_moves_its_key(app, provider):
    stack = app()
    stack.create()
    old = stack.attributes["CertificateS3Prefix"]
    stack.update(AppName=f"{stack.name}-renamed")
    assert "-renamed/" in stack.attributes["CertificateS3Key"]
    assert provider.versions(old) == []


@pytest.mark.contract(14)
def test_values_may_be_native_or_text(app):
    stack = app(ValidityDays=30, TrustPrevious=True, SubjectAlternativeNames=["a.example.com", "10.1.2.3"])
    assert stack.create().status == "CREATE_COMPLETE", stack.result.reasons()
    before = dict(stack.attributes)
    stack.update(
        ValidityDays="30", TrustPrevious="True", SubjectAlternativeNames="a.example.com,10.1.2.3", StableS3Key=False
    )
    assert stack.attributes["PublicKey"] == before["PublicKey"]


@pytest.mark.contract(27)
def test_a_stack_that_comes_back_makes_a_key_of_its_own(provider, name):
    for _ in range(2):
        stack = application(provider, name)
        assert stack.create().status == "CREATE_COMPLETE"
        stack.delete()
    assert provider.versions(f"backend-certificate/{name}/") == []


@pytest.mark.contract(23)
def test_the_functions_address_follows_from_the_providers_name(provider):
    assert provider.arn.endswith(f":function:{provider.stack}-backend-certificate")
