"""Stacks that AwsCertificateManagerDemo made survive its function's code being replaced by ours: their keys stay, their
template works unchanged, and nothing of theirs is deleted before its time."""

from __future__ import annotations

import pytest
from support import policies
from support.application import application, await_next_second
from support.provider import install
from support.system_a import SystemA, template

MODES = {"versioned": 8, "not versioned": 5, "suspended": 4, "versioned later": 8}
"""How the bucket of system A is kept (`versioned later`: switched on when the first keys were there already;
`suspended`: switched on once, and off again before the first key), and how many stacks the tests of this file need
there."""


class TakenOver:
    """System A with some stacks, then a provider over its bucket, and our code in its function's place."""

    def __init__(self, cloud, mode: str):
        word = mode.replace(" ", "-")
        # Its function writes to a log group of its user's choice, where streams begin with the function's name.
        self.a = SystemA.set_up(cloud, f"certificates-{word}", mode in ("versioned", "suspended"), f"system-a-{word}")
        if mode == "suspended":
            self.a.suspend_versions()
        domains = {f"{word}-{number}": f"{word}-{number}.example.com" for number in range(MODES[mode])}
        if mode == "versioned":
            # One domain, and so one AppName.
            domains |= {f"{word}-twin-{number}": f"{word}-twin.example.com" for number in (1, 2)}
            domains |= {f"{word}-broken-{number}": f"{word}-broken-{number}.example.com" for number in (1, 2)}
        for name, domain in domains.items():
            cloud.stacks.start_create(name, template(), self.a.parameters(domain))
            if "-twin-" in name:
                cloud.stacks.wait(name)
        self.stacks = [cloud.stacks.wait(name) for name in domains]
        assert {stack.status for stack in self.stacks} == {"CREATE_COMPLETE"}
        if mode == "versioned later":
            self.a.switch_on_versions()
        if mode == "versioned":
            self.a.switch_on_bucket_keys()
        self.twins = [stack for stack in self.stacks if "-twin-" in stack.name]
        self.broken = [stack for stack in self.stacks if "-broken-" in stack.name]
        for stack in self.broken:
            self.a.put(self.a.stable_key(f"{stack.name}.example.com"), b"not a bundle")
        self.provider = install(
            cloud,
            f"adopting-{word}",
            ExportPrefix=f"Adopting-{word}-",
            AuditBundles="false",
            CertificateBucketName=self.a.bucket,
            UseExistingBucket="true",
            StableS3KeyDefault="true",
            AdoptedRoleArns=",".join(stack.outputs["Role"] for stack in self.stacks),
        )
        self.stacks = [stack for stack in self.stacks if stack not in self.twins + self.broken]
        self.a.take_over(self.provider)


def answer(response: dict | None) -> tuple[str | None, str | None]:
    return (response or {}).get("Status"), (response or {}).get("PhysicalResourceId")


class Adopted:
    """One of the stacks."""

    def __init__(self, cloud, taken_over: TakenOver, stack=None):
        self.cloud, self.a, self.provider = cloud, taken_over.a, taken_over.provider
        self.first = stack or taken_over.stacks.pop()
        self.stack = self.first.name
        self.domain = f"{self.stack[:-2] if '-twin-' in self.stack else self.stack}.example.com"
        self.role, self.public_key = self.first.outputs["Role"], self.first.outputs["PublicKey"]
        if self.first not in taken_over.broken:
            assert self.a.public_key(self.domain, self.role) == self.public_key

    @property
    def physical_id(self) -> str:
        """The id that system A's function gave."""
        return self.first.physical_id("ElbBackendCertificate")

    @property
    def current_id(self) -> str:
        found = self.cloud.client("cloudformation").describe_stack_resource(
            StackName=self.stack, LogicalResourceId="ElbBackendCertificate"
        )
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def update(self, later=None, **properties):
        return self.cloud.stacks.update(self.stack, template(later, **properties))

    def events(self):
        """What our function was asked for this stack, and what it answered. (The Create was system A's.)"""
        return [
            (e.request["RequestType"], e.request.get("PhysicalResourceId"), *answer(e.response))
            for e in self.cloud.recorder.exchanges
            if e.request["StackId"] == self.first.id and e.request["RequestType"] != "Create"
        ]

    def trusted(self) -> list[str]:
        """The public keys in the load balancer's policies."""
        described = self.cloud.client("elb").describe_load_balancer_policies(
            LoadBalancerName=self.first.physical_id("ElasticLoadBalancer")
        )
        return [p["PolicyAttributeDescriptions"][0]["AttributeValue"] for p in described["PolicyDescriptions"]]

    def left(self) -> list[tuple[str, str]]:
        """Versions of anything of this stack's in the bucket."""
        return [version for version in self.provider.versions("backend-certificate") if self.domain in version[0]]

    def refused(self) -> list:
        return [d for d in self.cloud.recorder.denied("FunctionRole") if not d.action.startswith("logs:")]


