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
STRANGERS = "000011112222"
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


# A request: who, action, resource, condition keys. Words in braces are filled in from the provider.
Request = tuple[str, str, str, dict[str, str]]
BUNDLE, COPY, ELSE = "backend-certificate/x", "backend-certificate-x.json", "acme/account.json"
ISSUED = "lets-encrypt/x"
GOOD_PUT = {"s3:x-amz-server-side-encryption-aws-kms-key-id": "{key}", "s3:if-none-match": "*"}
PLAIN = {"aws:securetransport": "false"}


def bucket(name: str = "") -> str:
    return "arn:aws:s3:::{bucket}" + (f"/{name}" if name else "")


def state(name: str = "") -> str:
    return "arn:aws:s3:::{state}" + (f"/{name}" if name else "")


def through_s3(object_arn: str) -> dict[str, str]:
    return {"kms:viaservice": "s3.{region}.amazonaws.com", "kms:encryptioncontext:aws:s3:arn": object_arn}


def directly(object_arn: str) -> dict[str, str]:
    return {"kms:encryptioncontext:aws:s3:arn": object_arn}


REFUSED: dict[str, list[Request]] = {
    "FunctionPolicy/KeepBundles": [("function", "s3:GetObject", bucket(ELSE), {})],
    "FunctionPolicy/KeepStableCopies": [("function", "s3:GetObjectVersion", bucket(BUNDLE), {})],
    "FunctionPolicy/TellAbsentBundlesFromForbidden": [
        ("function", "s3:ListBucket", "arn:aws:s3:::another-bucket", {"s3:prefix": BUNDLE}),
        ("function", "s3:ListBucket", bucket(), {"s3:prefix": ELSE}),
        ("function", "s3:ListBucketVersions", bucket(), {}),
    ],
    "FunctionPolicy/EncryptBundles": [
        ("function", "kms:GenerateDataKey", "{other key}", through_s3(bucket(BUNDLE))),
        ("function", "kms:GenerateDataKey", "{key}", through_s3(state("records/x"))),
    ],
    "FunctionPolicy/KeepRecords": [("function", "s3:GetObject", state("orders/x"), {})],
    "FunctionPolicy/KeepActions": [("function", "s3:PutObject", state("orders/x"), {})],
    "FunctionPolicy/KeepTombstones": [("function", "s3:PutObject", state("locks/x"), {})],
    "FunctionPolicy/TellAbsentFactsFromForbidden": [
        ("function", "s3:ListBucket", "arn:aws:s3:::another-bucket", {"s3:prefix": "records/x"}),
        ("function", "s3:ListBucket", state(), {"s3:prefix": "actions/"}),
    ],
    "FunctionPolicy/WriteLogs": [
        ("function", "logs:PutLogEvents", "arn:aws:logs:{region}:{account}:log-group:another:*", {}),
    ],
    "FunctionPolicy/HandOverUnansweredEvents": [
        ("function", "sqs:SendMessage", "arn:aws:sqs:{region}:{account}:another", {}),
    ],
    "RenewalPolicy/FindWhatIsDue": [
        ("renewal", "s3:ListBucket", "arn:aws:s3:::another-bucket", {"s3:prefix": "actions/x"}),
        ("renewal", "s3:ListBucket", state(), {"s3:prefix": "orders/"}),
    ],
    "RenewalPolicy/ReadWhatServersSay": [("renewal", "s3:GetObject", state("tombstones/x"), {})],
    "RenewalPolicy/ReadAndMendRecords": [("renewal", "s3:PutObject", state("tombstones/x"), {})],
    "RenewalPolicy/MendMarkers": [("renewal", "s3:DeleteObject", state("tombstones/x"), {})],
    "RenewalPolicy/RememberRenewals": [("renewal", "s3:PutObject", state("tombstones/x"), {})],
    "RenewalPolicy/WatchWhatWasRenewed": [("renewal", "s3:PutObject", state("tombstones/x"), {})],
    "RenewalPolicy/RememberWhatAuthoritiesSay": [("renewal", "s3:PutObject", state("tombstones/x"), {})],
    "RenewalPolicy/RememberWhatWasTakenBack": [("renewal", "s3:PutObject", state("tombstones/x"), {})],
    "RenewalPolicy/RememberTheSweep": [("renewal", "s3:PutObject", state("tombstones/x"), {})],
    # What an earlier system left has no encryption, and a bundle's content needs the key.
    "RenewalPolicy/LookAtBundlesFromOutside": [
        ("renewal", "s3:GetObject", bucket(ELSE), {}),
        ("renewal", "kms:Decrypt", "{key}", through_s3(bucket(ISSUED))),
        ("renewal", "s3:GetObject", bucket(COPY), {}),
        ("renewal", "s3:GetObjectVersion", bucket(BUNDLE), {}),
        ("renewal", "kms:Decrypt", "{key}", through_s3(bucket(BUNDLE))),
    ],
    "RenewalPolicy/ListBundles": [
        ("renewal", "s3:ListBucket", "arn:aws:s3:::another-bucket", {"s3:prefix": "backend-certificate/"}),
        ("renewal", "s3:ListBucket", bucket(), {"s3:prefix": "backend-certificate-"}),
        ("renewal", "s3:ListBucket", bucket(), {"s3:prefix": "acme/"}),
    ],
    # No narrower resource exists.
    "RenewalPolicy/FindTheStackOfABundle": [],
    "RenewalPolicy/LookAtStacks": [
        ("renewal", "cloudformation:DescribeStacks", "arn:aws:cloudformation:elsewhere:{account}:stack/x/1", {}),
    ],
    "RenewalPolicy/UpdateStacks": [
        (
            "renewal",
            "cloudformation:ExecuteChangeSet",
            "arn:aws:cloudformation:elsewhere:{account}:stack/x/1",
            {"cloudformation:changesetname": "stackcert-x"},
        ),
        (
            "renewal",
            "cloudformation:ExecuteChangeSet",
            "arn:aws:cloudformation:{region}:{account}:stack/x/1",
            {"cloudformation:changesetname": "somebody-elses"},
        ),
    ],
    "RenewalPolicy/ActInOtherAccounts": [
        ("renewal", "sts:AssumeRole", "arn:aws:iam::{abroad}:role/administrator", {"aws:resourceaccount": "{abroad}"}),
        (
            "renewal",
            "sts:AssumeRole",
            f"arn:aws:iam::{STRANGERS}:role/stackcert-renewal",
            {"aws:resourceaccount": STRANGERS},
        ),
    ],
    "RenewalPolicy/RotateInParameterStore": [
        ("renewal", "ssm:PutParameter", "arn:aws:ssm:{region}:{account}:parameter/shop/rotation", {}),
    ],
    "RenewalPolicy/WriteLogs": [
        ("renewal", "logs:PutLogEvents", "arn:aws:logs:{region}:{account}:log-group:another:*", {}),
    ],
    "RenewalPolicy/TellWhoeverIsOnCall": [
        ("renewal", "sns:Publish", "arn:aws:sns:{region}:{account}:another", {}),
    ],
    "CertificateKey/FunctionEncrypts": [
        ("intruder", "kms:GenerateDataKey", "{key}", through_s3(bucket(BUNDLE))),
        ("function", "kms:GenerateDataKey", "{key}", directly(bucket(BUNDLE))),
    ],
    "CertificateKey/ApplicationsDecrypt": [
        ("intruder", "kms:Decrypt", "{key}", through_s3(bucket(BUNDLE))),
        ("server", "kms:Decrypt", "{key}", directly(bucket(BUNDLE))),
        ("server", "kms:Decrypt", "{key}", through_s3(bucket(ELSE))),
    ],
    "CertificateKey/LetsEncryptUses": [
        ("intruder", "kms:Decrypt", "{key}", through_s3(bucket(ISSUED))),
        ("server", "kms:Decrypt", "{key}", through_s3(bucket(ELSE))),
        ("issuer", "kms:GenerateDataKey", "{key}", directly(bucket(ISSUED))),
        ("issuer", "kms:Decrypt", "{key}", through_s3(bucket(BUNDLE))),
    ],
    "CertificateKey/BreakGlassDecrypts": [
        ("intruder", "kms:Decrypt", "{key}", through_s3(bucket(ELSE))),
        ("break-glass", "kms:Decrypt", "{key}", directly(bucket(ELSE))),
    ],
    "CertificateKey/AdoptedRolesDecryptStableCopies": [
        ("intruder", "kms:Decrypt", "{key}", through_s3(bucket(COPY))),
        ("adopted", "kms:Decrypt", "{key}", directly(bucket(COPY))),
        ("adopted", "kms:Decrypt", "{key}", through_s3(bucket(BUNDLE))),
        ("adopted abroad", "kms:Decrypt", "{key}", through_s3(bucket(COPY))),
    ],
    "CertificateBucketPolicy/OnlyOverTls": [
        ("break-glass", "s3:PutObject", bucket(BUNDLE), {**GOOD_PUT, **PLAIN}),
        ("break-glass", "s3:GetObject", bucket(BUNDLE), PLAIN),
        ("break-glass", "s3:GetObjectVersion", bucket(BUNDLE), PLAIN),
        ("break-glass", "s3:DeleteObject", bucket(BUNDLE), PLAIN),
        ("break-glass", "s3:DeleteObjectVersion", bucket(BUNDLE), PLAIN),
    ],
    "CertificateBucketPolicy/OnlyUnderTheKey": [
        ("break-glass", "s3:PutObject", bucket(COPY), {}),
        (
            "break-glass",
            "s3:PutObject",
            bucket(COPY),
            {"s3:x-amz-server-side-encryption-aws-kms-key-id": "{other key}"},
        ),
    ],
    "CertificateBucketPolicy/OnlyOnce": [
        ("break-glass", "s3:PutObject", bucket(BUNDLE), {k: v for k, v in GOOD_PUT.items() if "none-match" not in k}),
        ("issuer", "s3:PutObject", bucket(ISSUED), {k: v for k, v in GOOD_PUT.items() if "none-match" not in k}),
    ],
    "CertificateBucketPolicy/OnlyServersRead": [
        ("intruder", "s3:GetObject", bucket(BUNDLE), {}),
        ("intruder", "s3:GetObjectVersion", bucket(BUNDLE), {}),
    ],
    "CertificateBucketPolicy/OnlyTheFunctionWrites": [
        ("server", "s3:PutObject", bucket(BUNDLE), GOOD_PUT),
        ("server", "s3:DeleteObject", bucket(BUNDLE), {}),
        ("server", "s3:DeleteObjectVersion", bucket(BUNDLE), {}),
        ("issuer", "s3:PutObject", bucket(BUNDLE), GOOD_PUT),
        ("issuer", "s3:PutObject", bucket(COPY), GOOD_PUT),
    ],
    "CertificateBucketPolicy/OnlyLetsEncryptWrites": [
        ("server", "s3:PutObject", bucket(ISSUED), GOOD_PUT),
        ("server", "s3:DeleteObject", bucket(ISSUED), {}),
        ("server", "s3:DeleteObjectVersion", bucket(ISSUED), {}),
        ("intruder", "s3:PutObject", bucket(ELSE), GOOD_PUT),
    ],
    "StateBucketPolicy/OnlyOverTls": [
        ("break-glass", "s3:PutObject", state("records/x"), PLAIN),
        ("break-glass", "s3:GetObject", state("records/x"), PLAIN),
        ("break-glass", "s3:DeleteObject", state("records/x"), PLAIN),
    ],
    "StateBucketPolicy/OnlyTheFunctionWrites": [
        ("intruder", "s3:PutObject", state("records/x"), {}),
        ("intruder", "s3:DeleteObject", state("records/x"), {}),
        ("server", "s3:PutObject", state("records/x"), {}),
    ],
    "StateBucketPolicy/OnlyServersSayWhatTheyServe": [
        ("intruder", "s3:PutObject", state("acknowledgements/x"), {}),
        ("intruder", "s3:DeleteObject", state("acknowledgements/x"), {}),
    ],
    "FailureQueuePolicy/NobodyElseReads": [("intruder", "sqs:ReceiveMessage", "{queue}", {})],
    "AuditBucketPolicy/CloudTrailLooks": [
        ("cloudtrail", "s3:GetBucketAcl", "arn:aws:s3:::{audit}", {"aws:sourcearn": "{another trail}"}),
    ],
    "AuditBucketPolicy/CloudTrailWrites": [
        (
            "cloudtrail",
            "s3:PutObject",
            "arn:aws:s3:::{audit}/AWSLogs/{account}/x",
            {"aws:sourcearn": "{another trail}"},
        ),
        ("cloudtrail", "s3:PutObject", "arn:aws:s3:::{audit}/elsewhere", {"aws:sourcearn": "{trail}"}),
    ],
}


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
