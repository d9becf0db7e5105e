"""AWS::EC2::SecurityGroup, its rules, and AWS::EC2::LaunchTemplate."""

from __future__ import annotations

from typing import Any

from localcloud.engine.resource_type import Context, ResourceType
from localcloud.engine.resources.shapes import only, picked
from localcloud.engine.stack import Physical

_RULE = {"IpProtocol", "FromPort", "ToPort", "CidrIp", "CidrIpv6", "Description", "SourceSecurityGroupId"}
_RULE |= {"DestinationSecurityGroupId", "SourceSecurityGroupOwnerId"}


def _permission(rule: dict[str, Any]) -> dict[str, Any]:
    only(rule, _RULE, "a security group rule")
    made: dict[str, Any] = {"IpProtocol": str(rule["IpProtocol"])}
    made.update({name: int(rule[name]) for name in ("FromPort", "ToPort") if name in rule})
    if "CidrIp" in rule:
        made["IpRanges"] = [{"CidrIp": rule["CidrIp"]}]
    if "CidrIpv6" in rule:
        made["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"]}]
    other = rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId")
    if other:
        made["UserIdGroupPairs"] = [{"GroupId": other}]
    return made


class SecurityGroup(ResourceType):
    name = "AWS::EC2::SecurityGroup"
    name_property = "GroupName"
    properties = frozenset(
        {"GroupDescription", "GroupName", "SecurityGroupEgress", "SecurityGroupIngress", "Tags", "VpcId"}
    )
    required = frozenset({"GroupDescription"})
    replaced_by = frozenset({"GroupDescription", "GroupName", "VpcId"})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        client, name = context.client("ec2"), properties.get("GroupName") or context.generated_name(255)
        made = client.create_security_group(
            GroupName=name, Description=properties["GroupDescription"], **picked(properties, "VpcId")
        )["GroupId"]
        context.adopt(made, properties)
        self._open(client, made, properties)
        found = client.describe_security_groups(GroupIds=[made])["SecurityGroups"][0]
        return Physical(made, properties, {"GroupId": made, "Id": made, "VpcId": found.get("VpcId", "")})

    @staticmethod
    def _open(client: Any, group: str, properties: dict[str, Any]) -> None:
        ingress = [_permission(rule) for rule in properties.get("SecurityGroupIngress", [])]
        if ingress:
            client.authorize_security_group_ingress(GroupId=group, IpPermissions=ingress)
        if "SecurityGroupEgress" in properties:
            everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
            client.revoke_security_group_egress(GroupId=group, IpPermissions=everything)
            egress = [_permission(rule) for rule in properties["SecurityGroupEgress"]]
            if egress:
                client.authorize_security_group_egress(GroupId=group, IpPermissions=egress)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        client = context.client("ec2")
        found = client.describe_security_groups(GroupIds=[physical.id])["SecurityGroups"][0]
        if found["IpPermissions"]:
            client.revoke_security_group_ingress(GroupId=physical.id, IpPermissions=found["IpPermissions"])
        if found["IpPermissionsEgress"]:
            client.revoke_security_group_egress(GroupId=physical.id, IpPermissions=found["IpPermissionsEgress"])
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        client.authorize_security_group_egress(GroupId=physical.id, IpPermissions=everything)
        self._open(client, physical.id, properties)
        return Physical(physical.id, properties, physical.attributes)

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("ec2").delete_security_group(GroupId=physical.id)


class SecurityGroupIngress(ResourceType):
    name = "AWS::EC2::SecurityGroupIngress"
    properties = frozenset({"GroupId", *_RULE})
    required = frozenset({"GroupId", "IpProtocol"})
    replaced_by = properties

    @staticmethod
    def _request(properties: dict[str, Any]) -> dict[str, Any]:
        rule = {key: value for key, value in properties.items() if key != "GroupId"}
        return {"GroupId": properties["GroupId"], "IpPermissions": [_permission(rule)]}

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        context.client("ec2").authorize_security_group_ingress(**self._request(properties))
        return Physical(context.generated_name(64), properties)

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("ec2").revoke_security_group_ingress(**self._request(physical.properties))


class LaunchTemplate(ResourceType):
    name = "AWS::EC2::LaunchTemplate"
    name_property = "LaunchTemplateName"
    properties = frozenset({"LaunchTemplateData", "LaunchTemplateName", "VersionDescription"})
    required = frozenset({"LaunchTemplateData"})
    replaced_by = frozenset({"LaunchTemplateName"})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        name = properties.get("LaunchTemplateName") or context.generated_name(128)
        made = context.client("ec2").create_launch_template(
            LaunchTemplateName=name,
            LaunchTemplateData=properties["LaunchTemplateData"],
            **picked(properties, "VersionDescription"),
        )["LaunchTemplate"]
        attributes = {
            "DefaultVersionNumber": "1",
            "LatestVersionNumber": "1",
            "LaunchTemplateId": made["LaunchTemplateId"],
        }
        return Physical(made["LaunchTemplateId"], properties, attributes)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        made = context.client("ec2").create_launch_template_version(
            LaunchTemplateId=physical.id,
            LaunchTemplateData=properties["LaunchTemplateData"],
            **picked(properties, "VersionDescription"),
        )["LaunchTemplateVersion"]
        return Physical(
            physical.id, properties, {**physical.attributes, "LatestVersionNumber": str(made["VersionNumber"])}
        )

    def read(self, context: Context, physical: Physical) -> None:
        context.client("ec2").describe_launch_templates(LaunchTemplateIds=[physical.id])

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("ec2").delete_launch_template(LaunchTemplateId=physical.id)