@pytest.fixture(scope="module")
def systems(cloud):
    """Made when first asked for: mode to system."""
    made: dict[str, TakenOver] = {}

    def system(mode: str) -> TakenOver:
        if mode not in made:
            made[mode] = TakenOver(cloud, mode)
        return made[mode]

    return system


@pytest.fixture(params=MODES)
def adopted(request, cloud, systems):
    return Adopted(cloud, systems(request.param))


@pytest.fixture(params=["versioned", "versioned later"])
def versioned(request, cloud, systems):
    return Adopted(cloud, systems(request.param))


@pytest.mark.contract(26, 30)
def test_an_update_keeps_key_and_id(adopted):
    """A property changes that has nothing to do with the certificate, and system A's users would force an Update."""
    assert adopted.physical_id.split("/", 3)[3].startswith("CreateElbBackendCertificates-")
    result = adopted.update(CacheBuster="1")
    assert result.status == "UPDATE_COMPLETE", result.reasons()
    [(kind, sent, status, returned)] = adopted.events()
    assert (kind, status) == ("Update", "SUCCESS")
    assert sent == returned == adopted.physical_id
    assert result.outputs["PublicKey"] == adopted.public_key
    assert adopted.a.public_key(adopted.domain, adopted.role) == adopted.public_key
    assert adopted.trusted() == [adopted.public_key]
    assert adopted.refused() == []


@pytest.mark.contract(26)
def test_the_unchanged_template_can_be_deleted(adopted):
    result = adopted.cloud.stacks.delete(adopted.stack)
    assert result.status == "DELETE_COMPLETE", result.reasons()
    assert adopted.left() == []
    assert adopted.refused() == []


@pytest.mark.contract(26)
def test_deleting_after_an_update_removes_the_object(adopted):
    adopted.update(CacheBuster="1")
    assert adopted.cloud.stacks.delete(adopted.stack).status == "DELETE_COMPLETE"
    assert adopted.left() == []
    guid = adopted.first.id.rsplit("/", 1)[1]
    assert [k for k in adopted.provider.state() if guid in k and not k.startswith("tombstones/")] == []
    assert adopted.refused() == []


@pytest.mark.contract(26)
def test_a_rotation_gives_the_servers_a_new_key_where_they_look(versioned):
    result = versioned.update(Rotation="2")
    assert result.status == "UPDATE_COMPLETE", result.reasons()
    update, cleanup = versioned.events()
    assert update[:3] == ("Update", versioned.physical_id, "SUCCESS") and update[3].startswith("stackcert:1:")
    assert cleanup[:3] == ("Delete", versioned.physical_id, "SUCCESS")
    assert result.outputs["PublicKey"] != versioned.public_key
    # The role knows nothing of KMS, and reads the copy all the same.
    assert versioned.a.public_key(versioned.domain, versioned.role) == result.outputs["PublicKey"]
    stable = versioned.a.stable_key(versioned.domain)
    assert len(versioned.provider.versions(stable)) == 1
    assert versioned.refused() == []
    assert versioned.cloud.stacks.delete(versioned.stack).status == "DELETE_COMPLETE"
    assert versioned.left() == []


