"""AWS::IAM::Policy and AWS::IAM::ManagedPolicy."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from localcloud.engine.resource_type import Context, ResourceType
from localcloud.engine.resources.shapes import document, is_code, picked
from localcloud.engine.stack import Physical


class InlinePolicy(ResourceType):
    name = "AWS::IAM::Policy"
    properties = frozenset({"PolicyName", "PolicyDocument", "Roles"})
    required = properties

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        context.adopt(properties["PolicyName"], properties)
        for role in properties["Roles"]:
            context.client("iam").put_role_policy(
                RoleName=role,
                PolicyName=properties["PolicyName"],
                PolicyDocument=document(properties["PolicyDocument"]),
            )
        return Physical(properties["PolicyName"], properties)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        made = self.create(context, properties)
        kept = set(properties["Roles"]) if properties["PolicyName"] == physical.properties["PolicyName"] else set()
        self._remove(context, physical, set(physical.properties["Roles"]) - kept)
        return made

    @staticmethod
    def _remove(context: Context, physical: Physical, roles: set[str]) -> None:
        for role in roles:
            try:
                context.client("iam").delete_role_policy(RoleName=role, PolicyName=physical.properties["PolicyName"])
            except ClientError as error:
                if not is_code(error, "NoSuchEntity"):
                    raise

    def delete(self, context: Context, physical: Physical) -> None:
        self._remove(context, physical, set(physical.properties["Roles"]))


class ManagedPolicy(ResourceType):
    name = "AWS::IAM::ManagedPolicy"
    name_property = "ManagedPolicyName"
    properties = frozenset({"ManagedPolicyName", "PolicyDocument", "Description", "Path", "Roles"})
    required = frozenset({"PolicyDocument"})
    replaced_by = frozenset({"ManagedPolicyName", "Description", "Path"})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        client, name = context.client("iam"), properties.get("ManagedPolicyName") or context.generated_name(128)
        made = client.create_policy(
            PolicyName=name,
            PolicyDocument=document(properties["PolicyDocument"]),
            **picked(properties, "Description", "Path"),
        )["Policy"]
        context.adopt(made["Arn"], properties)
        for role in properties.get("Roles", []):
            client.attach_role_policy(RoleName=role, PolicyArn=made["Arn"])
        return Physical(made["Arn"], properties, {"PolicyArn": made["Arn"]})

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        client = context.client("iam")
        for version in client.list_policy_versions(PolicyArn=physical.id)["Versions"]:
            if not version["IsDefaultVersion"]:
                client.delete_policy_version(PolicyArn=physical.id, VersionId=version["VersionId"])
        client.create_policy_version(
            PolicyArn=physical.id, PolicyDocument=document(properties["PolicyDocument"]), SetAsDefault=True
        )
        old, new = set(physical.properties.get("Roles", [])), set(properties.get("Roles", []))
        for role in old - new:
            client.detach_role_policy(RoleName=role, PolicyArn=physical.id)
        for role in new - old:
            client.attach_role_policy(RoleName=role, PolicyArn=physical.id)
        return Physical(physical.id, properties, physical.attributes)

    def delete(self, context: Context, physical: Physical) -> None:
        client = context.client("iam")
        for role in client.list_entities_for_policy(PolicyArn=physical.id)["PolicyRoles"]:
            client.detach_role_policy(RoleName=role["RoleName"], PolicyArn=physical.id)
        for version in client.list_policy_versions(PolicyArn=physical.id)["Versions"]:
            if not version["IsDefaultVersion"]:
                client.delete_policy_version(PolicyArn=physical.id, VersionId=version["VersionId"])
        client.delete_policy(PolicyArn=physical.id)
