"""AWS::AutoScaling::LaunchConfiguration, what auto scaling groups launched from before there were launch templates."""

from __future__ import annotations

import base64
from typing import Any

from localcloud.engine.resource_type import Context, ResourceType, boolean
from localcloud.engine.resources.shapes import booleans, picked
from localcloud.engine.stack import Physical

_TEXTS = ("IamInstanceProfile", "ImageId", "InstanceType", "KeyName", "SecurityGroups")
_SWITCHES = ("AssociatePublicIpAddress", "EbsOptimized")


class LaunchConfiguration(ResourceType):
    """Cannot be changed: every property makes another one (CloudFormation's reference of the type)."""

    name = "AWS::AutoScaling::LaunchConfiguration"
    name_property = "LaunchConfigurationName"
    properties = frozenset({*_TEXTS, *_SWITCHES, "InstanceMonitoring", "LaunchConfigurationName", "UserData"})
    required = frozenset({"ImageId", "InstanceType"})
    replaced_by = properties

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        name = properties.get("LaunchConfigurationName") or context.generated_name(255)
        more: dict[str, Any] = booleans(properties, *_SWITCHES)
        if "UserData" in properties:
            # Encoded in the template; the SDK encodes what it gets here once more.
            more["UserData"] = base64.b64decode(properties["UserData"])
        if "InstanceMonitoring" in properties:
            more["InstanceMonitoring"] = {"Enabled": boolean(properties["InstanceMonitoring"])}
        context.client("autoscaling").create_launch_configuration(
            LaunchConfigurationName=name,
            **picked(properties, *_TEXTS),
            **more,
        )
        return Physical(name, properties)

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("autoscaling").delete_launch_configuration(LaunchConfigurationName=physical.id)


def launch_data(context: Context, name: str) -> dict[str, Any]:
    """What a launch configuration says of its instances, in a launch template's words."""
    described = context.client("autoscaling").describe_launch_configurations(LaunchConfigurationNames=[name])
    found = described["LaunchConfigurations"][0]
    data = picked(found, "ImageId", "InstanceType", "UserData")
    profile = found.get("IamInstanceProfile")
    if profile:
        data["IamInstanceProfile"] = {"Arn" if profile.startswith("arn:") else "Name": profile}
    return data