@pytest.mark.contract(26)
@pytest.mark.parametrize("rollback", ["update", "delete"])
def test_a_rotation_that_is_rolled_back_brings_the_old_object_back(cloud, versioned, rollback):
    before, cloud.environment.rollback = cloud.environment.rollback, rollback
    try:
        result = versioned.update(later="", Rotation="2")
    finally:
        cloud.environment.rollback = before
    assert result.status == "UPDATE_ROLLBACK_COMPLETE", result.reasons()
    assert result.outputs["PublicKey"] == versioned.public_key
    assert versioned.current_id == versioned.physical_id
    assert versioned.a.public_key(versioned.domain, versioned.role) == versioned.public_key
    assert [key for key, _ in versioned.left()] == [versioned.a.stable_key(versioned.domain)]
    await_next_second()
    again = versioned.update(Rotation="3")
    assert again.status == "UPDATE_COMPLETE", again.reasons()
    assert versioned.a.public_key(versioned.domain, versioned.role) == again.outputs["PublicKey"]


@pytest.mark.contract(26)
def test_a_cleanup_that_is_delivered_twice(versioned):
    """The second delivery finds our own copy at the stable key, which the function cannot read."""
    versioned.cloud.faults.add("duplicate", "Delete", kind="delivery")
    result = versioned.update(Rotation="2")
    assert result.status == "UPDATE_COMPLETE"
    versioned.cloud.asynchronous.wait_idle()
    answers = {i.result for i in versioned.cloud.recorder.invocations if b'"Delete"' in i.payload}
    assert answers == {b'{"Status":"SUCCESS"}'}
    assert versioned.a.public_key(versioned.domain, versioned.role) == result.outputs["PublicKey"]


@pytest.mark.contract(26, 28)
@pytest.mark.parametrize("mode", ["not versioned", "suspended"])
def test_a_bucket_that_keeps_no_versions_is_not_rotated_in(cloud, systems, mode):
    """The copy would overwrite the key in use, and nothing could bring it back."""
    adopted = Adopted(cloud, systems(mode))
    result = adopted.update(Rotation="2")
    assert result.status == "UPDATE_ROLLBACK_COMPLETE", result.reasons()
    assert any("put-bucket-versioning" in reason for reason in result.reasons())
    assert adopted.a.public_key(adopted.domain, adopted.role) == adopted.public_key
    assert adopted.current_id == adopted.physical_id
    assert adopted.trusted() == [adopted.public_key]


@pytest.mark.contract(28)
@pytest.mark.parametrize("mode", ["not versioned", "suspended"])
def test_a_copy_of_our_own_is_not_overwritten_in_such_a_bucket(cloud, systems, mode, name):
    provider = systems(mode).provider
    stack = application(provider, name, StableS3Key="true")
    assert stack.create().status == "CREATE_COMPLETE"
    key, before = f"backend-certificate-{name}.json", stack.attributes["PublicKey"]
    s3 = cloud.client("s3", as_role=provider.break_glass_role)
    copy = s3.get_object(Bucket=provider.bucket, Key=key)["Body"].read()
    result = stack.update(Rotation="2")
    assert result.status == "UPDATE_ROLLBACK_COMPLETE", result.reasons()
    assert any("put-bucket-versioning" in reason for reason in result.reasons())
    assert result.outputs["PublicKey"] == before
    assert s3.get_object(Bucket=provider.bucket, Key=key)["Body"].read() == copy
    assert stack.delete().status == "DELETE_COMPLETE"


