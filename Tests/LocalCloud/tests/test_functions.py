"""Functions as processes: their life, their errors, redelivery, faults."""

import base64
import json
import re
import time

import pytest
from botocore.exceptions import ClientError

from localcloud.faults import DELIVERY, INVOCATION, RESPONSE_URL, STEP

from .support import ZIP_KEY, allow


@pytest.fixture(scope="module")
def function(shared):
    role = shared.create_role(
        "function",
        allow("sqs:SendMessage", "*"),
        allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "*"),
        allow("s3:*", "*"),
    )
    shared.client("lambda").create_function(
        FunctionName="standin",
        Runtime="provided.al2023",
        Role=role,
        Handler="the-handler",
        Code={"S3Bucket": "code", "S3Key": ZIP_KEY},
        Timeout=3,
        Environment={"Variables": {"FLAVOUR": "plain"}},
    )
    return "standin"


def invoke(cloud, payload: dict, **more) -> tuple[dict, dict]:
    answer = cloud.client("lambda").invoke(FunctionName="standin", Payload=json.dumps(payload), **more)
    body = answer["Payload"].read()
    return answer, json.loads(body) if body else {}


def test_a_process_is_reused_and_has_lambdas_environment(cloud, function):
    _, first = invoke(cloud, {})
    answer, second = invoke(cloud, {"a": 1}, LogType="Tail")
    assert first["pid"] == second["pid"] and second["echo"] == {"a": 1}
    assert "START RequestId" in base64.b64decode(answer["LogResult"]).decode()
    variables = second["variables"]
    assert variables["_HANDLER"] == "the-handler" and variables["FLAVOUR"] == "plain"
    assert variables["AWS_ENDPOINT_URL"] == cloud.endpoint
    assert variables["STACKCERT_LOCAL_RESPONSE_URLS"] == "1"
    assert variables["AWS_SESSION_TOKEN"]
    assert "PYTHONPATH" not in variables and "HOME" not in variables


def test_variables_of_this_machine_reach_every_process(cloud, function):
    _, before = invoke(cloud, {})
    assert "SSL_CERT_FILE" not in before["variables"]
    cloud.functions.set_variables({"SSL_CERT_FILE": "/trust.pem", "FLAVOUR": "not the function's own"})
    try:
        _, during = invoke(cloud, {})
    finally:
        cloud.functions.set_variables({})
    assert (during["variables"]["SSL_CERT_FILE"], during["variables"]["FLAVOUR"]) == ("/trust.pem", "plain")
    assert "SSL_CERT_FILE" not in invoke(cloud, {})[1]["variables"]


def test_a_process_that_is_at_work_when_they_change_is_not_used_again(cloud, function):
    invoke(cloud, {"sleep": 1}, InvocationType="Event")
    limit = time.monotonic() + 20
    while not cloud.functions.is_busy:
        assert time.monotonic() < limit
        time.sleep(0.01)
    cloud.functions.set_variables({"SSL_CERT_FILE": "/trust.pem"})
    try:
        assert cloud.asynchronous.wait_idle()
        assert invoke(cloud, {})[1]["variables"]["SSL_CERT_FILE"] == "/trust.pem"
    finally:
        cloud.functions.set_variables({})


def test_a_changed_function_gets_a_new_process_and_the_old_one_ends(cloud, function):
    import os

    _, before = invoke(cloud, {})
    environment = {"Variables": {"FLAVOUR": "other"}}
    cloud.client("lambda").update_function_configuration(FunctionName=function, Environment=environment)
    _, after = invoke(cloud, {})
    assert after["variables"]["FLAVOUR"] == "other"
    with pytest.raises(ProcessLookupError):
        os.kill(before["pid"], 0)


def test_errors_are_reported_as_lambda_reports_them(cloud, function):
    answer, body = invoke(cloud, {"raise": True})
    assert answer["FunctionError"] == "Unhandled" and body["errorMessage"] == "asked to raise"
    answer, body = invoke(cloud, {"exit": True})
    assert body["errorType"] == "Runtime.ExitError" and "exit status 3" in body["errorMessage"]
    answer, body = invoke(cloud, {})
    assert "FunctionError" not in answer


