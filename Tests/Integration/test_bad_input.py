"""Bad input gets a FAILED of one line, or, where nobody can be answered, a logged error; the next event is served."""

from __future__ import annotations

import json

import pytest
from support.application import template

SECRET = "hunter2-never-to-be-seen"

# Property, value (None: left out), what the reason must say. A value of SECRET must not come back.
PROPERTIES = [
    ("AppDomain", None, "AppDomain is missing"),
    ("AppDomain", "", "AppDomain"),
    ("AppDomain", "a..b", "AppDomain"),
    ("AppDomain", "-bad.example.com", "AppDomain"),
    ("AppDomain", "x" * 64 + ".example.com", "AppDomain"),
    ("AppDomain", ("x" * 60 + ".") * 5 + "com", "AppDomain"),
    ("AppDomain", f"{SECRET} /CN=other", "AppDomain"),
    ("AppDomain", ["a.example.com"], "AppDomain"),
    ("AppName", None, "AppName is missing"),
    ("AppName", "", "AppName"),
    ("AppName", f"{SECRET}/../*", "AppName"),
    ("AppName", "x" * 129, "AppName"),
    ("AppName", {SECRET: SECRET}, "AppName"),
    ("AppS3Bucket", None, "AppS3Bucket is missing"),
    ("AppS3Bucket", f"{SECRET}-bucket", "AppS3Bucket"),
    ("KeyAlgorithm", "RSA_1024", "KeyAlgorithm"),
    ("KeyAlgorithm", "", None),
    ("ValidityDays", "0", "ValidityDays is 0"),
    ("ValidityDays", "4000", "ValidityDays is 4000"),
    ("ValidityDays", "soon", "ValidityDays"),
    ("ValidityDays", "99999999999999999999", "ValidityDays"),
    ("SubjectAlternativeNames", f"{SECRET} !", "SubjectAlternativeNames"),
    ("SubjectAlternativeNames", {"a": "b"}, "SubjectAlternativeNames"),
    ("Rotation", "x" * 1025, "Rotation"),
    ("RotationParameter", f"{SECRET}!", "RotationParameter"),
    ("TrustPrevious", "perhaps", "TrustPrevious"),
    ("StableS3Key", "yes", "StableS3Key"),
    ("AppDomian", SECRET, "AppDomian"),
]


@pytest.mark.contract(12)
@pytest.mark.contract(13)
@pytest.mark.parametrize(("property_name", "value", "said"), PROPERTIES)
def test_a_bad_property_is_named_in_one_line(app, cloud, property_name, value, said):
    stack = app(**{} if value is None else {property_name: value})
    if value is None:
        del stack.properties[property_name]
    result = stack.create()
    if said is None:
        assert result.status == "CREATE_COMPLETE"
        return
    assert result.status == "ROLLBACK_COMPLETE"
    create, delete = stack.events()
    assert create[2] == "FAILED" and create[3] == delete[1] and delete[2] == "SUCCESS"
    reason = cloud.recorder.exchanges[0].response["Reason"]
    assert said in reason
    assert SECRET not in reason and "\n" not in reason and len(reason) < 600
    assert SECRET not in cloud.recorder.function_log()


@pytest.mark.contract(1)
def test_what_was_never_made_is_deleted_without_a_call(app, cloud):
    stack = app(ValidityDays="0")
    stack.create()
    assert stack.kinds() == ["Create", "Delete"]
    by_function = [
        call.name for call in cloud.recorder.calls if "assumed-role/stackcert-FunctionRole" in call.principal
    ]
    assert by_function == []


@pytest.mark.contract(13)
def test_a_property_that_was_there_before_is_no_reason_to_fail(app, cloud):
    """Users of system A force updates with a property of their own."""
    stack = app()
    stack.create()
    assert stack.update(CacheBuster="1").status == "UPDATE_COMPLETE"


