"""The bundles outlive the provider: live load balancers trust them."""

from __future__ import annotations

import json

import pytest
from support import tls
from support.application import application
from support.provider import install


def test_a_bundle_can_be_decrypted_after_the_provider_is_gone(cloud):
    provider = install(cloud, "retired", ExportPrefix="Retired", AuditBundles="false")
    stack = application(provider, "outlives-its-provider")
    stack.create()
    attributes = stack.attributes
    server = cloud.create_role(
        "outlives-its-provider-server",
        {
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{provider.bucket}/{attributes['CertificateS3Prefix']}*",
        },
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": provider.key_arn},
        path="/stackcert-app/",
    )
    gone = cloud.stacks.delete(provider.stack)
    assert gone.status == "DELETE_COMPLETE", gone.reasons()
    assert provider.function_name not in {
        f["FunctionName"] for f in cloud.client("lambda").list_functions()["Functions"]
    }
    found = cloud.client("s3", as_role=server).get_object(Bucket=provider.bucket, Key=attributes["CertificateS3Key"])
    bundle = json.loads(found["Body"].read())
    assert tls.public_key_of(bundle["private_key"]) == attributes["PublicKey"]

    # Over the bucket that stayed it cannot be installed as the first time: the bucket has its policy still.
    with pytest.raises(RuntimeError, match=f"The bucket policy already exists on bucket {provider.bucket}"):
        install_again(cloud, provider)
    cloud.stacks.delete(provider.stack)

    # Without the policy it can. Under the same name it has the same address and serves the stack.
    cloud.client("s3").delete_bucket_policy(Bucket=provider.bucket)
    again = install_again(cloud, provider)
    assert again.arn == provider.arn and again.bucket == provider.bucket
    assert stack.update(Rotation="2").status == "UPDATE_COMPLETE"
    assert stack.attributes["PreviousPublicKey"] == attributes["PublicKey"]
    assert stack.delete().status == "DELETE_COMPLETE"
    assert again.versions(attributes["CertificateS3Prefix"]) == []
    cloud.stacks.delete(again.stack)


def install_again(cloud, provider):
    cloud.client("iam").delete_role_policy(RoleName=f"{provider.stack}-break-glass", PolicyName="inline")
    cloud.client("iam").delete_role(RoleName=f"{provider.stack}-break-glass")
    return install(
        cloud,
        provider.stack,
        ExportPrefix="Retired",
        AuditBundles="false",
        CertificateBucketName=provider.bucket,
        UseExistingBucket="true",
    )