def test_a_timeout_ends_the_process(cloud, function):
    cloud.faults.add("deadline", "standin", kind=INVOCATION, seconds=0.5)
    _, before = invoke(cloud, {"sleep": 0})
    cloud.faults.add("deadline", "standin", kind=INVOCATION, seconds=0.1)
    answer, body = invoke(cloud, {"sleep": 2})
    assert body["errorType"] == "Sandbox.Timedout" and "timed out after 0.10 seconds" in body["errorMessage"]
    _, after = invoke(cloud, {})
    assert before["pid"] != after["pid"]


def test_asynchronous_events_are_redelivered_and_then_handed_over(cloud, function):
    queue = cloud.client("sqs").create_queue(QueueName="failures")["QueueUrl"]
    cloud.client("lambda").put_function_event_invoke_config(
        FunctionName="standin",
        MaximumEventAgeInSeconds=900,
        DestinationConfig={"OnFailure": {"Destination": f"arn:aws:sqs:us-east-1:{cloud.account}:failures"}},
    )
    assert invoke(cloud, {"raise": True}, InvocationType="Event")[0]["StatusCode"] == 202
    assert cloud.asynchronous.wait_idle()
    assert [(i.attempt, i.error) for i in cloud.recorder.invocations] == [(1, True), (2, True), (3, True)]
    assert len({i.request_id for i in cloud.recorder.invocations}) == 1
    message = json.loads(cloud.client("sqs").receive_message(QueueUrl=queue)["Messages"][0]["Body"])
    assert message["requestContext"]["condition"] == "RetriesExhausted"
    assert message["requestPayload"] == {"raise": True}


def test_an_event_too_old_for_a_retry_is_not_retried(cloud, function):
    cloud.client("lambda").put_function_event_invoke_config(FunctionName="standin", MaximumEventAgeInSeconds=120)
    invoke(cloud, {"raise": True}, InvocationType="Event")
    assert cloud.asynchronous.wait_idle()
    assert len(cloud.recorder.invocations) == 2
    cloud.client("lambda").delete_function_event_invoke_config(FunctionName="standin")


def test_log_lines_reach_cloudwatch_as_far_as_the_role_may(cloud, function):
    invoke(cloud, {})
    streams = cloud.client("logs").describe_log_streams(logGroupName="/aws/lambda/standin")["logStreams"]
    assert streams
    assert {d.action for d in cloud.recorder.decisions("assumed-role/function/")} >= {"logs:PutLogEvents"}


HEX = "[0-9a-f]{32}"


def test_the_log_stream_is_named_after_day_version_and_process(cloud, function):
    _, heard = invoke(cloud, {})
    assert re.fullmatch(rf"\d{{4}}/\d\d/\d\d/\[\$LATEST\]{HEX}", heard["variables"]["AWS_LAMBDA_LOG_STREAM_NAME"])


def test_in_a_log_group_of_its_own_choice_the_stream_names_the_function(cloud, function):
    client = cloud.client("lambda")
    client.update_function_configuration(FunctionName="standin", LoggingConfig={"LogGroup": "together"})
    try:
        _, heard = invoke(cloud, {})
        told = client.get_function_configuration(FunctionName="standin")["LoggingConfig"]["LogGroup"]
    finally:
        client.update_function_configuration(FunctionName="standin", LoggingConfig={"LogGroup": "/aws/lambda/standin"})
    variables = heard["variables"]
    assert told == variables["AWS_LAMBDA_LOG_GROUP_NAME"] == "together"
    assert re.fullmatch(rf"\d{{4}}/\d\d/\d\d/standin\[\$LATEST\]{HEX}", variables["AWS_LAMBDA_LOG_STREAM_NAME"])
    streams = cloud.client("logs").describe_log_streams(logGroupName="together")["logStreams"]
    assert [re.sub(HEX, "", stream["logStreamName"]) for stream in streams] == ["2020/01/01/standin[$LATEST]"]
    assert "standin" not in invoke(cloud, {})[1]["variables"]["AWS_LAMBDA_LOG_STREAM_NAME"]


