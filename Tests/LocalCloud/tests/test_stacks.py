"""Stacks with a custom resource, through their whole lives."""

import time

import pytest
from botocore.exceptions import ClientError

from .support import keys


def test_create_returns_at_once_and_gives_outputs(cloud, template):
    identifier = cloud.stacks.start_create("made", template)
    assert cloud.stacks.status(identifier) == "CREATE_IN_PROGRESS"
    result = cloud.stacks.wait(identifier)
    assert result.status == "CREATE_COMPLETE", result.reasons()
    assert keys(cloud, result) == [result.outputs["Key"]] == [result.outputs["Id"]]
    pointer = cloud.client("ssm").get_parameter(Name=result.outputs["PointerName"])["Parameter"]["Value"]
    assert pointer == result.outputs["Key"]
    assert cloud.recorder.events("Certificate") == [("Create", None, "SUCCESS", result.outputs["Key"])]


def test_scalars_reach_the_provider_as_strings(cloud, template):
    cloud.stacks.create("scalars", template)
    request = cloud.recorder.exchanges[0].request
    assert request["ResourceProperties"]["Flag"] == "true"
    assert request["ResourceProperties"]["Count"] == "3"
    assert request["ResourceProperties"]["ServiceTimeout"] == "5"
    assert set(request) == {
        "RequestType",
        "ServiceToken",
        "ResponseURL",
        "StackId",
        "RequestId",
        "LogicalResourceId",
        "ResourceType",
        "ResourceProperties",
    }


def test_rotation_replaces_and_then_deletes_the_old_id(cloud, template):
    first = cloud.stacks.create("rotated", template)
    cloud.recorder.clear()
    second = cloud.stacks.update("rotated", parameters={"Name": "two"})
    old, new = first.outputs["Key"], second.outputs["Key"]
    assert second.status == "UPDATE_COMPLETE" and old != new
    assert cloud.recorder.events("Certificate") == [("Update", old, "SUCCESS", new), ("Delete", old, "SUCCESS", old)]
    update, delete = (exchange.request for exchange in cloud.recorder.exchanges)
    assert (update["OldResourceProperties"]["Name"], update["ResourceProperties"]["Name"]) == ("one", "two")
    assert delete["ResourceProperties"]["Name"] == "one" and "OldResourceProperties" not in delete
    assert keys(cloud, second) == [new]
    statuses = [event["ResourceStatus"] for event in second.events if event["LogicalResourceId"] == "rotated"]
    assert statuses[-3:] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]


def test_failed_create_is_rolled_back_with_the_id_it_gave(cloud, template):
    result = cloud.stacks.create("failing", template, {"Fail": "Create"})
    assert result.status == "ROLLBACK_COMPLETE"
    assert any("asked to fail on Create" in reason for reason in result.reasons())
    assert cloud.recorder.events("Certificate") == [
        ("Create", None, "FAILED", "failed-before-create"),
        ("Delete", "failed-before-create", "SUCCESS", "failed-before-create"),
    ]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("long", "Response object is too long."),
        ("no-id", "Invalid PhysicalResourceId"),
        ("other-request", "RequestId must match"),
        ("no-data", "doesn't contain Key attribute"),
    ],
)
def test_a_wrong_answer_fails_the_stack(cloud, template, answer, told):
    result = cloud.stacks.create("wrong-" + answer, template, {"Answer": answer})
    assert result.status.startswith("ROLLBACK_")
    assert any(told in reason for reason in result.reasons()), result.reasons()


def test_silence_ends_after_the_service_timeout(cloud, template):
    started = time.monotonic()
    result = cloud.stacks.create("silent", template, {"Answer": "silence", "Timeout": 1})
    assert result.status.startswith("ROLLBACK_")
    assert any("did not receive a response" in reason for reason in result.reasons())
    invented = cloud.recorder.events("Certificate")[1]
    assert invented[0] == "Delete" and invented[1].startswith("silent-Certificate-")
    assert time.monotonic() - started < 8


def test_a_content_type_is_refused_as_the_signature_has_none(cloud, template):
    body = template.replace("Flag: true", "ContentType: application/json").replace(
        "ServiceTimeout: !Ref Timeout", "ServiceTimeout: 1"
    )
    result = cloud.stacks.create("typed", body)
    assert result.status.startswith("ROLLBACK")
    assert {upload[0] for upload in cloud.recorder.exchanges[0].uploads} == {403}