def envelope(**changes):
    event = {
        "RequestType": "Create",
        "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:f",
        "ResponseURL": "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/x?X-Amz-Signature="
        + SECRET,
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/s/11111111-2222-3333-4444-555555555555",
        "RequestId": "7f0e0b0c-0000-4000-8000-000000000000",
        "LogicalResourceId": "Certificate",
        "ResourceType": "Custom::ElbBackendCertificate",
        "ResourceProperties": {"AppDomain": SECRET},
    }
    return json.dumps({k: v for k, v in {**event, **changes}.items() if v is not None}).encode()


def deep(levels: int) -> bytes:
    return envelope(ResourceProperties="@").replace(b'"@"', b'{"a":' * levels + b"1" + b"}" * levels)


EVENTS = {
    "an empty object": b"{}",
    "a list": b"[1, 2]",
    "a number": b"7",
    "no RequestType": envelope(RequestType=None),
    "an unknown RequestType": envelope(RequestType="Replace"),
    "no ResponseURL": envelope(ResponseURL=None),
    "a ResponseURL of anybody's": envelope(ResponseURL="https://example.com/?X-Amz-Signature=" + SECRET),
    "a ResponseURL of another bucket": envelope(ResponseURL=f"https://{SECRET}.s3.amazonaws.com/x"),
    "no StackId": envelope(StackId=None),
    "a StackId that is none": envelope(StackId=SECRET),
    "no RequestId": envelope(RequestId=None),
    "no LogicalResourceId": envelope(LogicalResourceId=None),
    "an Update without PhysicalResourceId": envelope(RequestType="Update"),
    "deep nesting": deep(5_000),
    "six megabytes": envelope(ResourceProperties={"AppDomain": SECRET + "x" * 6_000_000}),
    "invalid UTF-8": envelope(LogicalResourceId="@").replace(b"@", b"\xff\xfe"),
}


@pytest.mark.contract(12)
@pytest.mark.contract(20)
@pytest.mark.parametrize("what", EVENTS)
def test_an_event_that_nobody_can_be_answered_is_an_error_and_the_next_is_served(provider, app, cloud, what):
    # Handed to the function's process directly: Lambda's own front would keep some of these from it.
    function = cloud.functions.find(provider.function_name, cloud.account, cloud.region)
    cold = cloud.functions.cold_starts
    outcome = cloud.functions.invoke(function, EVENTS[what])
    assert outcome.error
    error = json.loads(outcome.result)
    assert set(error) >= {"errorType", "errorMessage"} and error["errorType"] != "Runtime.ExitError"
    assert SECRET not in outcome.result.decode()
    assert SECRET not in cloud.recorder.function_log()
    assert app().create().status == "CREATE_COMPLETE"
    assert cloud.functions.cold_starts - cold <= 1


# As soon as the envelope is good the stack is told.
ANSWERED = {
    "a stack of a foreign account": {
        "StackId": "arn:aws:cloudformation:us-east-1:999999999999:stack/s/0f0e0d0c-1-2-3-4"
    },
    "properties that are a text": {"ResourceProperties": SECRET},
    "properties that are a list": {"ResourceProperties": [SECRET]},
    "no properties at all": {"ResourceProperties": None},
}


@pytest.mark.contract(12)
@pytest.mark.parametrize("what", ANSWERED)
def test_a_good_envelope_is_answered_whatever_is_in_it(cloud, provider, app, what):
    stack = app()
    stack.create()
    cloud.asynchronous.wait_idle()
    request = {**cloud.recorder.exchanges[-1].request, **ANSWERED[what]}
    before = provider.versions("backend-certificate/")
    done = cloud.client("lambda").invoke(FunctionName=provider.function_name, Payload=json.dumps(request).encode())
    assert json.loads(done["Payload"].read()) == {"Status": "FAILED"}
    assert SECRET not in cloud.recorder.function_log()
    assert provider.versions("backend-certificate/") == before


def test_a_delete_with_bad_properties_succeeds(cloud, app, provider, name):
    """Bad properties must never keep a stack from being deleted."""
    stack = app()
    stack.create()
    del stack.properties["AppDomain"]
    cloud.stacks.update(stack.name, template({**stack.properties, "KeyAlgorithm": "RSA_1024"}))
    assert stack.delete().status == "DELETE_COMPLETE"
    assert provider.versions(f"backend-certificate/{stack.name}/") == []