def test_a_version_and_an_alias_of_it_run_what_was_published(cloud, function):
    client = cloud.client("lambda")
    client.update_function_configuration(FunctionName="standin", Environment={"Variables": {"FLAVOUR": "plain"}})
    version = client.publish_version(FunctionName="standin")["Version"]
    client.create_alias(FunctionName="standin", Name="live", FunctionVersion=version)
    client.update_function_configuration(FunctionName="standin", Environment={"Variables": {"FLAVOUR": "newer"}})
    try:
        answer, by_alias = invoke(cloud, {}, Qualifier="live")
        arn = client.get_function_configuration(FunctionName="standin")["FunctionArn"]
        named = json.loads(client.invoke(FunctionName=f"{arn}:{version}", Payload=b"{}")["Payload"].read())
        _, latest = invoke(cloud, {})
    finally:
        client.update_function_configuration(FunctionName="standin", Environment={"Variables": {"FLAVOUR": "plain"}})
        client.delete_alias(FunctionName="standin", Name="live")
    assert answer["ExecutedVersion"] == version
    for heard in (by_alias, named):
        assert heard["variables"]["FLAVOUR"] == "plain"
        assert heard["variables"]["AWS_LAMBDA_FUNCTION_VERSION"] == version
        stream = heard["variables"]["AWS_LAMBDA_LOG_STREAM_NAME"]
        assert re.fullmatch(rf"\d{{4}}/\d\d/\d\d/\[{version}\]{HEX}", stream)
    assert (latest["variables"]["FLAVOUR"], latest["variables"]["AWS_LAMBDA_FUNCTION_VERSION"]) == ("newer", "$LATEST")


def test_a_template_chooses_the_log_group_and_gives_it_back(cloud):
    role = cloud.create_role("logging-stack", allow("s3:GetObject", "*"))
    properties = {
        "Runtime": "provided.al2023",
        "Handler": "h",
        "Role": role,
        "Code": {"S3Bucket": "code", "S3Key": ZIP_KEY},
        "LoggingConfig": {"LogGroup": "chosen"},
    }
    body = {"Resources": {"It": {"Type": "AWS::Lambda::Function", "Properties": properties}}}
    made = cloud.stacks.create("logging-stack", json.dumps(body))
    name = made.physical_id("It")

    def group() -> str:
        return cloud.client("lambda").get_function_configuration(FunctionName=name)["LoggingConfig"]["LogGroup"]

    assert group() == "chosen"
    del properties["LoggingConfig"]
    assert cloud.stacks.update("logging-stack", json.dumps(body)).status == "UPDATE_COMPLETE"
    assert group() == f"/aws/lambda/{name}"


