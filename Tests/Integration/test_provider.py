"""The provider as most people install it: every parameter at its default. And as few do: behind a topic."""

from __future__ import annotations

import json
import subprocess

import pytest
from botocore.exceptions import ClientError
from support import paths
from support.application import application
from support.provider import install


@pytest.fixture(scope="module")
def plain(cloud):
    provider = install(cloud, "plain", break_glass=False, ExportPrefix="Plain")
    yield provider
    assert cloud.stacks.delete("plain").status == "DELETE_COMPLETE"


def test_nobody_but_servers_reads_and_nobody_but_the_function_writes(cloud, plain, name):
    """Not even a role that may do everything."""
    stack = application(plain, name)
    assert stack.create().status == "CREATE_COMPLETE", stack.result.reasons()
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    administrator = cloud.create_role("plain-administrator", everything)
    server = cloud.create_role("plain-server", everything, path="/stackcert-app/")
    where = {"Bucket": plain.bucket, "Key": stack.attributes["CertificateS3Key"]}
    assert cloud.client("s3", as_role=server).get_object(**where)["ContentLength"] > 0
    for who, call in (
        (administrator, lambda s3: s3.get_object(**where)),
        (administrator, lambda s3: s3.delete_object(**where)),
        (administrator, lambda s3: s3.put_object(**where, Body=b"{}")),
        (server, lambda s3: s3.delete_object(**where)),
        (server, lambda s3: s3.put_object(**where, Body=b"{}")),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call(cloud.client("s3", as_role=who))
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.anonymous_client().get_object(**where)
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("sqs", as_role=administrator).receive_message(QueueUrl=plain.queue_url)
    assert stack.delete().status == "DELETE_COMPLETE"


def test_stack_function_and_command_tell_the_same_version(cloud, plain, name):
    said = subprocess.run([paths.stackcert(), "version"], capture_output=True, text=True, check=True).stdout
    assert said == f"stackcert {plain.outputs['Version']}\n"
    stack = application(plain, name)
    assert stack.create().status == "CREATE_COMPLETE", stack.result.reasons()
    client = cloud.client("logs")
    streams = client.describe_log_streams(logGroupName=plain.log_group)["logStreams"]
    assert streams
    for stream in streams:
        events = client.get_log_events(
            logGroupName=plain.log_group, logStreamName=stream["logStreamName"], startFromHead=True
        )["events"]
        first = next(json.loads(e["message"]) for e in events if e["message"].startswith("{"))
        assert first["stackcert.version"] == plain.outputs["Version"]
        assert first["faas.handler"] == "backend-certificate"
    assert stack.delete().status == "DELETE_COMPLETE"


def test_readings_are_written_down(cloud, plain):
    client = cloud.client("cloudtrail")
    [trail] = [t for t in client.describe_trails()["trailList"] if t["Name"] == "plain-bundles"]
    [selector] = client.get_event_selectors(TrailName=trail["TrailARN"])["EventSelectors"]
    assert selector["DataResources"] == [{"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{plain.bucket}/"]}]
    assert client.get_trail_status(Name=trail["TrailARN"])["IsLogging"]


def test_events_are_tried_again_for_fifteen_minutes_only(cloud, plain):
    found = cloud.client("lambda").get_function_event_invoke_config(FunctionName=plain.function_name)
    assert (found["MaximumEventAgeInSeconds"], found["MaximumRetryAttempts"]) == (900, 2)
    queue = cloud.client("sqs").get_queue_attributes(QueueUrl=plain.queue_url, AttributeNames=["All"])["Attributes"]
    assert found["DestinationConfig"]["OnFailure"]["Destination"] == queue["QueueArn"]
    assert (queue["MessageRetentionPeriod"], queue["SqsManagedSseEnabled"]) == ("86400", "true")


@pytest.mark.contract(25)
def test_a_topic_may_stand_before_the_function(cloud, provider, app):
    topic = cloud.client("sns").create_topic(Name="certificates")["TopicArn"]
    cloud.client("lambda").add_permission(
        FunctionName=provider.function_name,
        StatementId="topic",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=provider.arn)
    stack = app(ServiceToken=topic)
    assert stack.create().status == "CREATE_COMPLETE", stack.result.reasons()
    cloud.asynchronous.wait_idle()
    delivered = json.loads(cloud.recorder.invocations[-1].payload)
    assert "Records" in delivered
    assert stack.update(Rotation="2").status == "UPDATE_COMPLETE"
    assert stack.delete().status == "DELETE_COMPLETE"
    assert provider.versions(f"backend-certificate/{stack.name}/") == []