def test_failed_update_gets_an_update_back(cloud, template):
    first = cloud.stacks.create("backwards", template)
    cloud.recorder.clear()
    result = cloud.stacks.update("backwards", parameters={"Name": "two", "Fail": "Update"})
    old = first.outputs["Key"]
    assert result.status == "UPDATE_ROLLBACK_COMPLETE" and result.outputs == first.outputs
    assert cloud.recorder.events("Certificate") == [("Update", old, "FAILED", old), ("Update", old, "SUCCESS", old)]
    back = cloud.recorder.exchanges[1].request
    assert (back["OldResourceProperties"]["Name"], back["ResourceProperties"]["Name"]) == ("two", "one")


def test_a_failed_update_that_changes_the_id_corrupts_the_stack(cloud, template):
    first = cloud.stacks.create("corrupted", template)
    old = first.outputs["Key"]
    cloud.recorder.clear()
    result = cloud.stacks.update("corrupted", parameters={"Name": "two", "Answer": "other-id"})
    assert result.status == "UPDATE_ROLLBACK_COMPLETE"
    assert cloud.recorder.events("Certificate") == [
        ("Update", old, "FAILED", "another"),
        ("Update", "another", "SUCCESS", old),
        ("Delete", "another", "SUCCESS", "another"),
    ]


def test_deleting_during_create_sends_a_delete_with_an_invented_id(cloud, template):
    identifier = cloud.stacks.start_create("cancelled", template, {"Sleep": "1"})
    cloud.stacks.wait_for(identifier, lambda: bool(cloud.recorder.exchanges))
    cloud.client("cloudformation").delete_stack(StackName=identifier)
    cloud.stacks.wait_for(identifier, lambda: len(cloud.recorder.exchanges) > 1)
    assert cloud.recorder.exchanges[0].response is None
    delete = cloud.recorder.exchanges[1].request
    assert delete["RequestType"] == "Delete"
    assert delete["PhysicalResourceId"].startswith("cancelled-Certificate-")
    assert "Resource creation cancelled" in cloud.stacks.wait(identifier).reasons("CREATE_FAILED")


def test_cancelling_an_update_rolls_back(cloud, template):
    first = cloud.stacks.create("stopped", template)
    cloud.recorder.clear()
    cloud.stacks.start_update("stopped", parameters={"Name": "two", "Sleep": "1"})
    cloud.stacks.wait_for("stopped", lambda: bool(cloud.recorder.exchanges))
    cloud.client("cloudformation").cancel_update_stack(StackName="stopped")
    result = cloud.stacks.wait("stopped")
    assert result.status == "UPDATE_ROLLBACK_COMPLETE" and result.outputs == first.outputs
    assert [event[0] for event in cloud.recorder.events("Certificate")] == ["Update", "Update"]


def test_delete_removes_everything_and_a_failed_one_stays(cloud, template):
    made = cloud.stacks.create("gone", template)
    result = cloud.stacks.delete(made.id)
    assert result.status == "DELETE_COMPLETE" and not cloud.stacks.exists("gone")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        cloud.client("s3").list_objects_v2(Bucket=made.outputs["BucketName"])
    stuck = cloud.stacks.create("stuck", template, {"Fail": "Delete"})
    result = cloud.stacks.delete(stuck.id)
    assert result.status == "DELETE_FAILED" and "asked to fail on Delete" in " ".join(result.reasons())
    functions = [f["FunctionName"] for f in cloud.client("lambda").list_functions()["Functions"]]
    assert stuck.outputs["FunctionName"] in functions


def test_no_change_and_wrong_state_are_refused(cloud, template):
    cloud.stacks.create("same", template)
    with pytest.raises(ClientError, match="No updates are to be performed"):
        cloud.stacks.update("same")
    with pytest.raises(ClientError, match="AlreadyExists"):
        cloud.stacks.start_create("same", template)
    cloud.stacks.start_update("same", parameters={"Name": "two", "Sleep": "0.3"})
    with pytest.raises(ClientError, match="can not be updated"):
        cloud.stacks.start_update("same", parameters={"Name": "three"})
    assert cloud.stacks.wait("same").status == "UPDATE_COMPLETE"


def test_a_role_without_permission_fails_the_stack(cloud, template):
    body = template.replace('"s3:PutObject", ', "")
    result = cloud.stacks.create("denied", body)
    assert result.status == "ROLLBACK_COMPLETE"
    denied = {decision.action for decision in cloud.recorder.denied("denied-Role")}
    assert denied == {"s3:PutObject", "logs:CreateLogGroup"}
