"""The role of the function for Let's Encrypt certificates: without any one of its actions something fails, with all of
them nothing is refused, and no part of it could be wider without something being let through."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from localcloud.authz import context
from support import lets_encrypt, policies
from support.renewal import Renewable, Renewal

HOLDER = "LetsEncryptPolicy"
GENERATION = "stackcert:generation"


@pytest.fixture(scope="module")
def in_force(provider, lets_encrypt_provider):
    return policies.InForce(provider, lets_encrypt_provider.stack)


class Scenario:
    """The lives of three stacks, and an event that fails: together they need all that the role may do. It ends with
    the first step that goes wrong."""

    def __init__(self, provider, authority, name: str):
        self.provider, self.authority, self.name, self.cloud = provider, authority, name, provider.cloud
        self.stacks: list[lets_encrypt.Shop] = []

    def shop(self, suffix: str, **properties: Any) -> lets_encrypt.Shop:
        stack = lets_encrypt.shop(self.provider, self.authority, f"{self.name}-{suffix}", **properties)
        self.stacks.append(stack)
        return stack

    def played(self, slow_name_servers: bool) -> str | None:
        """What went wrong, or None."""
        self.cloud.recorder.clear()
        self._forget_logs()
        self.cloud.route53.propagation = 0.5 if slow_name_servers else 0
        try:
            return self._by_dns() or self._by_website() or self._abroad() or self._logged() or self._handed_over()
        finally:
            self.cloud.route53.propagation = 0
            self.cloud.asynchronous.wait_idle()

    def _expect(self, result: Any, status: str, what: str) -> str | None:
        denied = self.cloud.recorder.denied(":assumed-role/letsencrypt-")
        if denied:
            return f"refused: {denied[0].action}"
        return None if result.status == status else f"{what}: {result.status}: {result.reasons()[:1]}"

    def _by_dns(self) -> str | None:
        """Without HostedZoneId and with more than three names, so that zones are listed and looked at."""
        stack = self.shop("dns", HostedZoneId=None, Import="ACM,IAM", StableCertificateArn="true")
        stack.properties["DomainNames"] = [stack.domain, *(f"{word}.{stack.domain}" for word in "abc")]
        return (
            self._expect(stack.create(), "CREATE_COMPLETE", "create")
            or self._expect(stack.update(Rotation="2"), "UPDATE_COMPLETE", "rotate")
            or self._expect(stack.delete(), "DELETE_COMPLETE", "delete")
            or (f"left behind: {stack.left_behind()}" if stack.left_behind() else None)
        )

    def _by_website(self) -> str | None:
        stack = self.shop("web", HostedZoneId=None, Challenge="http-01", ChallengeBucket=lets_encrypt.WEBSITE)
        self.authority.website.names[stack.domain] = lets_encrypt.WEBSITE
        return (
            self._expect(stack.create(), "CREATE_COMPLETE", "create by http-01")
            or self._expect(stack.delete(), "DELETE_COMPLETE", "delete")
            or (f"left behind: {stack.left_behind()}" if stack.left_behind() else None)
        )

    def _abroad(self) -> str | None:
        role = f"arn:aws:iam::{self.cloud.foreign_account}:role/zone-keeper"
        stack = self.shop("abroad", HostedZoneId=None, HostedZoneRoleArn=role, Import=None)
        stack.properties["DomainNames"] = f"{stack.name}.{lets_encrypt.ABROAD}"
        return self._expect(stack.create(), "CREATE_COMPLETE", "create in a zone of another account") or self._expect(
            stack.delete(), "DELETE_COMPLETE", "delete"
        )

    def _forget_logs(self) -> None:
        client, group = self.cloud.client("logs"), self.provider.log_group
        for stream in client.describe_log_streams(logGroupName=group)["logStreams"]:
            client.delete_log_stream(logGroupName=group, logStreamName=stream["logStreamName"])

    def _logged(self) -> str | None:
        events = self.cloud.client("logs").filter_log_events(logGroupName=self.provider.log_group)["events"]
        told = any(self.stacks[-1].guid in event["message"] for event in events)
        return None if told else "nothing of the stack is in the log"

    def _handed_over(self) -> str | None:
        """An event that fails three times goes to the failure queue."""
        marker = f"failing-event-{time.monotonic_ns()}"
        self.cloud.client("lambda").invoke(
            FunctionName=self.provider.function_name,
            InvocationType="Event",
            Payload=json.dumps({"marker": marker}).encode(),
        )
        self.cloud.asynchronous.wait_idle()
        queue = self.cloud.client("sqs", as_role=self.provider.beside.break_glass_role)
        where = {"QueueUrl": self.provider.queue_url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0}
        messages = queue.receive_message(**where).get("Messages", [])
        for message in messages:
            self.cloud.client("sqs").delete_message(
                QueueUrl=self.provider.queue_url, ReceiptHandle=message["ReceiptHandle"]
            )
        found = any(marker in message["Body"] for message in messages)
        return None if found else "the failed event is not in the failure queue"

    def clean(self) -> None:
        """With all of the policy in force again."""
        for stack in self.stacks:
            if self.cloud.stacks.exists(stack.name):
                assert stack.delete().status == "DELETE_COMPLETE", stack.result.reasons()


@pytest.fixture
def scenario(lets_encrypt_provider, authority, name):
    made = Scenario(lets_encrypt_provider, authority, name)
    yield made
    made.clean()


def test_the_whole_policy_is_enough(scenario):
    assert scenario.played(slow_name_servers=True) is None


@pytest.mark.contract(11)
def test_it_is_enough_if_s3_knows_no_prefix_when_it_decides_between_absent_and_forbidden(cloud, scenario):
    cloud.authorizer.implicit_list_prefix = False
    try:
        assert scenario.played(slow_name_servers=False) is None
    finally:
        cloud.authorizer.implicit_list_prefix = True


@pytest.mark.parametrize("part", policies.actions(HOLDER, "Allow"), ids=str)
def test_no_action_can_be_spared(in_force, scenario, part):
    with in_force.changed(part):
        wrong = scenario.played(slow_name_servers=part.sid == "WaitForNameServers")
    assert wrong is not None, f"{part} makes no difference"


def asked_later(provider, renewals, stack) -> str | None:
    """Two runs of the schedule on a certificate that its authority wants renewed in two months: what went wrong, or
    None. The first asks and remembers, the second knows."""
    cloud, renewal = provider.cloud, Renewal(provider)
    cloud.recorder.clear()
    for _ in range(2):
        renewal.make_due(stack)
        if renewal.run(stack) is not None:
            return f"renewed all the same: {renewal.line}"
    if denied := cloud.recorder.denied("RenewalRole"):
        return f"refused: {denied[0].action}"
    if not [key for key in provider.state("renewal-info/") if stack.guid in key]:
        return "what the authority said was forgotten"
    return None if len(renewals.asked) == 1 else f"asked {len(renewals.asked)} times"


@pytest.mark.parametrize(
    "part",
    [None, *(p for p in policies.actions("RenewalPolicy", "Allow") if p.sid == "RememberWhatAuthoritiesSay")],
    ids=str,
)
def test_renewal_remembers_what_an_authority_said(provider, lets_encrypt_provider, authority, name, part):
    renewals = authority.shim.extensions.advertise_renewal_information()
    shop = lets_encrypt.shop(lets_encrypt_provider, authority, name)
    assert shop.create().status == "CREATE_COMPLETE", shop.result.reasons()
    stack = Renewable(provider.cloud, name, shop.result)
    with policies.InForce(provider).changed(part) if part else contextlib.nullcontext():
        wrong = asked_later(provider, renewals, stack)
    authority.shim.extensions.reset()
    Renewal(provider).forget(stack)
    assert shop.delete().status == "DELETE_COMPLETE"
    assert (wrong is None) == (part is None), wrong


# Action, resource, condition keys. Words in braces are filled in.
Request = tuple[str, str, dict[str, Any]]
ZONE, BUCKET, STATE = "arn:aws:route53:::hostedzone/{zone}", "arn:aws:s3:::{bucket}", "arn:aws:s3:::{state}"
CERTIFICATE = "arn:aws:acm:{region}:{account}:certificate/x"
SERVER_CERTIFICATE = "arn:aws:iam::{account}:server-certificate/"


def through_s3(key: str) -> dict[str, str]:
    return {
        "kms:viaservice": "s3.{region}.amazonaws.com",
        "kms:calleraccount": "{account}",
        "kms:encryptioncontext:aws:s3:arn": key,
    }


def change(name: str = "_acme-challenge.shop.example", kind: str = "TXT", action: str = "CREATE") -> dict[str, Any]:
    prefix = "route53:changeresourcerecordsets"
    return {
        prefix + "normalizedrecordnames": [name],
        prefix + "recordtypes": [kind],
        prefix + "actions": [action],
    }


REFUSED: dict[str, list[Request]] = {
    "KeepBundles": [("s3:DeleteObjectVersion", BUCKET + "/acme/x", {})],
    "KeepOrders": [("s3:GetObject", BUCKET + "/backend-certificate/x", {})],
    "TellAbsentBundlesFromForbidden": [
        ("s3:ListBucket", "arn:aws:s3:::another", {"s3:prefix": "acme/x"}),
        ("s3:ListBucket", BUCKET, {"s3:prefix": "backend-certificate/"}),
    ],
    "FindVersionsToRemove": [
        ("s3:ListBucketVersions", "arn:aws:s3:::another", {"s3:prefix": "lets-encrypt/x"}),
        ("s3:ListBucketVersions", BUCKET, {"s3:prefix": "acme/"}),
    ],
    "EncryptAndDecryptItsOwn": [
        ("kms:GenerateDataKey", "{other key}", through_s3(BUCKET + "/lets-encrypt/x")),
        ("kms:Decrypt", "{key}", through_s3("arn:aws:s3:::another/lets-encrypt/x")),
    ],
    "KeepRecords": [("s3:GetObject", STATE + "/renewals/x", {})],
    "KeepActions": [("s3:PutObject", STATE + "/renewals/x", {})],
    "KeepTombstones": [("s3:PutObject", STATE + "/renewals/x", {})],
    "TellAbsentFactsFromForbidden": [
        ("s3:ListBucket", "arn:aws:s3:::another", {"s3:prefix": "records/x"}),
        ("s3:ListBucket", STATE, {"s3:prefix": "actions/"}),
    ],
    "WaitForNameServers": [("route53:GetChange", ZONE, {})],
    "LookIntoZones": [("route53:ListResourceRecordSets", "arn:aws:route53:::hostedzone/ANOTHER", {})],
    "AnswerInZones": [
        ("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/ANOTHER", change()),
        ("route53:ChangeResourceRecordSets", ZONE, change(name="www.shop.example")),
        ("route53:ChangeResourceRecordSets", ZONE, change(kind="CNAME")),
        ("route53:ChangeResourceRecordSets", ZONE, change(action="UPSERT")),
    ],
    "AnswerInOtherAccounts": [("sts:AssumeRole", "arn:aws:iam::{abroad}:role/administrator", {})],
    "AnswerOnWebsites": [("s3:PutObject", "arn:aws:s3:::" + lets_encrypt.WEBSITE + "/index.html", {})],
    "CopyToAcm": [
        ("acm:ImportCertificate", "arn:aws:acm:{region}:{abroad}:certificate/x", {f"aws:requesttag/{GENERATION}": "1"}),
        ("acm:AddTagsToCertificate", CERTIFICATE, {"aws:requesttag/Name": "x"}),
    ],
    "ReplaceAndDeleteItsOwnInAcm": [
        (
            "acm:DeleteCertificate",
            "arn:aws:acm:{region}:{abroad}:certificate/x",
            {f"aws:resourcetag/{GENERATION}": "1"},
        ),
        ("acm:DeleteCertificate", CERTIFICATE, {}),
    ],
    "LookIntoAcm": [("acm:GetCertificate", "arn:aws:acm:{region}:{abroad}:certificate/x", {})],
    "CopyToIam": [("iam:DeleteServerCertificate", SERVER_CERTIFICATE + "somebody-elses", {})],
    "AskHowStacksAreDeployed": [
        ("cloudformation:DescribeStacks", "arn:aws:cloudformation:elsewhere:{account}:stack/x/1", {})
    ],
    "WriteLogs": [("logs:PutLogEvents", "arn:aws:logs:{region}:{account}:log-group:another:*", {})],
    "HandOverUnansweredEvents": [("sqs:SendMessage", "arn:aws:sqs:{region}:{account}:another", {})],
}


@pytest.fixture(scope="module")
def let_through(lets_encrypt_provider, provider):
    """Asks for requests with the function's role; those that are allowed."""
    cloud = provider.cloud
    words = {
        "bucket": provider.bucket,
        "state": provider.state_bucket,
        "key": provider.key_arn,
        "other key": cloud.client("kms").create_key()["KeyMetadata"]["Arn"],
        "zone": lets_encrypt_provider.zone,
        "region": cloud.region,
        "account": cloud.account,
        "abroad": cloud.foreign_account,
    }
    principal = cloud.session(lets_encrypt_provider.role_arn).principal

    def filled(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        for word, meant in words.items():
            value = value.replace("{" + word + "}", meant)
        return value

    def asked(requests: list[Request]) -> list[str]:
        given = {**context.of_principal(principal), "aws:securetransport": "true"}
        return [
            f"{action} {resource}"
            for action, resource, keys in requests
            if cloud.authorizer.check(
                principal, action, filled(resource), {**given, **{k: filled(v) for k, v in keys.items()}}
            ).allowed
        ]

    return asked


@pytest.mark.parametrize("statement", REFUSED)
def test_what_must_be_refused_is_refused(let_through, statement):
    assert let_through(REFUSED[statement]) == []


@pytest.mark.parametrize("part", policies.widenings(HOLDER), ids=str)
def test_nothing_could_be_wider(let_through, in_force, part):
    with in_force.changed(part):
        noticed = let_through(REFUSED[part.sid])
    assert noticed, f"{part} could be wider and nothing here would notice"
