"""The provider gets another version while stacks use it: the present one, and the one before it."""

from __future__ import annotations

from pathlib import Path

from localcloud.stacks import StackResult
from support import documents
from support.paths import architecture, command_zip, function_zip
from support.provider import CODE_BUCKET, Provider, install
from support.surroundings import surroundings

EARLIER = Path(__file__).parent / "earlier_version"
NEXT = {
    "CodeS3Key": f"stackcert/2/stackcert-lambda-{architecture()}.zip",
    "CommandS3Key": f"stackcert/2/stackcert-{architecture()}.zip",
}


def servers(cloud, result) -> set[str]:
    group = result.physical_id("Servers")
    found = cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    return {instance["InstanceId"] for instance in found["AutoScalingGroups"][0]["Instances"]}


def create(provider: Provider, template: str, name: str) -> StackResult:
    """An application whose imports are this provider's exports."""
    cloud, domain = provider.cloud, f"{name}.example.com"
    parameters = surroundings(cloud, domain).parameters | {
        "Domain": domain,
        "CertificateBucket": provider.bucket,
        "CreateElbBackendCertificatesArn": provider.arn,
    }
    made = cloud.stacks.create(name, template.replace("!ImportValue ", f"!ImportValue {provider.stack}-"), parameters)
    assert made.status == "CREATE_COMPLETE", [i.console for i in cloud.instances.all]
    return made


def upgrade(provider: Provider) -> StackResult:
    s3 = provider.cloud.client("s3")
    for key, code in zip(NEXT.values(), (function_zip(), command_zip()), strict=True):
        s3.put_object(Bucket=CODE_BUCKET, Key=key, Body=code.read_bytes())
    return provider.cloud.stacks.update(provider.stack, documents.published("provider"), NEXT)


def rotate(provider: Provider, made: StackResult) -> list[str]:
    """The keys of the objects that the new server fetched."""
    cloud, before = provider.cloud, servers(provider.cloud, made)
    cloud.recorder.clear()
    rotated = cloud.stacks.update(made.name, parameters={"CertificateRotation": "2"})
    assert rotated.status == "UPDATE_COMPLETE", rotated.reasons()
    assert rotated.outputs["PreviousPublicKey"] == made.outputs["PublicKey"]
    assert not servers(cloud, made) & before
    role = rotated.outputs["ServerRoleArn"].rsplit("/", 1)[1]
    return [call.params["Key"] for call in cloud.recorder.calls_named("s3:GetObject", role)]


def remove(provider: Provider, made: StackResult) -> None:
    assert provider.cloud.stacks.delete(made.name).status == "DELETE_COMPLETE"
    assert provider.versions() == []
    assert provider.cloud.stacks.delete(provider.stack).status == "DELETE_COMPLETE"


def test_an_upgrade_changes_nothing_of_a_stack_and_its_next_server_fetches_the_new_command(cloud):
    provider = install(cloud, "upgraded", ExportPrefix="upgraded-")
    made = create(provider, documents.published("automated"), "upgraded-app")
    before = servers(cloud, made)
    upgraded = upgrade(provider)
    assert upgraded.status == "UPDATE_COMPLETE", upgraded.reasons("ROLLBACK")
    assert upgraded.outputs == provider.outputs
    assert servers(cloud, made) == before
    assert NEXT["CommandS3Key"] in rotate(provider, made)
    remove(provider, made)


def test_a_stack_of_the_version_before_is_upgraded_as_the_readme_says(cloud):
    template = (EARLIER / "provider.yml").read_text()
    provider = install(cloud, "earlier", template=template, ExportPrefix="earlier-")
    made = create(provider, (EARLIER / "automated.yml").read_text(), "earlier-app")
    before = servers(cloud, made)
    refused = upgrade(provider)
    assert refused.status == "UPDATE_ROLLBACK_COMPLETE"
    assert any("CommandS3Object" in reason for reason in refused.reasons("ROLLBACK")), refused.events[-5:]

    named = {"CommandS3Object": provider.outputs["CommandS3Object"]}
    apart = cloud.stacks.update(made.name, parameters=named)
    assert apart.status == "UPDATE_COMPLETE", apart.reasons("")
    upgraded = upgrade(provider)
    assert upgraded.status == "UPDATE_COMPLETE", upgraded.reasons("ROLLBACK")
    assert {key: upgraded.outputs[key] for key in ("ProviderArn", "CertificateBucketName", "StateBucketName")} == {
        key: provider.outputs[key] for key in ("ProviderArn", "CertificateBucketName", "StateBucketName")
    }
    assert servers(cloud, made) == before
    # The stack of the version before rotates and is deleted.
    assert named["CommandS3Object"].split("/", 1)[1] in rotate(provider, made)
    remove(provider, made)
