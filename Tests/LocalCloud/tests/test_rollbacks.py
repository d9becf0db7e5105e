"""Both ways in which CloudFormation may take a successful replacement back."""

import pytest

from .support import keys


@pytest.mark.parametrize("rollback", ["update", "delete"])
def test_a_later_failure_rolls_a_replacement_back(fresh, template, rollback):
    cloud = fresh(rollback=rollback)
    first = cloud.stacks.create("later", template)
    old = first.outputs["Key"]
    cloud.recorder.clear()
    result = cloud.stacks.update("later", parameters={"Name": "two", "LateFail": "Update", "LateName": "later"})
    assert result.status == "UPDATE_ROLLBACK_COMPLETE", result.reasons()
    assert result.outputs == first.outputs and keys(cloud, result) == [old]
    events = cloud.recorder.events("Certificate")
    new = events[0][3]
    undo = [("Update", new, "SUCCESS", old)] if rollback == "update" else []
    assert events == [("Update", old, "SUCCESS", new), *undo, ("Delete", new, "SUCCESS", new)]
    pointer = cloud.client("ssm").get_parameter(Name=first.outputs["PointerName"])["Parameter"]["Value"]
    assert pointer == old


def test_a_rollback_goes_back_to_what_a_stored_parameter_stood_for(cloud):
    """And not to what it stands for now."""
    ssm = cloud.client("ssm")
    ssm.put_parameter(Name="/stored", Value="one", Type="String", Overwrite=True)
    body = """
Parameters:
  Stored: { Type: "AWS::SSM::Parameter::Value<String>", Default: /stored }
  Late: { Type: String, Default: fine }
Resources:
  Copy: { Type: AWS::SSM::Parameter, Properties: { Type: String, Value: !Ref Stored } }
  Last: { Type: AWS::SSM::Parameter, DependsOn: Copy, Properties: { Type: String, Value: !Ref Late } }
Outputs: { Copy: { Value: !Ref Copy } }
"""
    made = cloud.stacks.create("stored", body)
    ssm.put_parameter(Name="/stored", Value="two", Type="String", Overwrite=True)
    result = cloud.stacks.update("stored", parameters={"Late": ""})
    assert result.status == "UPDATE_ROLLBACK_COMPLETE", result.reasons()
    assert ssm.get_parameter(Name=made.outputs["Copy"])["Parameter"]["Value"] == "one"
    [shown] = [
        parameter
        for parameter in cloud.client("cloudformation").describe_stacks(StackName="stored")["Stacks"][0]["Parameters"]
        if parameter["ParameterKey"] == "Stored"
    ]
    assert (shown["ParameterValue"], shown["ResolvedValue"]) == ("/stored", "one")
    assert cloud.stacks.update("stored").status == "UPDATE_COMPLETE"
    assert ssm.get_parameter(Name=made.outputs["Copy"])["Parameter"]["Value"] == "two"


def test_in_express_mode_only_a_rollback_that_is_asked_for_is_made(cloud, template):
    first = cloud.stacks.create("express", template)
    failing = {"Name": "two", "LateFail": "Update", "LateName": "later"}
    express = {"Mode": "EXPRESS", "DisableRollback": False}
    assert cloud.stacks.update("express", None, failing, DeploymentConfig=express).status == "UPDATE_ROLLBACK_COMPLETE"
    assert cloud.stacks.describe("express").outputs == first.outputs
    failed = cloud.stacks.update("express", None, failing, DeploymentConfig={"Mode": "EXPRESS"})
    assert failed.status == "UPDATE_FAILED"
    [told] = cloud.client("cloudformation").describe_stacks(StackName="express")["Stacks"]
    assert told["DeploymentConfig"] == {"Mode": "EXPRESS"}
    # The old one is deleted when an update succeeds.
    old = first.outputs["Key"]
    assert old in keys(cloud, failed)
    mended = cloud.stacks.update("express", None, {"LateFail": "none", "LateName": "later still"})
    assert mended.status == "UPDATE_COMPLETE", mended.reasons()
    assert old not in keys(cloud, mended)