def test_a_role_that_lambda_may_not_assume_is_refused(cloud):
    iam = cloud.client("iam")
    trust = {"Statement": [{**allow("sts:AssumeRole", "*"), "Principal": {"Service": "ec2.amazonaws.com"}}]}
    del trust["Statement"][0]["Resource"]
    arn = iam.create_role(RoleName="for-ec2", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        cloud.client("lambda").create_function(
            FunctionName="no",
            Runtime="provided.al2023",
            Role=arn,
            Handler="x",
            Code={"S3Bucket": "code", "S3Key": ZIP_KEY},
        )


def event(cloud, bucket: str, **properties) -> dict:
    """A custom-resource event for the stand-in, without a stack."""
    from localcloud.one_event import completed

    payload = {"RequestType": "Create", "ResourceProperties": {"Bucket": bucket, "Name": "n", **properties}}
    return completed(cloud, payload, "arn")


@pytest.fixture(scope="module")
def target(shared):
    shared.client("s3").create_bucket(Bucket="target")
    return "target"


@pytest.mark.parametrize("status", [403, 409, 412, 500, 503])
def test_a_refused_call_is_counted_and_recorded(cloud, function, target, status):
    fault = cloud.faults.add("refuse", "s3:HeadObject", status=status, code="Asked")
    made, exchange = event(cloud, target)
    invoke(cloud, made)
    response = json.loads(exchange.uploads[0][2])
    refused = [call for call in cloud.recorder.calls_named("s3:HeadObject") if call.fault == "refuse"]
    # The stand-in's client tries 5xx again, and then succeeds.
    assert response["Status"] == ("FAILED" if status < 500 else "SUCCESS")
    assert fault.struck == 1 and [call.status for call in refused] == [status]


def test_a_lost_answer_has_happened_and_a_reset_has_not(cloud, function, target):
    cloud.faults.add("reset", "s3:PutObject", nth=1)
    invoke(cloud, event(cloud, target, Name="reset")[0])
    assert [call.fault for call in cloud.recorder.calls_named("s3:PutObject")] == ["reset", None]
    cloud.recorder.clear()
    cloud.faults.clear()
    cloud.faults.add("lose_answer", "s3:PutObject")
    invoke(cloud, event(cloud, target, Name="lost")[0])
    # The second try finds what the first has written.
    puts = cloud.recorder.calls_named("s3:PutObject")
    assert [(call.fault, call.status) for call in puts] == [("lose_answer", 0), (None, 412)]


@pytest.mark.parametrize(("effect", "stored"), [("kill", False), ("kill_after", True)])
def test_the_process_dies_at_the_nth_call(cloud, function, target, effect, stored):
    cloud.faults.add(effect, "*", nth=1)
    made, exchange = event(cloud, target, Name=effect)
    _, body = invoke(cloud, made)
    assert body["errorType"] == "Runtime.ExitError" and "signal: killed" in body["errorMessage"]
    assert exchange.uploads == []
    listed = cloud.client("s3").list_objects_v2(Bucket=target, Prefix=f"keys/{effect}-")["KeyCount"]
    assert listed == (1 if stored else 0)


@pytest.mark.parametrize(
    ("effect", "uploads"), [("refuse", [500, 200]), ("reset", [0, 200]), ("hang", [200]), ("lose_answer", [200, 200])]
)
def test_faults_of_the_response_address(cloud, function, target, effect, uploads):
    cloud.faults.add(effect, kind=RESPONSE_URL, seconds=0.1)
    made, exchange = event(cloud, target, Name="answered")
    invoke(cloud, made)
    assert [upload[0] for upload in exchange.uploads] == uploads


@pytest.mark.parametrize("step", [1, 2, 3])
def test_every_step_of_a_function_can_be_its_last(cloud, function, target, step):
    fault = cloud.faults.add("kill", kind=STEP, nth=step)
    made, exchange = event(cloud, target, Name=f"step-{step}")
    _, body = invoke(cloud, made)
    assert fault.struck == 1 and "signal: killed" in body["errorMessage"]
    calls = [call.name for call in cloud.recorder.calls if "assumed-role/function" in call.principal]
    done = ["s3:PutObject", "s3:HeadObject"]
    assert [name for name in calls if name in done] == done[: min(step, 2)]
    assert [upload[0] for upload in exchange.uploads] == ([0] if step == 3 else [])


def test_duplicate_and_late_delivery(cloud, template):
    cloud.faults.add("duplicate", "Create", kind=DELIVERY)
    result = cloud.stacks.create("doubled", template)
    assert result.status == "CREATE_COMPLETE"
    assert cloud.asynchronous.wait_idle()
    creates = [i for i in cloud.recorder.invocations if b'"Create"' in i.payload]
    certificates = [i for i in creates if b'"Certificate"' in i.payload]
    assert len(creates) == 3 and len(certificates) in (1, 2)
    cloud.faults.clear()
    cloud.faults.add("late", "Create", kind=DELIVERY, seconds=0.6, where=lambda e: e["LogicalResourceId"] == "Late")
    started = time.monotonic()
    assert cloud.stacks.create("delayed", template).status == "CREATE_COMPLETE"
    assert time.monotonic() - started > 0.6


def test_an_unguessable_response_address(cloud, function, target):
    import urllib.error
    import urllib.request

    made, exchange = event(cloud, target)
    wrong = made["ResponseURL"][:-3] + "xyz"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(urllib.request.Request(wrong, data=b"{}", method="PUT", headers={"Content-Type": ""}))
    assert exchange.uploads == []
