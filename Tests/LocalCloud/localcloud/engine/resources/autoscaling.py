"""AWS::AutoScaling::AutoScalingGroup: its instances, and how an update rolls over them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from localcloud.engine.errors import ResourceFailed
from localcloud.engine.resource_type import Context, ResourceType, boolean
from localcloud.engine.resources.launch_configurations import launch_data
from localcloud.engine.resources.rolling import Roll
from localcloud.engine.resources.shapes import integers, only, picked
from localcloud.engine.signals import Signals
from localcloud.engine.stack import Physical
from localcloud.instances.fleet import Fleet

_ATTACHED = ("LoadBalancerNames", "TargetGroupARNs")
_SOURCES = ("LaunchTemplate", "LaunchConfigurationName")
_TEXTS = (*_ATTACHED, *_SOURCES, "AvailabilityZones", "HealthCheckType", "TerminationPolicies")
_NUMBERS = ("DesiredCapacity", "HealthCheckGracePeriod", "MaxSize", "MinSize")


def _version(properties: dict[str, Any]) -> str:
    """What instances are launched from: a launch configuration never changes, a launch template has versions."""
    if "LaunchConfigurationName" in properties:
        return f"configuration {properties['LaunchConfigurationName']}"
    template = properties["LaunchTemplate"]
    return f"{template.get('LaunchTemplateId') or template.get('LaunchTemplateName')}:{template['Version']}"


class AutoScalingGroup(ResourceType):
    name = "AWS::AutoScaling::AutoScalingGroup"
    name_property = "AutoScalingGroupName"
    properties = frozenset({*_TEXTS, *_NUMBERS, "AutoScalingGroupName", "Cooldown", "Tags", "VPCZoneIdentifier"})
    required = frozenset({"MaxSize", "MinSize"})
    replaced_by = frozenset({"AutoScalingGroupName"})

    def __init__(self, fleet: Fleet, signals: Signals, minute: float):
        self._fleet = fleet
        self.signals = signals
        self.minute = minute
        self._groups: dict[str, str] = {}
        self._versions: dict[str, str] = {}

    def validate(self, properties: dict[str, Any]) -> None:
        super().validate(properties)
        if len(picked(properties, *_SOURCES)) != 1:
            raise ResourceFailed(f"{self.name}: exactly one of {' and '.join(_SOURCES)} is needed")

    @staticmethod
    def _request(properties: dict[str, Any]) -> dict[str, Any]:
        wanted = {**picked(properties, *_TEXTS), **integers(properties, *_NUMBERS)}
        if "LaunchTemplate" in wanted:
            template = wanted["LaunchTemplate"]
            only(template, {"LaunchTemplateId", "LaunchTemplateName", "Version"}, "LaunchTemplate")
            wanted["LaunchTemplate"] = {key: str(value) for key, value in template.items()}
        if "VPCZoneIdentifier" in properties:
            wanted["VPCZoneIdentifier"] = ",".join(properties["VPCZoneIdentifier"])
        if "Cooldown" in properties:
            wanted["DefaultCooldown"] = int(properties["Cooldown"])
        return wanted

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        client = context.client("autoscaling")
        name = properties.get("AutoScalingGroupName") or context.generated_name(255)
        tags = [
            {"Key": t["Key"], "Value": t["Value"], "PropagateAtLaunch": boolean(t["PropagateAtLaunch"])}
            for t in properties.get("Tags", [])
        ]
        client.create_auto_scaling_group(AutoScalingGroupName=name, Tags=tags, **self._request(properties))
        context.adopt(name, properties)
        self.follow_capacity(context, name, properties)
        return Physical(name, properties, {})

    @staticmethod
    def instances(context: Context, name: str) -> list[str]:
        groups = context.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        return [instance["InstanceId"] for instance in groups["AutoScalingGroups"][0]["Instances"]]

    @staticmethod
    def _launch_data(context: Context, properties: dict[str, Any]) -> dict[str, Any]:
        if "LaunchConfigurationName" in properties:
            return launch_data(context, properties["LaunchConfigurationName"])
        template = properties["LaunchTemplate"]
        which = picked(template, "LaunchTemplateId", "LaunchTemplateName")
        version = context.client("ec2").describe_launch_template_versions(Versions=[str(template["Version"])], **which)
        return version["LaunchTemplateVersions"][0]["LaunchTemplateData"]

    def _boot(self, context: Context, name: str, properties: dict[str, Any], instance_id: str) -> None:
        data = self._launch_data(context, properties)
        where = (context.stack.id, context.state.name)
        self._groups[instance_id], self._versions[instance_id] = name, _version(properties)
        self._fleet.boot(instance_id, data, context.stack.account, context.stack.region, where)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        request = self._request(properties)
        for member in _ATTACHED:
            if physical.properties.get(member) != properties.get(member):
                raise ResourceFailed(f"Not covered locally: a change of {member} of {self.name}")
            request.pop(member, None)
        policy = (context.declared.get("UpdatePolicy") or {}).get("AutoScalingRollingUpdate")
        if policy is not None and self.outdated(context, physical.id, properties):
            # The roll decides which instances go; the group must not end any by itself meanwhile.
            request["DesiredCapacity"] = len(self.instances(context, physical.id))
            request["MaxSize"] = max(request["MaxSize"], request["DesiredCapacity"])
        context.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=physical.id, **request)
        if policy is not None:
            with self._suspended(context, physical.id, policy):
                Roll(self, context, physical.id, properties, policy).run()
            context.client("autoscaling").update_auto_scaling_group(
                AutoScalingGroupName=physical.id, **self._bounds(properties)
            )
        self.follow_capacity(context, physical.id, properties)
        return Physical(physical.id, properties, physical.attributes)

    @staticmethod
    @contextlib.contextmanager
    def _suspended(context: Context, name: str, policy: dict[str, Any]) -> Iterator[None]:
        """Processes that the policy names rest during the roll. Only the calls are made: none runs by itself here."""
        processes = policy.get("SuspendProcesses")
        wanted = {"AutoScalingGroupName": name, "ScalingProcesses": processes}
        if processes:
            context.client("autoscaling").suspend_processes(**wanted)
        try:
            yield
        finally:
            if processes:
                context.client("autoscaling").resume_processes(**wanted)

    @staticmethod
    def _bounds(properties: dict[str, Any]) -> dict[str, int]:
        return integers(properties, "DesiredCapacity", "MaxSize", "MinSize")

    def outdated(self, context: Context, name: str, properties: dict[str, Any]) -> list[str]:
        """Instances that were not launched from what the group launches from now."""
        wanted = _version(properties)
        return [instance for instance in self.instances(context, name) if self._versions.get(instance) != wanted]

    def follow_capacity(self, context: Context, name: str, properties: dict[str, Any]) -> list[str]:
        """Boot what the group has launched meanwhile, end what it has ended; returns the new ones."""
        listed = self.instances(context, name)
        for gone in [i for i, group in self._groups.items() if group == name and i not in listed]:
            self._end(gone)
        new = [instance for instance in listed if instance not in self._groups]
        for instance in new:
            self._boot(context, name, properties, instance)
        return new

    def set_capacity(self, context: Context, name: str, count: int) -> None:
        context.client("autoscaling").set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=count)

    def end(self, context: Context, instance_ids: list[str]) -> None:
        """Take instances out of the group, whose desired capacity shrinks with them."""
        for instance in instance_ids:
            context.client("autoscaling").terminate_instance_in_auto_scaling_group(
                InstanceId=instance, ShouldDecrementDesiredCapacity=True
            )
            self._end(instance)

    def _end(self, instance: str) -> None:
        self._fleet.terminate(instance)
        self._groups.pop(instance, None)
        self._versions.pop(instance, None)

    def delete(self, context: Context, physical: Physical) -> None:
        for instance in self.instances(context, physical.id):
            self._end(instance)
        context.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=physical.id, ForceDelete=True)
