"""The bundles outlive the provider: live load balancers trust them. docs/runbook.md leads back to a provider."""

from __future__ import annotations

import json

import pytest
from support import documents, tls
from support.application import application
from support.provider import Provider, install
from support.runbook import Runbook

KEPT = ("CertificateKey", "CertificateBucket", "CertificateBucketPolicy", "StateBucket", "StateBucketPolicy")


@pytest.fixture
def runbook(cloud, tmp_path):
    return Runbook(cloud, tmp_path)


def server_of(cloud, provider, stack) -> str:
    """The role of a server of the stack."""
    prefix = stack.attributes["CertificateS3Prefix"]
    return cloud.create_role(
        f"{stack.name}-server",
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{provider.bucket}/{prefix}*"},
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": provider.key_arn},
        path="/stackcert-app/",
    )


def key_that_a_server_reads(cloud, role: str, provider, address: str) -> str:
    found = cloud.client("s3", as_role=role).get_object(Bucket=provider.bucket, Key=address)
    return tls.public_key_of(json.loads(found["Body"].read())["private_key"])


def remove(cloud, provider) -> None:
    gone = cloud.stacks.delete(provider.stack)
    assert gone.status == "DELETE_COMPLETE", gone.reasons()
    functions = {f["FunctionName"] for f in cloud.client("lambda").list_functions()["Functions"]}
    assert provider.function_name not in functions


def policies(cloud, provider) -> str:
    """The buckets' and the key's policies, as they are in force."""
    s3, kms = cloud.client("s3"), cloud.client("kms")
    texts = [s3.get_bucket_policy(Bucket=name)["Policy"] for name in (provider.bucket, provider.state_bucket)]
    return "\n".join([*texts, kms.get_key_policy(KeyId=provider.key_arn, PolicyName="default")["Policy"]])


def test_a_provider_comes_back_by_the_runbook_with_its_key_and_its_buckets(cloud, runbook):
    provider = install(cloud, "retired", break_glass=False, ExportPrefix="Retired", AuditBundles="false")
    stack = application(provider, "outlives-its-provider")
    stack.create()
    first = dict(stack.attributes)
    server = server_of(cloud, provider, stack)
    remove(cloud, provider)
    assert key_that_a_server_reads(cloud, server, provider, first["CertificateS3Key"]) == first["PublicKey"]

    # As the first time it cannot be installed, and what is there stays what it is.
    before = policies(cloud, provider)
    with pytest.raises(RuntimeError, match=f"The bucket policy already exists on bucket {provider.bucket}"):
        install(
            cloud,
            "in-vain",
            break_glass=False,
            ExportPrefix="In-Vain",
            AuditBundles="false",
            CertificateBucketName=provider.bucket,
            UseExistingBucket="true",
        )
    cloud.stacks.delete("in-vain")
    assert policies(cloud, provider) == before

    more = f"{runbook.variables['more']} ExportPrefix=Retired AuditBundles=false"
    runbook.run("What stayed", "Import", "The rest", stack=provider.stack, more=more)
    found = cloud.stacks.describe(provider.stack)
    assert found.status == "UPDATE_COMPLETE", found.reasons()
    again = Provider(cloud, provider.stack, found.outputs)
    same = ("ProviderArn", "CertificateBucketName", "StateBucketName", "CertificateKeyArn")
    assert {name: again.outputs[name] for name in same} == {name: provider.outputs[name] for name in same}
    for name in KEPT:
        assert found.statuses(name)[:2] == ["IMPORT_IN_PROGRESS", "IMPORT_COMPLETE"]
    # The policies name the new roles, and neither the former ones nor the pattern that stood in for them.
    now = policies(cloud, again)
    for role, former in ((again.role_arn, provider.role_arn), (again.renewal_role_arn, "RenewalRole-*")):
        assert role in now and former not in now
    assert "FunctionRole-*" not in now

    assert key_that_a_server_reads(cloud, server, again, first["CertificateS3Key"]) == first["PublicKey"]
    assert stack.update(Rotation="2").status == "UPDATE_COMPLETE"
    assert stack.attributes["PreviousPublicKey"] == first["PublicKey"] != stack.attributes["PublicKey"]
    rotated = key_that_a_server_reads(cloud, server, again, stack.attributes["CertificateS3Key"])
    assert rotated == stack.attributes["PublicKey"]
    assert stack.delete().status == "DELETE_COMPLETE"
    assert again.versions(first["CertificateS3Prefix"]) == []
    assert again.state(f"records/{stack.guid}/") == []
    remove(cloud, again)


def test_between_import_and_update_servers_read_and_the_old_policies_are_in_force(cloud, runbook):
    provider = install(cloud, "half-way", break_glass=False, ExportPrefix="Half", AuditBundles="false")
    stack = application(provider, "served-half-way")
    stack.create()
    server = server_of(cloud, provider, stack)
    before = policies(cloud, provider)
    remove(cloud, provider)
    runbook.run("What stayed", "Import", stack=provider.stack)
    assert cloud.stacks.status(provider.stack) == "IMPORT_COMPLETE"
    assert policies(cloud, provider) == before
    address = stack.attributes["CertificateS3Key"]
    assert key_that_a_server_reads(cloud, server, provider, address) == stack.attributes["PublicKey"]
    # What was imported is retained as before.
    assert cloud.stacks.delete(provider.stack).status == "DELETE_COMPLETE"
    assert policies(cloud, provider) == before
    assert key_that_a_server_reads(cloud, server, provider, address) == stack.attributes["PublicKey"]


def test_a_bucket_that_has_a_policy_is_adopted_by_the_runbook(cloud, runbook):
    s3, bucket = cloud.client("s3"), "certificates-with-a-policy"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    theirs = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject"}
    theirs |= {"Resource": f"arn:aws:s3:::{bucket}/x"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [theirs]}))
    # Makes the bucket for the code as well.
    with pytest.raises(RuntimeError, match=f"The bucket policy already exists on bucket {bucket}"):
        install(cloud, "adopts-in-vain", break_glass=False, CertificateBucketName=bucket, UseExistingBucket="true")
    cloud.stacks.delete("adopts-in-vain")

    told = runbook.run(
        "A bucket of AwsCertificateManagerDemo that has a policy",
        stack="adopts-a-policy",
        bucket=bucket,
        adopted_roles="arn:aws:iam::123456789012:role/*-AppRole-*",
        more=f"{runbook.variables['more']} ExportPrefix=Adopts AuditBundles=false",
    )
    assert "Theirs" in told
    provider = Provider(cloud, "adopts-a-policy", cloud.stacks.describe("adopts-a-policy").outputs)
    assert provider.bucket == bucket
    now = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    assert "OnlyServersRead" in now and provider.role_arn in now and "Theirs" not in now
    stack = application(provider, "in-the-adopted-bucket")
    assert stack.create().status == "CREATE_COMPLETE"
    assert stack.delete().status == "DELETE_COMPLETE"
    remove(cloud, provider)


def test_the_import_template_holds_all_that_provider_yml_retains_and_nothing_else(cloud):
    full = documents.read("provider")["Resources"]
    retained = {name for name, resource in full.items() if resource.get("DeletionPolicy") == "Retain"}
    # The former trail's log is not of use to the new one.
    assert retained == {*KEPT, "AuditBucket"}
    cloud.client("cloudformation").validate_template(TemplateBody=documents.imported())
    part = documents.load(documents.imported())
    assert set(part["Resources"]) == set(KEPT)
    assert "Outputs" not in part
    for name in ("CertificateBucket", "StateBucket"):
        assert part["Resources"][name] == full[name]
