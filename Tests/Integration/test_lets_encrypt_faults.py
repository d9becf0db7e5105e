"""Custom::LetsEncryptCertificate when things go wrong: bad properties, zones out of reach, deaths in the middle, the
same event many times. One order, nothing left behind, and a reason in one line."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import lets_encrypt, tls
from support.application import await_next_second
from support.gates import counted
from support.lets_encrypt import orders
from test_lets_encrypt import created, rotated

SECRET = "hunter2-never-to-be-seen"

# Property, value (None: left out), what the reason must say. A value of SECRET must not come back.
PROPERTIES = [
    ("AppName", None, "AppName is missing"),
    ("AppName", f"{SECRET}/*", "AppName"),
    ("AppS3Bucket", f"{SECRET}-bucket", "AppS3Bucket"),
    ("DomainNames", None, "DomainNames is missing"),
    ("DomainNames", [], "DomainNames"),
    ("DomainNames", f"{SECRET} !", "DomainNames has an item"),
    ("DomainNames", "192.0.2.1", "those need Challenge http-01"),
    ("DomainNames", [f"{n}.shops.example" for n in range(101)], "DomainNames"),
    ("Contact", "nobody", "Contact must be one e-mail address"),
    ("Directory", "prodction", "Directory must be production, staging, or the https URL"),
    ("Directory", f"http://{SECRET}.example/dir", "Directory must be"),
    ("TermsOfServiceAgreed", "perhaps", "TermsOfServiceAgreed"),
    ("TermsOfServiceAgreed", "false", "must be agreed to"),
    ("Challenge", "tls-alpn-01", "it must be dns-01 or http-01"),
    ("Challenge", "http-01", "ChallengeBucket is missing"),
    ("ChallengeBucket", "web.shops.example", "Challenge is not http-01"),
    ("KeyAlgorithm", "RSA_1024", "KeyAlgorithm"),
    ("Import", "S3", "each must be ACM or IAM"),
    ("ImportPath", "/x/", "Import does not name IAM"),
    ("ImportRegion", "US East", "ImportRegion must be the name of a region"),
    ("StableCertificateArn", "yes", "StableCertificateArn"),
    ("Rotation", "x" * 1025, "Rotation"),
    ("RotationParameter", f"{SECRET}!", "RotationParameter"),
    ("DomainName", SECRET, "DomainName is not one of"),
]


@pytest.mark.contract(12)
@pytest.mark.contract(13)
@pytest.mark.parametrize(("property_name", "value", "said"), PROPERTIES)
def test_a_bad_property_is_named_in_one_line(shops, authority, cloud, property_name, value, said):
    stack = shops(**{property_name: value})
    assert stack.create().status == "ROLLBACK_COMPLETE"
    create, delete = stack.events()
    assert create[2] == "FAILED" and create[3] == delete[1] and delete[2] == "SUCCESS"
    reason = cloud.recorder.exchanges[0].response["Reason"]
    assert said in reason
    assert SECRET not in reason and "\n" not in reason and len(reason) < 700
    assert SECRET not in cloud.recorder.function_log()
    assert orders(authority, stack.domain) == 0


def failed(stack) -> str:
    """The reason of a creation that was rolled back and left nothing."""
    assert stack.create().status == "ROLLBACK_COMPLETE", stack.result.reasons()
    assert stack.left_behind() == []
    return next(reason for reason in stack.result.reasons("CREATE_FAILED") if "Message returned" in reason)


def test_a_zone_of_somebody_else_is_told(shops):
    stack = shops(HostedZoneId=None)
    stack.properties["DomainNames"] = "www.example.org"
    assert "No public hosted zone of this account holds _acme-challenge.www.example.org" in failed(stack)


def test_a_zone_that_the_provider_may_not_change_is_told(shops, cloud):
    domain = "not-ours-to-change.example"
    zone = lets_encrypt.hosted_zone(cloud, domain)
    stack = shops(HostedZoneId=zone)
    stack.properties["DomainNames"] = domain
    reason = failed(stack)
    assert "Route 53" in reason or "route53" in reason, reason
    assert "AccessDenied" in reason


def test_a_name_that_the_authority_cannot_see_is_told_and_nothing_is_left(shops, authority):
    stack = shops()
    authority.dns.failing.add(stack.domain)
    try:
        assert f"could not validate {stack.domain} by dns-01" in failed(stack)
    finally:
        authority.dns.failing.discard(stack.domain)


def test_what_is_in_use_stays_and_the_reason_names_its_user(shops, authority, cloud):
    stack, user = shops(RevokeOnDelete="true"), f"{shops().name}-user"
    attributes = created(stack)
    arn, serial = attributes["CertificateArn"], int(attributes["SerialNumber"], 16)
    template = json.dumps({"Resources": lets_encrypt.listeners(cloud, arn)}, indent=1)
    assert cloud.stacks.create(user, template).status == "CREATE_COMPLETE"
    cloud.faults.add("deadline", kind="invocation", seconds=14)
    result = stack.delete()
    assert result.status == "DELETE_FAILED"
    [reason] = [reason for reason in result.reasons("DELETE_FAILED") if "still used by" in reason]
    assert ":loadbalancer/" in reason and "try again" in reason
    # What is still shown to people must not be revoked.
    assert authority.pebble.status(serial)["Status"] == "Valid"
    cloud.faults.clear()
    assert cloud.stacks.delete(user).status == "DELETE_COMPLETE"
    await_next_second()
    assert stack.delete().status == "DELETE_COMPLETE", stack.result.reasons()
    assert stack.left_behind() == []
    assert authority.pebble.status(serial)["Status"] == "Revoked"


def test_a_delete_waits_for_the_last_user_to_let_go(shops, cloud):
    stack, user = shops(), f"{shops().name}-user"
    arn = created(stack)["CertificateArn"]
    template = json.dumps({"Resources": lets_encrypt.listeners(cloud, arn)}, indent=1)
    assert cloud.stacks.create(user, template).status == "CREATE_COMPLETE"
    cloud.stacks.start_delete(stack.name)
    cloud.stacks.wait_for(stack.name, lambda: bool(cloud.recorder.calls_named("acm:DeleteCertificate")))
    assert cloud.stacks.delete(user).status == "DELETE_COMPLETE"
    stack.result = cloud.stacks.wait(stack.name)
    assert stack.result.status == "DELETE_COMPLETE", stack.result.reasons()
    assert stack.left_behind() == []


@pytest.mark.contract(4)
def test_an_event_that_is_delivered_twice_is_one_order(shops, authority, cloud):
    stack = shops()
    cloud.faults.add("duplicate", "Create", kind="delivery")
    created(stack)
    cloud.asynchronous.wait_idle()
    [exchange] = cloud.recorder.exchanges
    first, second = (upload[2] for upload in exchange.uploads)
    assert first == second
    assert orders(authority, stack.domain) == 1
    assert len(stack.bundles()) == len(stack.copies()) == 1


@pytest.mark.contract(4)
def test_twenty_deliveries_at_once_are_one_order(shops, authority, cloud):
    stack = shops()
    cloud.faults.add("late", "Create", kind="delivery", seconds=1)
    identifier = cloud.stacks.start_create(stack.name, stack.template(stack.properties, None))
    cloud.stacks.wait_for(identifier, lambda: bool(cloud.recorder.exchanges))
    event = json.dumps(cloud.recorder.exchanges[0].request).encode()
    name = stack.provider.function_name
    with ThreadPoolExecutor(19) as pool:
        calls = [
            pool.submit(cloud.client("lambda", read_timeout=170).invoke, FunctionName=name, Payload=event)
            for _ in range(19)
        ]
        assert ["FunctionError" in call.result() for call in calls] == [False] * 19
    stack.result = cloud.stacks.wait(identifier)
    assert stack.result.status == "CREATE_COMPLETE", stack.result.reasons()
    cloud.asynchronous.wait_idle()
    counted(f"one certificate wanted twenty times at once: {orders(authority, stack.domain)} order")
    assert orders(authority, stack.domain) == 1
    answers = [upload[2] for upload in cloud.recorder.exchanges[0].uploads]
    assert (len(answers), len(set(answers))) == (20, 1)
    assert len(stack.bundles()) == len(stack.copies()) == 1


def record_put(call) -> bool:
    return call.params.get("Key", "").startswith("records/")


@pytest.mark.contract(2)
@pytest.mark.parametrize(
    ("call", "where"),
    [("s3:PutObject", record_put), ("acm:ImportCertificate", None), ("iam:UploadServerCertificate", None)],
)
def test_a_creation_that_fails_after_its_order_leaves_nothing_and_the_next_orders_nothing(
    shops, authority, cloud, call, where
):
    stack = shops(Import="ACM,IAM")
    cloud.faults.add("refuse", call, status=403, code="AccessDenied", where=where)
    assert stack.create().status == "ROLLBACK_COMPLETE", stack.result.reasons()
    assert stack.left_behind() == []
    assert stack.delete().status == "DELETE_COMPLETE"
    cloud.faults.clear()
    again = shops(Import="ACM,IAM")
    created(again)
    assert orders(authority, again.domain) == 1


@pytest.mark.contract(2)
def test_an_update_that_fails_after_its_order_leaves_nothing_and_the_next_orders_nothing(shops, authority, cloud):
    stack = shops(Import="ACM,IAM")
    before = created(stack)
    cloud.faults.add("refuse", "iam:UploadServerCertificate", status=403, code="AccessDenied")
    await_next_second()
    assert stack.update(Rotation="2").status == "UPDATE_ROLLBACK_COMPLETE", stack.result.reasons()
    cloud.faults.clear()
    assert stack.attributes == before
    assert stack.copies() == [before["CertificateArn"]]
    assert stack.bundles() == [before["CertificateS3Key"]]
    await_next_second()
    assert stack.update(Rotation="2").status == "UPDATE_COMPLETE", stack.result.reasons()
    assert orders(authority, stack.domain) == 2


@pytest.mark.contract(3)
def test_a_creation_that_is_cancelled_leaves_nothing(shops, cloud):
    """The Delete comes with an id that CloudFormation invented, and overtakes the Create."""
    stack = shops()
    nothing = json.dumps({"Resources": {"X": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}}}}, indent=1)  # fmt: skip  # noqa: E501
    stack.result = cloud.stacks.create(stack.name, nothing)
    cloud.faults.add("late", "Create", kind="delivery", seconds=2)
    cloud.stacks.start_update(stack.name, stack.template(stack.properties, None))
    cloud.stacks.wait_for(stack.name, lambda: bool(cloud.recorder.exchanges))
    cloud.client("cloudformation").cancel_update_stack(StackName=stack.name)
    assert cloud.stacks.wait(stack.name).status == "UPDATE_ROLLBACK_COMPLETE"
    time.sleep(2.2)
    cloud.asynchronous.wait_idle()
    assert stack.left_behind() == []


@pytest.mark.contract(7)
def test_a_rollback_that_only_deletes_leaves_the_old_certificate_in_its_place(shops, authority, cloud):
    before, cloud.environment.rollback = cloud.environment.rollback, "delete"
    try:
        stack = shops(StableCertificateArn="true")
        first = created(stack)
        bundle = stack.bundle()
        await_next_second()
        assert stack.update(Rotation="2", later="").status == "UPDATE_ROLLBACK_COMPLETE"
        assert (stack.attributes, stack.bundle()) == (first, bundle)
        shown = cloud.client("acm").get_certificate(CertificateArn=first["CertificateArn"])["Certificate"]
        assert tls.public_key_in(shown) == first["PublicKey"]
        assert rotated(stack, "3")["CertificateArn"] == first["CertificateArn"]
    finally:
        cloud.environment.rollback = before


@pytest.mark.contract(24)
def test_nothing_secret_comes_out(shops, authority, provider, cloud):
    stack = shops()
    created(stack)
    rotated(stack, "2")
    stack.update(Rotation="3", later="")
    cloud.faults.add("refuse", "acm:ImportCertificate", status=400, code="ValidationException", count=1)
    stack.update(Rotation="4")
    cloud.asynchronous.wait_idle()
    s3 = cloud.client("s3", as_role=stack.provider.role_arn)
    secrets = {"PEM armour": "PRIVATE KEY", "a key's line": stack.bundle()["private_key"].splitlines()[1]}
    for key in provider.keys("acme/accounts/"):
        account = json.loads(s3.get_object(Bucket=provider.bucket, Key=key)["Body"].read())
        secrets["an account key"] = json.loads(account["key"])["d"]
    for exchange in cloud.recorder.exchanges:
        secrets["a ResponseURL"] = exchange.request["ResponseURL"].split("?")[0]
    texts = [cloud.recorder.function_log()]
    texts += [invocation.result.decode("utf-8", "replace") for invocation in cloud.recorder.invocations]
    texts += [upload[2].decode() for exchange in cloud.recorder.exchanges for upload in exchange.uploads]
    texts += [
        call.body.decode("utf-8", "replace")
        for call in cloud.recorder.calls
        if call.params.get("Bucket") == provider.state_bucket and "LetsEncryptRole" in call.principal
    ]
    assert len(texts) > 10
    assert [name for text in texts for name, secret in secrets.items() if secret in text] == []
    assert secrets["an account key"]
