"""Auto scaling groups that launch from a launch configuration."""

import json

import pytest

CONFIGURATION = {
    "Type": "AWS::AutoScaling::LaunchConfiguration",
    "Properties": {
        "ImageId": {"Ref": "Image"},
        "InstanceType": "t3.micro",
        "IamInstanceProfile": {"Ref": "Profile"},
        "SecurityGroups": [{"Ref": "Group"}],
        "AssociatePublicIpAddress": "false",
        "UserData": {"Fn::Base64": {"Fn::Sub": "#!/bin/bash\necho ${Word} > /opt/word\n"}},
    },
}
TEMPLATE = {
    "Parameters": {
        "Word": {"Type": "String", "Default": "one"},
        "Image": {"Type": "String", "Default": "ami-12c6146b"},
    },
    "Resources": {
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "servers"}},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": {"Service": "ec2.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                }
            },
        },
        "Profile": {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [{"Ref": "Role"}]}},
        "Configuration": CONFIGURATION,
        "Servers": {
            "Type": "AWS::AutoScaling::AutoScalingGroup",
            "Properties": {
                "AvailabilityZones": {"Fn::GetAZs": ""},
                "LaunchConfigurationName": {"Ref": "Configuration"},
                "MinSize": "1",
                "MaxSize": "2",
            },
        },
    },
    "Outputs": {"Configuration": {"Value": {"Ref": "Configuration"}}},
}


def test_a_server_boots_from_it_and_a_change_makes_another(cloud):
    first = cloud.stacks.create("configured", json.dumps(TEMPLATE))
    assert first.status == "CREATE_COMPLETE", first.reasons()
    (instance,) = cloud.instances
    assert instance.wait_booted() == 0, instance.console
    assert instance.path("/opt/word").read_text() == "one\n"
    second = cloud.stacks.update("configured", parameters={"Word": "two"})
    assert second.status == "UPDATE_COMPLETE", second.reasons()
    assert second.outputs["Configuration"] != first.outputs["Configuration"]
    client = cloud.client("autoscaling")
    left = client.describe_launch_configurations()["LaunchConfigurations"]
    assert [each["LaunchConfigurationName"] for each in left] == [second.outputs["Configuration"]]
    # Without an UpdatePolicy nothing replaces what is running.
    assert [each.id for each in cloud.instances] == [instance.id]
    assert cloud.stacks.delete("configured").status == "DELETE_COMPLETE"
    assert len(cloud.instances) == 0
    assert client.describe_launch_configurations()["LaunchConfigurations"] == []


@pytest.mark.parametrize("with_template", [True, False])
def test_a_group_launches_from_one_thing(cloud, with_template):
    template = json.loads(json.dumps(TEMPLATE))
    servers = template["Resources"]["Servers"]["Properties"]
    if with_template:
        servers["LaunchTemplate"] = {"LaunchTemplateId": "lt-1", "Version": "1"}
    else:
        del servers["LaunchConfigurationName"]
    name = f"launching-{with_template}".lower()
    result = cloud.stacks.create(name, json.dumps(template))
    assert result.status == "ROLLBACK_COMPLETE"
    assert any("exactly one of" in reason for reason in result.reasons())