@pytest.mark.contract(29)
def test_two_stacks_with_one_name_keep_their_key_through_each_others_rotation_and_deletion(cloud, systems):
    taken_over = systems("versioned")
    first, second = (Adopted(cloud, taken_over, stack) for stack in taken_over.twins)
    assert first.public_key == second.public_key
    for stack in first, second:
        assert stack.update(CacheBuster="1").status == "UPDATE_COMPLETE"
    refused = first.update(CacheBuster="1", Rotation="2")
    assert refused.status == "UPDATE_ROLLBACK_COMPLETE", refused.reasons()
    assert any("other resource(s) with this AppName use" in reason for reason in refused.reasons())
    assert second.a.public_key(second.domain, second.role) == second.public_key
    assert cloud.stacks.delete(first.stack).status == "DELETE_COMPLETE"
    assert second.a.public_key(second.domain, second.role) == second.public_key
    assert second.update(CacheBuster="2").outputs["PublicKey"] == second.public_key
    # Alone now.
    rotated = second.update(CacheBuster="2", Rotation="2")
    assert rotated.status == "UPDATE_COMPLETE", rotated.reasons()
    assert second.a.public_key(second.domain, second.role) == rotated.outputs["PublicKey"]
    assert cloud.stacks.delete(second.stack).status == "DELETE_COMPLETE"
    assert second.left() == []


@pytest.mark.contract(30)
@pytest.mark.parametrize("rotates", [False, True], ids=["delete", "rotate"])
def test_an_object_that_cannot_be_read_stops_neither_a_delete_nor_another_rotation(cloud, systems, rotates):
    taken_over = systems("versioned")
    adopted = Adopted(cloud, taken_over, taken_over.broken[int(rotates)])
    if rotates:
        result = adopted.update(Rotation="2")
        assert result.status == "UPDATE_COMPLETE", result.reasons()
        assert result.outputs["PublicKey"] != adopted.public_key
        assert adopted.a.public_key(adopted.domain, adopted.role) == result.outputs["PublicKey"]
    assert cloud.stacks.delete(adopted.stack).status == "DELETE_COMPLETE"
    assert adopted.refused() == []


@pytest.mark.contract(26)
def test_the_new_template_takes_over_from_the_old(versioned):
    """Moving from StableS3Key to CertificateS3Key: the copy goes, the bundle under its own prefix stays."""
    result = versioned.update(Rotation="2", StableS3Key="false")
    assert result.status == "UPDATE_COMPLETE", result.reasons()
    assert [key for key, _ in versioned.left()] == [result.outputs["CertificateS3Key"]]


def test_no_versions_need_another_permission(cloud, systems):
    """The one action of the function's role that buckets of provider.yml's own do not need."""
    adopted = Adopted(cloud, systems("not versioned"))
    part = policies.Part("FunctionPolicy", "KeepStableCopies", "without", "s3:DeleteObject")
    with policies.InForce(adopted.provider).changed(part):
        assert cloud.stacks.delete(adopted.stack).status == "DELETE_FAILED"
    assert [key for key, _ in adopted.left()] == [adopted.a.stable_key(adopted.domain)]
    assert cloud.stacks.delete(adopted.stack).status == "DELETE_COMPLETE"


def test_in_a_bucket_with_bucket_keys_each_bundle_has_a_data_key_of_its_own(cloud, systems, name):
    """KMS is told the bundle's name, which the policies of the function and of servers are about."""
    provider = systems("versioned").provider
    default = cloud.client("s3").get_bucket_encryption(Bucket=provider.bucket)["ServerSideEncryptionConfiguration"]
    assert default["Rules"][0]["BucketKeyEnabled"] in (True, "true")
    stack = application(provider, name)
    assert stack.create().status == "CREATE_COMPLETE", stack.result.reasons()
    looked = cloud.client("s3", as_role=provider.role_arn)
    head = looked.head_object(Bucket=provider.bucket, Key=stack.attributes["CertificateS3Key"])
    assert head["SSEKMSKeyId"] == provider.key_arn
    assert not head.get("BucketKeyEnabled", False)
    assert "private_key" in provider.bundle(stack.attributes["CertificateS3Key"])
    assert stack.delete().status == "DELETE_COMPLETE"
