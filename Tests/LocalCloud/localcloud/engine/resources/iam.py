"""AWS::IAM::Role and AWS::IAM::InstanceProfile."""

from __future__ import annotations

from typing import Any

from localcloud.engine.resource_type import Context, ResourceType
from localcloud.engine.resources.shapes import document, integers, picked
from localcloud.engine.stack import Physical


class Role(ResourceType):
    name = "AWS::IAM::Role"
    name_property = "RoleName"
    properties = frozenset(
        {
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "Path",
            "PermissionsBoundary",
            "Policies",
            "RoleName",
            "Tags",
        }
    )
    required = frozenset({"AssumeRolePolicyDocument"})
    replaced_by = frozenset({"RoleName", "Path"})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        client, name = context.client("iam"), properties.get("RoleName") or context.generated_name(64)
        made = client.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=document(properties["AssumeRolePolicyDocument"]),
            **picked(properties, "Description", "Path", "PermissionsBoundary", "Tags"),
            **integers(properties, "MaxSessionDuration"),
        )["Role"]
        context.adopt(name, properties)
        self._attach(client, name, properties)
        return Physical(name, properties, {"Arn": made["Arn"], "RoleId": made["RoleId"]})

    @staticmethod
    def _attach(client: Any, name: str, properties: dict[str, Any]) -> None:
        for arn in properties.get("ManagedPolicyArns", []):
            client.attach_role_policy(RoleName=name, PolicyArn=arn)
        for policy in properties.get("Policies", []):
            client.put_role_policy(
                RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document(policy["PolicyDocument"])
            )

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        client, old = context.client("iam"), physical.properties
        client.update_assume_role_policy(
            RoleName=physical.id, PolicyDocument=document(properties["AssumeRolePolicyDocument"])
        )
        client.update_role(
            RoleName=physical.id,
            Description=properties.get("Description", ""),
            **integers(properties, "MaxSessionDuration"),
        )
        for arn in set(old.get("ManagedPolicyArns", [])) - set(properties.get("ManagedPolicyArns", [])):
            client.detach_role_policy(RoleName=physical.id, PolicyArn=arn)
        kept = {policy["PolicyName"] for policy in properties.get("Policies", [])}
        for gone in {policy["PolicyName"] for policy in old.get("Policies", [])} - kept:
            client.delete_role_policy(RoleName=physical.id, PolicyName=gone)
        self._attach(client, physical.id, properties)
        return Physical(physical.id, properties, physical.attributes)

    def read(self, context: Context, physical: Physical) -> None:
        context.client("iam").get_role(RoleName=physical.id)

    def delete(self, context: Context, physical: Physical) -> None:
        client = context.client("iam")
        for name in client.list_role_policies(RoleName=physical.id)["PolicyNames"]:
            client.delete_role_policy(RoleName=physical.id, PolicyName=name)
        for policy in client.list_attached_role_policies(RoleName=physical.id)["AttachedPolicies"]:
            client.detach_role_policy(RoleName=physical.id, PolicyArn=policy["PolicyArn"])
        client.delete_role(RoleName=physical.id)


class InstanceProfile(ResourceType):
    name = "AWS::IAM::InstanceProfile"
    name_property = "InstanceProfileName"
    properties = frozenset({"InstanceProfileName", "Path", "Roles"})
    required = frozenset({"Roles"})
    replaced_by = frozenset({"InstanceProfileName", "Path"})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        client = context.client("iam")
        name = properties.get("InstanceProfileName") or context.generated_name(128)
        made = client.create_instance_profile(InstanceProfileName=name, **picked(properties, "Path"))["InstanceProfile"]
        context.adopt(name, properties)
        for role in properties["Roles"]:
            client.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
        return Physical(name, properties, {"Arn": made["Arn"]})

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        client = context.client("iam")
        for role in physical.properties["Roles"]:
            client.remove_role_from_instance_profile(InstanceProfileName=physical.id, RoleName=role)
        for role in properties["Roles"]:
            client.add_role_to_instance_profile(InstanceProfileName=physical.id, RoleName=role)
        return Physical(physical.id, properties, physical.attributes)

    def read(self, context: Context, physical: Physical) -> None:
        context.client("iam").get_instance_profile(InstanceProfileName=physical.id)

    def delete(self, context: Context, physical: Physical) -> None:
        client = context.client("iam")
        found = client.get_instance_profile(InstanceProfileName=physical.id)["InstanceProfile"]
        for role in found["Roles"]:
            client.remove_role_from_instance_profile(InstanceProfileName=physical.id, RoleName=role["RoleName"])
        client.delete_instance_profile(InstanceProfileName=physical.id)
