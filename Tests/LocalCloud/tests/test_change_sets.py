"""Change sets: what an update would do and why, and the update itself."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from .test_templates import one_parameter

TEMPLATE = {
    "Parameters": {
        "Rotation": {"Type": "String", "Default": "1"},
        "Size": {"Type": "String", "Default": "small"},
        "Image": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/image"},
    },
    "Conditions": {"IsLarge": {"Fn::Equals": [{"Ref": "Size"}, "large"]}},
    "Resources": {
        "First": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Rotation"}}},
        "Second": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Type": "String", "Value": {"Fn::Sub": "after ${First.Value}"}},
        },
        "Third": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Type": "String", "Value": {"Fn::If": ["IsLarge", "L", "S"]}},
        },
        "Fourth": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Image"}}},
        "Fifth": {
            "Type": "AWS::SSM::Parameter",
            "DependsOn": "First",
            "Properties": {"Type": "String", "Value": "untouched"},
        },
    },
}


@pytest.fixture
def stack(cloud, request):
    cloud.client("ssm").put_parameter(Name="/image", Value="ami-1", Type="String", Overwrite=True)
    name = request.node.name.replace("_", "-")[:60].strip("-")
    assert cloud.stacks.create(name, json.dumps(TEMPLATE)).status == "CREATE_COMPLETE"
    return name


def previous(**changes):
    return [
        {"ParameterKey": key, "ParameterValue": changes[key]}
        if key in changes
        else {"ParameterKey": key, "UsePreviousValue": True}
        for key in TEMPLATE["Parameters"]
    ]


def made(cloud, stack, name="change", **arguments):
    client = cloud.client("cloudformation")
    arguments = {"UsePreviousTemplate": True, "Parameters": previous(), **arguments}
    identifier = client.create_change_set(StackName=stack, ChangeSetName=name, **arguments)["Id"]
    for _ in range(200):
        found = client.describe_change_set(ChangeSetName=identifier)
        if not found["Status"].endswith(("_PENDING", "_IN_PROGRESS")):
            return found
        time.sleep(0.01)
    raise AssertionError("the change set is never finished")


def causes(change_set):
    """{logical id: {(source, entity)}}"""
    return {
        change["ResourceChange"]["LogicalResourceId"]: {
            (detail["ChangeSource"], detail.get("CausingEntity")) for detail in change["ResourceChange"]["Details"]
        }
        for change in change_set["Changes"]
    }


def test_a_parameter_and_what_follows_from_it_are_told_with_their_causes(cloud, stack):
    found = made(cloud, stack, Parameters=previous(Rotation="2"))
    assert (found["Status"], found["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert causes(found) == {
        "First": {("ParameterReference", "Rotation"), ("DirectModification", None)},
        "Second": {("ResourceAttribute", "First.Value")},
    }


def test_a_condition_hands_on_its_parameter(cloud, stack):
    assert set(causes(made(cloud, stack, Parameters=previous(Size="large")))) == {"Third"}
    # The parameter changes, and what it decides stays.
    assert causes(made(cloud, stack, "other", Parameters=previous(Size="medium"))) == {}


def test_a_value_of_the_parameter_store_is_looked_up_anew(cloud, stack):
    cloud.client("ssm").put_parameter(Name="/image", Value="ami-2", Type="String", Overwrite=True)
    found = made(cloud, stack, Parameters=previous(Rotation="2"))
    assert ("ParameterReference", "Image") in causes(found)["Fourth"]


def test_another_template_is_a_direct_modification(cloud, stack):
    changed = json.loads(json.dumps(TEMPLATE))
    changed["Resources"]["Fifth"]["Properties"]["Value"] = "touched"
    changed["Resources"]["Sixth"] = changed["Resources"].pop("Third")
    found = made(cloud, stack, UsePreviousTemplate=False, TemplateBody=json.dumps(changed))
    actions = {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"]["Action"] for c in found["Changes"]}
    assert actions == {"Fifth": "Modify", "Sixth": "Add", "Third": "Remove"}
    assert causes(found)["Fifth"] == {("DirectModification", None)}


def test_without_changes_it_fails_in_awss_words(cloud, stack):
    found = made(cloud, stack)
    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert "didn't contain changes" in found["StatusReason"]


def test_execution_updates_the_stack_and_ends_all_others(cloud, stack):
    client = cloud.client("cloudformation")
    made(cloud, stack, "other", Parameters=previous(Rotation="3"))
    found = made(cloud, stack, Parameters=previous(Rotation="2"))
    client.execute_change_set(ChangeSetName="change", StackName=stack)
    result = cloud.stacks.wait(stack)
    assert result.status == "UPDATE_COMPLETE"
    parameters = client.describe_stacks(StackName=stack)["Stacks"][0]["Parameters"]
    assert {"ParameterKey": "Rotation", "ParameterValue": "2"} in parameters
    assert client.describe_change_set(ChangeSetName=found["ChangeSetId"])["ExecutionStatus"] == "EXECUTE_COMPLETE"
    assert [s["ChangeSetName"] for s in client.list_change_sets(StackName=stack)["Summaries"]] == ["change"]
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        client.execute_change_set(ChangeSetName="change", StackName=stack)


def test_an_update_makes_older_change_sets_obsolete(cloud, stack):
    client = cloud.client("cloudformation")
    found = made(cloud, stack, Parameters=previous(Rotation="from the change set"))
    assert found["ExecutionStatus"] == "AVAILABLE"
    assert cloud.stacks.update(stack, parameters={"Rotation": "by hand"}).status == "UPDATE_COMPLETE"
    described = client.describe_change_set(ChangeSetName=found["ChangeSetId"])
    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_COMPLETE", "OBSOLETE")
    listed = client.list_change_sets(StackName=stack)["Summaries"]
    assert [each["ExecutionStatus"] for each in listed] == ["OBSOLETE"]
    with pytest.raises(ClientError, match=r"InvalidChangeSetStatus.*current execution status of \[OBSOLETE\]"):
        client.execute_change_set(ChangeSetName=found["ChangeSetId"])
    parameters = client.describe_stacks(StackName=stack)["Stacks"][0]["Parameters"]
    assert {"ParameterKey": "Rotation", "ParameterValue": "by hand"} in parameters
    # One that is made afterwards can be executed.
    newer = made(cloud, stack, "newer", Parameters=previous(Rotation="3"))
    client.execute_change_set(ChangeSetName=newer["ChangeSetId"])
    assert cloud.stacks.wait(stack).status == "UPDATE_COMPLETE"


def test_an_update_that_is_rolled_back_makes_them_obsolete_too(cloud, stack):
    client = cloud.client("cloudformation")
    found = made(cloud, stack, Parameters=previous(Rotation="2"))
    broken = json.loads(json.dumps(TEMPLATE))
    broken["Resources"]["Fifth"]["Properties"]["Value"] = ""
    assert cloud.stacks.update(stack, json.dumps(broken)).status == "UPDATE_ROLLBACK_COMPLETE"
    assert client.describe_change_set(ChangeSetName=found["ChangeSetId"])["ExecutionStatus"] == "OBSOLETE"


def test_names_are_unique_and_missing_ones_are_errors(cloud, stack):
    client = cloud.client("cloudformation")
    made(cloud, stack, Parameters=previous(Rotation="2"))
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        made(cloud, stack, Parameters=previous(Rotation="2"))
    client.delete_change_set(ChangeSetName="change", StackName=stack)
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        client.describe_change_set(ChangeSetName="change", StackName=stack)
    with pytest.raises(ClientError, match="do not exist in the template"):
        made(cloud, stack, Parameters=[*previous(), {"ParameterKey": "Nothing", "ParameterValue": "1"}])
    with pytest.raises(ClientError, match="does not exist"):
        made(cloud, "nobody")


def test_a_policy_can_name_change_sets_and_stacks(cloud, stack):
    arn = cloud.stacks.wait(stack).id
    narrow = {
        "Effect": "Allow",
        "Action": ["cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet"],
        "Resource": arn,
        "Condition": {"StringLike": {"cloudformation:ChangeSetName": "ours-*"}},
    }
    look = {"Effect": "Allow", "Action": "cloudformation:DescribeChangeSet", "Resource": arn}
    image = {"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": "*"}
    client = cloud.client("cloudformation", as_role=cloud.create_role(f"{stack}-role"[-60:], narrow, look, image))
    arguments = {"StackName": stack, "UsePreviousTemplate": True, "Parameters": previous(Rotation="2")}
    found = client.create_change_set(ChangeSetName="ours-1", **arguments)
    assert client.describe_change_set(ChangeSetName=found["Id"])["StackId"] == arn
    client.delete_change_set(ChangeSetName="ours-1", StackName=stack)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.create_change_set(ChangeSetName="theirs", **arguments)


def test_a_change_set_of_a_template_with_a_transform_needs_the_right_to_it(cloud):
    name = "transformed"
    body = "Transform: AWS::LanguageExtensions\nParameters: { V: { Type: String, Default: one } }"
    body += one_parameter("!Ref V")
    with pytest.raises(ClientError, match="CAPABILITY_AUTO_EXPAND"):
        cloud.client("cloudformation").create_stack(StackName=name, TemplateBody=body)
    arn = cloud.stacks.create(name, body).id
    stacks = {"Effect": "Allow", "Action": "cloudformation:CreateChangeSet", "Resource": arn}
    values = [{"ParameterKey": "V", "ParameterValue": "2"}]
    arguments = {"StackName": name, "UsePreviousTemplate": True, "Parameters": values}
    client = cloud.client("cloudformation", as_role=cloud.create_role(f"{name}-stacks", stacks))
    with pytest.raises(ClientError, match="aws:transform/LanguageExtensions"):
        client.create_change_set(ChangeSetName="first", **arguments)
    transform = f"arn:aws:cloudformation:{cloud.region}:aws:transform/LanguageExtensions"
    role = cloud.create_role(f"{name}-both", stacks, {**stacks, "Resource": transform})
    cloud.client("cloudformation", as_role=role).create_change_set(ChangeSetName="first", **arguments)


def test_a_change_set_looks_parameters_up_with_its_callers_rights(cloud):
    name = "looked-up"
    cloud.client("ssm").put_parameter(Name=f"/{name}", Value="1", Type="String")
    parameter = "Parameters: { V: { Type: AWS::SSM::Parameter::Value<String> } }"
    everything = cloud.create_role(f"{name}-all", {"Effect": "Allow", "Action": "*", "Resource": "*"})
    arn = cloud.stacks.create(name, one_parameter("!Ref V", parameter), {"V": f"/{name}"}, RoleARN=everything).id
    cloud.client("ssm").put_parameter(Name=f"/{name}", Value="2", Type="String", Overwrite=True)
    stacks = {"Effect": "Allow", "Action": "cloudformation:CreateChangeSet", "Resource": arn}
    values = [{"ParameterKey": "V", "UsePreviousValue": True}]
    arguments = {"StackName": name, "UsePreviousTemplate": True, "Parameters": values}
    client = cloud.client("cloudformation", as_role=cloud.create_role(f"{name}-stacks", stacks))
    with pytest.raises(ClientError, match="permission to call ssm:GetParameters"):
        client.create_change_set(ChangeSetName="first", **arguments)
    own = f"arn:aws:ssm:{cloud.region}:{cloud.account}:parameter/{name}"
    look = {"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": own}
    role = cloud.create_role(f"{name}-both", stacks, look)
    cloud.client("cloudformation", as_role=role).create_change_set(ChangeSetName="first", **arguments)


def test_a_stack_policy_refuses_what_it_does_not_allow(cloud, stack):
    client = cloud.client("cloudformation")
    everything = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
    second = {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "LogicalResourceId/Second"}
    client.set_stack_policy(StackName=stack, StackPolicyBody=json.dumps({"Statement": [everything, second]}))
    result = cloud.stacks.update(stack, parameters={"Rotation": "2"})
    assert result.status == "UPDATE_ROLLBACK_COMPLETE"
    assert any("denied by stack policy" in reason for reason in result.reasons())
    client.set_stack_policy(StackName=stack, StackPolicyBody=json.dumps({"Statement": [everything]}))
    assert cloud.stacks.update(stack, parameters={"Rotation": "2"}).status == "UPDATE_COMPLETE"


def test_a_rule_fires_when_its_hour_has_come(cloud, template):
    result = cloud.stacks.create("scheduled", template)
    function = next(iter(cloud.client("lambda").list_functions()["Functions"]))["FunctionArn"]
    events = cloud.client("events")
    rule = events.put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")["RuleArn"]
    events.put_targets(Rule="hourly", Targets=[{"Id": "1", "Arn": function}])
    with pytest.raises((PermissionError, ClientError)):
        cloud.schedules.fire("hourly")
    cloud.client("lambda").add_permission(
        FunctionName=function,
        StatementId="hourly",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    assert cloud.schedules.fire(rule) == 1
    events.disable_rule(Name="hourly")
    assert cloud.schedules.fire(rule) == 0
    assert result.status == "CREATE_COMPLETE"


def deploy(cloud, name, *arguments, **parameters):
    """`aws cloudformation deploy`, which makes and executes change sets."""
    given = [f"{key}={value}" for key, value in parameters.items()]
    overrides = ["--parameter-overrides", *given] if given else []
    command = [Path(sys.executable).with_name("aws"), "cloudformation", "deploy", "--stack-name", name, *arguments]
    environment = {"PATH": os.environ["PATH"], **cloud.environment_variables()}
    return subprocess.run([*command, *overrides], env=environment, capture_output=True, text=True, timeout=100)


def test_the_cli_deploys_a_stack_that_is_not_there_yet_and_then_updates_it(cloud, tmp_path):
    cloud.client("ssm").put_parameter(Name="/image", Value="ami-1", Type="String", Overwrite=True)
    file = tmp_path / "template.json"
    file.write_text(json.dumps(TEMPLATE))
    first = deploy(cloud, "deployed", "--template-file", str(file), Size="large")
    assert first.returncode == 0, first.stderr
    assert cloud.stacks.status("deployed") == "CREATE_COMPLETE"
    same = deploy(cloud, "deployed", "--template-file", str(file), "--no-fail-on-empty-changeset")
    assert "No changes to deploy" in same.stdout, same.stderr
    second = deploy(cloud, "deployed", "--template-file", str(file), Rotation="2")
    assert second.returncode == 0, second.stderr
    found = cloud.client("cloudformation").describe_stacks(StackName="deployed")["Stacks"][0]
    assert found["StackStatus"] == "UPDATE_COMPLETE"
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in found["Parameters"]}
    # What is not named keeps its value: a renewal's rotation survives a deployment.
    assert (parameters["Rotation"], parameters["Size"]) == ("2", "large")


def test_a_stack_in_review_can_only_be_created_or_deleted(cloud):
    cloud.client("ssm").put_parameter(Name="/image", Value="ami-1", Type="String", Overwrite=True)
    client = cloud.client("cloudformation")
    arguments = {"TemplateBody": json.dumps(TEMPLATE), "ChangeSetType": "CREATE"}
    client.create_change_set(StackName="reviewed", ChangeSetName="first", **arguments)
    assert cloud.stacks.status("reviewed") == "REVIEW_IN_PROGRESS"
    with pytest.raises(ClientError, match="REVIEW_IN_PROGRESS state and can not be updated"):
        cloud.stacks.update("reviewed", json.dumps(TEMPLATE))
    cloud.stacks.delete("reviewed")
    assert not cloud.stacks.exists("reviewed")
