"""docs/runbook.md: each drill, with the commands as the page has them. How a provider comes back: test_retained.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from support import sweep, tls
from support.application import application, template
from support.provider import Provider, install
from support.renewal import Renewal, renewable
from support.runbook import Runbook, sections
from test_status import row, status

BEFORE = ("Before you begin", "Act as that role")


@pytest.fixture(scope="module")
def provider(cloud, tmp_path_factory) -> Provider:
    """A provider that let a break-glass role in, as the page says."""
    provider = install(cloud, "drilled", break_glass=False, ExportPrefix="Drilled", AuditBundles="false")
    runbook = Runbook(cloud, tmp_path_factory.mktemp("clone"))
    runbook.run("Before you begin", "A role of its own", "Let it in", stack=provider.stack, more="")
    found = cloud.stacks.describe(provider.stack)
    assert found.status == "UPDATE_COMPLETE", found.reasons()
    return Provider(cloud, provider.stack, found.outputs)


@pytest.fixture
def renewal(provider) -> Renewal:
    return Renewal(provider)


@pytest.fixture
def runbook(cloud, provider, tmp_path) -> Runbook:
    return Runbook(cloud, tmp_path, {"stack": provider.stack})


def server_of(cloud, provider, stack) -> str:
    """The role of a server of the stack."""
    prefix = stack.attributes["CertificateS3Prefix"]
    return cloud.create_role(
        f"{stack.name}-server",
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{provider.bucket}/{prefix}*"},
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": provider.key_arn},
        path="/stackcert-app/",
    )


def key_that_is_read(cloud, role: str, provider, address: str) -> str:
    found = cloud.client("s3", as_role=role).get_object(Bucket=provider.bucket, Key=address)
    return tls.public_key_of(json.loads(found["Body"].read())["private_key"])


def test_the_break_glass_role_reads_a_bundle_and_an_administrator_does_not(cloud, provider):
    stack = application(provider, "read-in-an-emergency")
    stack.create()
    address = stack.attributes["CertificateS3Key"]
    assert key_that_is_read(cloud, provider.break_glass_role, provider, address) == stack.attributes["PublicKey"]
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("s3").get_object(Bucket=provider.bucket, Key=address)
    assert "Messages" not in cloud.client("sqs", as_role=provider.break_glass_role).receive_message(
        QueueUrl=provider.queue_url
    )
    stack.delete()


def test_a_role_of_identity_center_is_let_in_with_its_path(cloud, tmp_path):
    provider = install(cloud, "signed-in", break_glass=False, ExportPrefix="Signed", AuditBundles="false")
    stack = application(provider, "read-by-single-sign-on")
    stack.create()
    name = "AWSReservedSSO_Emergency_0123456789abcdef"
    role = cloud.create_role(
        name,
        {"Effect": "Allow", "Action": ["s3:GetObject", "kms:Decrypt"], "Resource": "*"},
        path="/aws-reserved/sso.amazonaws.com/eu-west-1/",
    )
    address = stack.attributes["CertificateS3Key"]
    cloud.stacks.update(provider.stack, None, {"BreakGlassRoleArn": f"arn:aws:iam::{cloud.account}:role/{name}"})
    with pytest.raises(ClientError, match="AccessDenied"):
        key_that_is_read(cloud, role, provider, address)
    runbook = Runbook(cloud, tmp_path)
    runbook.run("A role of IAM Identity Center", "Let it in", stack=provider.stack, permission_set="Emergency")
    assert key_that_is_read(cloud, role, provider, address) == stack.attributes["PublicKey"]
    stack.delete()
    cloud.stacks.delete(provider.stack)


def test_a_state_bucket_without_its_objects_is_filled_again(cloud, provider, renewal, runbook, name):
    stack = renewable(provider, name)
    kept = [key for key in provider.state() if stack.guid in key]
    sweep.age(provider, days=2)
    client = cloud.client("s3", as_role=provider.break_glass_role)
    for key in provider.state():
        client.delete_object(Bucket=provider.state_bucket, Key=key)
    assert name not in status(cloud, "--provider", provider.stack).stdout
    told = runbook.run("Before you begin", "The state bucket lost its objects")
    assert '"Sweep":"Complete"' in told
    assert [key for key in provider.state() if stack.guid in key] == kept
    assert row(status(cloud, "--provider", provider.stack), name)[-1] == "ok"
    renewal.make_due(stack)
    assert renewal.run(stack) == "Started"
    assert stack.wait().status == "UPDATE_COMPLETE"
    stack.delete()
    renewal.forget(stack)


@pytest.mark.parametrize("how", ["disabled", "pending deletion"])
def test_a_disabled_key_is_enabled_again_and_what_works_without_it(cloud, provider, renewal, runbook, name, how):
    stack, doomed = (application(provider, one) for one in (name, f"{name}-doomed"))
    stack.create()
    doomed.create()
    server, address = server_of(cloud, provider, stack), stack.attributes["CertificateS3Key"]
    kms = cloud.client("kms")
    if how == "disabled":
        kms.disable_key(KeyId=provider.key_arn)
        word = "KMS.DisabledException"
    else:
        kms.schedule_key_deletion(KeyId=provider.key_arn, PendingWindowInDays=30)
        word = "KMS.KMSInvalidStateException"
    with pytest.raises(ClientError, match=word):
        key_that_is_read(cloud, server, provider, address)
    failed = stack.update(Rotation="2")
    assert failed.status == "UPDATE_ROLLBACK_COMPLETE"
    assert any(word in reason for reason in failed.reasons())
    assert doomed.delete().status == "DELETE_COMPLETE"
    assert provider.versions(f"backend-certificate/{doomed.name}/") == []
    assert row(status(cloud, "--provider", provider.stack), name)[-1] == "ok"
    assert renewal.sweep()["Sweep"] == "Complete"

    told = runbook.run("Before you begin", "The key is disabled").split()
    assert told[0] == ("Disabled" if how == "disabled" else "PendingDeletion")
    assert told[-1] == "Enabled"
    assert key_that_is_read(cloud, server, provider, address) == stack.attributes["PublicKey"]
    assert stack.update(Rotation="2").status == "UPDATE_COMPLETE"
    stack.delete()


def test_an_orphan_is_listed_and_removed_with_every_version(cloud, provider, renewal, runbook, name):
    wanted = json.loads(template(application(provider, name).properties))
    wanted["Resources"]["Certificate"]["DeletionPolicy"] = "Retain"
    key = cloud.stacks.create(name, json.dumps(wanted)).outputs["CertificateS3Key"]
    assert cloud.stacks.delete(name).status == "DELETE_COMPLETE"
    neighbour = application(provider, f"{name}-neighbour")
    neighbour.create()
    sweep.age(provider, days=8)
    assert renewal.sweep()["Orphans"] == 1
    told = runbook.run(*BEFORE, "Orphans", orphan=key)
    assert f"{key} " in told
    assert provider.versions(f"backend-certificate/{name}/") == []
    assert provider.keys(f"backend-certificate/{neighbour.name}/") == [neighbour.attributes["CertificateS3Key"]]
    assert renewal.sweep()["Orphans"] == 0
    neighbour.delete()


def test_after_a_compromise_the_old_key_is_trusted_no_longer_and_is_gone(cloud, provider, runbook, name):
    stack = renewable(provider, name)
    old = stack.outputs()
    declared = cloud.client("cloudformation").get_template(StackName=name)["TemplateBody"]
    declared["Resources"]["Certificate"]["Properties"]["TrustPrevious"] = "false"
    (runbook.folder / "app.json").write_text(json.dumps(declared))
    told = runbook.run("A private key is compromised", app=name, template="app.json")
    assert "UPDATE_COMPLETE" in told
    now = stack.outputs()
    assert old["PublicKey"] not in (now["PublicKey"], now["PreviousPublicKey"])
    assert provider.keys(f"backend-certificate/{name}/") == [now["CertificateS3Key"]]
    assert {key for key, _ in provider.versions(f"backend-certificate/{name}/")} == {now["CertificateS3Key"]}
    stack.delete()


def test_everything_is_removed_for_good(cloud, tmp_path):
    provider = install(cloud, "purged", break_glass=False, ExportPrefix="Purged", AuditBundles="false")
    wanted = json.loads(template(application(provider, "left-behind").properties))
    wanted["Resources"]["Certificate"]["DeletionPolicy"] = "Retain"
    cloud.stacks.create("left-behind", json.dumps(wanted))
    cloud.stacks.delete("left-behind")
    assert provider.keys("backend-certificate/")
    Runbook(cloud, tmp_path, {"stack": provider.stack}).run("Before you begin", "Remove everything for good")
    assert not cloud.stacks.exists(provider.stack)
    left = {bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]}
    assert not {provider.bucket, provider.state_bucket} & left
    state = cloud.client("kms").describe_key(KeyId=provider.key_arn)["KeyMetadata"]["KeyState"]
    assert state == "PendingDeletion"


def test_every_section_with_commands_is_run_by_a_test():
    """The sections' names as the tests of this file and of test_retained.py have them."""
    here = Path(__file__)
    tests = here.read_text() + here.with_name("test_retained.py").read_text()
    assert {heading for heading in sections() if f'"{heading}"' not in tests} == set()
