"""Something fails after the certificate, and everything is as it was: under both kinds of rollback, because it is not
known which one CloudFormation uses for a replaced custom resource."""

from __future__ import annotations

import pytest
from support import tls
from support.application import ATTRIBUTES, application, await_next_second

KEPT = [name for name in ATTRIBUTES if not name.startswith("PreviousPublicKey")]


@pytest.fixture(params=["update", "delete"])
def rollback(request, cloud):
    """What a replaced custom resource gets: an Update back and then the Delete of the new one, or the Delete alone."""
    before, cloud.environment.rollback = cloud.environment.rollback, request.param
    yield request.param
    cloud.environment.rollback = before


@pytest.mark.contract(7)
def test_a_rotation_is_rolled_back(rollback, app, provider):
    stack = app()
    stack.create(later="x")
    before, bundle = dict(stack.attributes), provider.bundle(stack.attributes["CertificateS3Key"])
    assert stack.update(Rotation="2", later="").status == "UPDATE_ROLLBACK_COMPLETE"
    after = stack.attributes
    assert {name: after[name] for name in KEPT} == {name: before[name] for name in KEPT}
    assert after["PhysicalId"] == before["PhysicalId"]
    assert provider.bundle(after["CertificateS3Key"]) == bundle
    new = next(event[3] for event in stack.events() if event[0] == "Update")
    kinds = ["Create", "Update", "Update", "Delete"] if rollback == "update" else ["Create", "Update", "Delete"]
    assert stack.kinds() == kinds
    assert stack.events()[-1] == ("Delete", new, "SUCCESS", new)
    assert [key for key, _ in provider.versions(after["CertificateS3Prefix"])] == [after["CertificateS3Key"]]


@pytest.mark.contract(7)
def test_servers_that_changed_over_stay_trusted(app, cloud):
    cloud.environment.rollback = "update"
    stack = app()
    stack.create(later="x")
    stack.update(Rotation="2", later="")
    rotation = next(e for e in cloud.recorder.exchanges if e.request["RequestType"] == "Update")
    assert stack.attributes["PreviousPublicKey"] == rotation.response["Data"]["PublicKey"]


@pytest.mark.contract(7)
def test_the_same_rotation_succeeds_afterwards(rollback, app, provider):
    stack = app()
    stack.create(later="x")
    before = dict(stack.attributes)
    stack.update(Rotation="2", later="")
    await_next_second()
    assert stack.update(Rotation="2", later="y").status == "UPDATE_COMPLETE"
    assert stack.attributes["PreviousPublicKey"] == before["PublicKey"] != stack.attributes["PublicKey"]
    bundle = provider.bundle(stack.attributes["CertificateS3Key"])
    assert tls.public_key_of(bundle["private_key"]) == stack.attributes["PublicKey"]
    assert len(provider.versions(before["CertificateS3Prefix"])) == 1


@pytest.mark.contract(1, 2)
def test_a_failed_creation_leaves_nothing_and_can_be_repeated(rollback, provider, name):
    stack = application(provider, name)
    assert stack.create(later="").status == "ROLLBACK_COMPLETE"
    assert stack.kinds() == ["Create", "Delete"]
    assert provider.versions(f"backend-certificate/{name}/") == []
    stack.delete()
    assert stack.create(later="x").status == "CREATE_COMPLETE"
    stack.delete()
    assert provider.versions(f"backend-certificate/{name}/") == []


@pytest.mark.contract(8)
def test_a_refused_update_keeps_the_id(rollback, app, provider):
    stack = app()
    stack.create()
    before = dict(stack.attributes)
    assert stack.update(KeyAlgorithm="RSA_1024").status == "UPDATE_ROLLBACK_COMPLETE"
    failed = next(event for event in stack.events() if event[2] == "FAILED")
    assert failed == ("Update", before["PhysicalId"], "FAILED", before["PhysicalId"])
    assert stack.attributes["PublicKey"] == before["PublicKey"]
    assert stack.update(Rotation="2").status == "UPDATE_COMPLETE"
