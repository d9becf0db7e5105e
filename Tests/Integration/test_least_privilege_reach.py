"""How far each policy reaches: for every resource, condition and refusal in them there is a request that is refused
now and would be let through if that part were wider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from localcloud.accounts import trust
from localcloud.authz import context
from localcloud.authz.principals import Principal, service_principal
from moto.iam.models import iam_backends
from support import policies
from support.provider import install
from support.refused_requests import (
    BUNDLE,
    COPY,
    ELSE,
    GOOD_PUT,
    ISSUED,
    REFUSED,
    STRANGERS,
    Request,
    bucket,
    state,
    through_s3,
)

# Says the same as the statement's Principal, or can name nothing else; test_templates.py holds them in place by name.
REDUNDANT = {
    ("FunctionEncrypts", "StringEquals kms:CallerAccount"),
    ("ApplicationsDecrypt", "StringEquals kms:CallerAccount"),
    ("LetsEncryptUses", "StringEquals kms:CallerAccount"),
    ("BreakGlassDecrypts", "StringEquals kms:CallerAccount"),
    # A bucket has one access control list, its own.
    ("CloudTrailLooks", "0"),
}
PARTS = [
    part for holder in policies.HOLDERS for part in policies.widenings(holder) if (part.sid, part.name) not in REDUNDANT
]
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@dataclass(frozen=True)
class Scene:
    """A provider with every statement in force, and everybody who might want in. Each of them may do everything as far
    as their own policies go, but for the functions and the adopted roles, whose own policies are narrow."""

    provider: Any
    other_key: str
    roles: dict[str, str]

    def principal(self, who: str) -> Principal:
        if who == "cloudtrail":
            return service_principal("cloudtrail.amazonaws.com")
        return self.provider.cloud.session(self.roles[who]).principal

    def allows(self, who: str, action: str, resource: str, keys: dict[str, Any]) -> bool:
        principal = self.principal(who)
        given = {**context.of_principal(principal), "aws:securetransport": "true", **keys}
        if action.startswith("kms:"):
            given["kms:calleraccount"] = principal.account
        return self.provider.cloud.authorizer.check(principal, action, resource, given).allowed


@pytest.fixture(scope="module")
def scene(cloud):
    reader = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": "*"}
    roles = {
        "intruder": cloud.create_role("intruder", EVERYTHING),
        "server": cloud.create_role("greedy-server", EVERYTHING, path="/stackcert-app/"),
        "issuer": cloud.create_role("greedy-issuer", EVERYTHING, path="/stackcert-lets-encrypt/"),
        "adopted": cloud.create_role("adopted", reader),
        "adopted abroad": cloud.create_role("adopted-abroad", EVERYTHING, foreign=True),
    }
    adopted = ",".join(roles[name] for name in ("adopted", "adopted abroad"))
    topic = cloud.client("sns").create_topic(Name="on-call")["TopicArn"]
    provider = install(
        cloud,
        "guarded",
        ExportPrefix="Guarded",
        AdoptedRoleArns=adopted,
        AlarmTopicArn=topic,
        AllowedAccounts=f"{cloud.account},{cloud.foreign_account}",
    )
    roles |= {
        "break-glass": provider.break_glass_role,
        "function": provider.role_arn,
        "renewal": provider.renewal_role_arn,
    }
    cloud.client("iam").put_role_policy(
        RoleName="guarded-break-glass",
        PolicyName="everything",
        PolicyDocument='{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
    )
    # Accounts that trust the renewal with more than it should reach, and one that the provider does not serve.
    for account, name in (
        (cloud.foreign_account, "stackcert-renewal"),
        (cloud.foreign_account, "administrator"),
        (STRANGERS, "stackcert-renewal"),
    ):
        trusting = trust(services=[], accounts=[cloud.account])
        iam_backends[account]["aws"].create_role(name, trusting, "/", None, "", [], "3600")
    other_key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    yield Scene(provider, other_key, roles)
    cloud.stacks.delete("guarded")


@pytest.fixture(scope="module")
def fill(scene) -> Callable[[str], str]:
    cloud, provider = scene.provider.cloud, scene.provider
    details = cloud.client("cloudformation").describe_stack_resource(
        StackName="guarded", LogicalResourceId="AuditBucket"
    )
    words = {
        "bucket": provider.bucket,
        "state": provider.state_bucket,
        "key": provider.key_arn,
        "other key": scene.other_key,
        "audit": details["StackResourceDetail"]["PhysicalResourceId"],
        "queue": f"arn:aws:sqs:{cloud.region}:{cloud.account}:{provider.queue_url.rsplit('/', 1)[1]}",
        "trail": f"arn:aws:cloudtrail:{cloud.region}:{cloud.account}:trail/guarded-bundles",
        "another trail": f"arn:aws:cloudtrail:{cloud.region}:{cloud.foreign_account}:trail/guarded-bundles",
        "region": cloud.region,
        "account": cloud.account,
        "abroad": cloud.foreign_account,
    }

    def filled(text: str) -> str:
        for word, value in words.items():
            text = text.replace("{" + word + "}", value)
        return text

    return filled


def let_through(scene, fill, requests: list[Request]) -> list[str]:
    return [
        f"{who}: {action} {resource}"
        for who, action, resource, keys in requests
        if scene.allows(who, action, fill(resource), {key: fill(value) for key, value in keys.items()})
    ]


@pytest.mark.parametrize("statement", REFUSED)
def test_what_must_be_refused_is_refused(scene, fill, statement):
    assert let_through(scene, fill, REFUSED[statement]) == []


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_nothing_could_be_wider(scene, fill, part):
    requests = REFUSED[f"{part.holder}/{part.sid}"]
    with policies.InForce(scene.provider).changed(part):
        noticed = let_through(scene, fill, requests)
    assert noticed, f"{part} could be wider and nothing here would notice"


ALLOWED: list[Request] = [
    ("server", "s3:GetObject", bucket(BUNDLE), {}),
    ("server", "kms:Decrypt", "{key}", through_s3(bucket(BUNDLE))),
    ("server", "s3:PutObject", state("acknowledgements/x"), {}),
    ("adopted", "s3:GetObject", bucket(COPY), {}),
    ("adopted", "kms:Decrypt", "{key}", through_s3(bucket(COPY))),
    ("break-glass", "s3:GetObject", bucket(BUNDLE), {}),
    ("break-glass", "kms:Decrypt", "{key}", through_s3(bucket(ELSE))),
    ("break-glass", "s3:DeleteObjectVersion", bucket(BUNDLE), {}),
    ("break-glass", "sqs:ReceiveMessage", "{queue}", {}),
    ("break-glass", "s3:PutObject", state("records/x"), {}),
    ("intruder", "s3:GetObject", state("records/x"), {}),
    (
        "renewal",
        "sts:AssumeRole",
        "arn:aws:iam::{abroad}:role/stackcert-renewal",
        {"aws:resourceaccount": "{abroad}"},
    ),
    ("cloudtrail", "s3:GetBucketAcl", "arn:aws:s3:::{audit}", {"aws:sourcearn": "{trail}"}),
    ("cloudtrail", "s3:PutObject", "arn:aws:s3:::{audit}/AWSLogs/{account}/x", {"aws:sourcearn": "{trail}"}),
    # From outside only: S3 asks the key before it shows the content.
    ("renewal", "s3:GetObject", bucket(BUNDLE), {}),
    ("renewal", "s3:GetObject", bucket(ISSUED), {}),
    ("server", "s3:GetObject", bucket(ISSUED), {}),
    ("server", "kms:Decrypt", "{key}", through_s3(bucket(ISSUED))),
    ("issuer", "s3:PutObject", bucket(ISSUED), GOOD_PUT),
    ("issuer", "s3:PutObject", bucket(ELSE), GOOD_PUT),
    ("issuer", "s3:DeleteObjectVersion", bucket(ISSUED), {}),
    ("issuer", "kms:GenerateDataKey", "{key}", through_s3(bucket(ISSUED))),
    ("issuer", "kms:Decrypt", "{key}", through_s3(bucket(ELSE))),
    ("issuer", "s3:PutObject", state("records/x"), {}),
]
# Actions of resource policies that allow, and who needs each: what is left out of here is tested with the function.
NEEDED = {
    ("ApplicationsDecrypt", "kms:Decrypt"): ALLOWED[1],
    ("AdoptedRolesDecryptStableCopies", "kms:Decrypt"): ALLOWED[4],
    ("BreakGlassDecrypts", "kms:Decrypt"): ALLOWED[6],
    ("FunctionEncrypts", "kms:GenerateDataKey"): (
        "function",
        "kms:GenerateDataKey",
        "{key}",
        through_s3(bucket(BUNDLE)),
    ),
    ("LetsEncryptUses", "kms:GenerateDataKey"): ("issuer", "kms:GenerateDataKey", "{key}", through_s3(bucket(ISSUED))),
    ("LetsEncryptUses", "kms:Decrypt"): ("issuer", "kms:Decrypt", "{key}", through_s3(bucket(ELSE))),
    ("CloudTrailLooks", "s3:GetBucketAcl"): ALLOWED[12],
    ("CloudTrailWrites", "s3:PutObject"): ALLOWED[13],
}


@pytest.mark.parametrize("request_", ALLOWED, ids=lambda r: f"{r[0]} {r[1]}")
def test_what_must_be_allowed_is_allowed(scene, fill, request_):
    assert let_through(scene, fill, [request_])


GRANTED = [part for holder in ("CertificateKey", "AuditBucketPolicy") for part in policies.actions(holder, "Allow")]


def test_renewal_acts_in_other_accounts_by_one_action_only(scene, fill):
    [part] = [part for part in policies.actions("RenewalPolicy", "Allow") if part.sid == "ActInOtherAccounts"]
    [needed] = [request for request in ALLOWED if request[1] == "sts:AssumeRole"]
    assert part.name == "sts:AssumeRole"
    with policies.InForce(scene.provider).changed(part):
        assert not let_through(scene, fill, [needed])


@pytest.mark.parametrize("part", GRANTED, ids=str)
def test_no_grant_can_be_spared(scene, fill, part):
    needed = NEEDED.get((part.sid, part.name)) or ("intruder", part.name, "{key}", {})
    assert let_through(scene, fill, [needed])
    with policies.InForce(scene.provider).changed(part):
        assert not let_through(scene, fill, [needed]), f"{part} makes no difference"
