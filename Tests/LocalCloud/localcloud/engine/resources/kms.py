"""AWS::KMS::Key and AWS::KMS::Alias."""

from __future__ import annotations

from typing import Any

from localcloud.engine.errors import ResourceFailed
from localcloud.engine.resource_type import Context, ResourceType, boolean
from localcloud.engine.resources.shapes import document, picked
from localcloud.engine.stack import Physical


class Key(ResourceType):
    name = "AWS::KMS::Key"
    properties = frozenset(
        {
            "Description",
            "EnableKeyRotation",
            "Enabled",
            "KeyPolicy",
            "KeySpec",
            "KeyUsage",
            "PendingWindowInDays",
            "Tags",
        }
    )
    replaced_by = frozenset({"KeySpec", "KeyUsage"})
    identifier_property = "KeyId"

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        wanted: dict[str, Any] = picked(properties, "Description", "KeySpec", "KeyUsage")
        if "KeyPolicy" in properties:
            wanted["Policy"] = document(properties["KeyPolicy"])
        tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", [])]
        made = context.client("kms").create_key(**wanted, Tags=tags)["KeyMetadata"]
        context.adopt(made["KeyId"], properties)
        physical = Physical(made["KeyId"], properties, {"Arn": made["Arn"], "KeyId": made["KeyId"]})
        self._switch(context, physical, properties)
        return physical

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        client = context.client("kms")
        if "KeyPolicy" in properties:
            client.put_key_policy(KeyId=physical.id, PolicyName="default", Policy=document(properties["KeyPolicy"]))
        client.update_key_description(KeyId=physical.id, Description=properties.get("Description", ""))
        self._switch(context, physical, properties)
        return Physical(physical.id, properties, physical.attributes)

    def existing(self, context: Context, identifier: str, properties: dict[str, Any]) -> Physical:
        found = context.client("kms").describe_key(KeyId=identifier)["KeyMetadata"]
        if found["KeyId"] != identifier:
            raise ResourceFailed(f"{identifier} is no KeyId: it is {found['KeyId']}")
        return Physical(identifier, properties, {"Arn": found["Arn"], "KeyId": identifier})

    @staticmethod
    def _switch(context: Context, physical: Physical, properties: dict[str, Any]) -> None:
        client = context.client("kms")
        rotation, enabled = properties.get("EnableKeyRotation"), properties.get("Enabled")
        if rotation is not None:
            change = client.enable_key_rotation if boolean(rotation) else client.disable_key_rotation
            change(KeyId=physical.id)
        if enabled is not None:
            (client.enable_key if boolean(enabled) else client.disable_key)(KeyId=physical.id)

    def delete(self, context: Context, physical: Physical) -> None:
        days = int(physical.properties.get("PendingWindowInDays", 30))
        context.client("kms").schedule_key_deletion(KeyId=physical.id, PendingWindowInDays=days)


class Alias(ResourceType):
    name = "AWS::KMS::Alias"
    properties = frozenset({"AliasName", "TargetKeyId"})
    required = properties
    replaced_by = frozenset({"AliasName"})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        context.client("kms").create_alias(**properties)
        return Physical(properties["AliasName"], properties)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        context.client("kms").update_alias(**properties)
        return Physical(physical.id, properties)

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("kms").delete_alias(AliasName=physical.id)
