"""AWS::Logs::LogGroup."""

from __future__ import annotations

from typing import Any

from localcloud.engine.resource_type import Context, ResourceType
from localcloud.engine.stack import Physical


class LogGroup(ResourceType):
    name = "AWS::Logs::LogGroup"
    name_property = "LogGroupName"
    properties = frozenset({"KmsKeyId", "LogGroupName", "RetentionInDays", "Tags"})
    replaced_by = frozenset({"LogGroupName"})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        client, name = context.client("logs"), properties.get("LogGroupName") or context.generated_name(512)
        key = {"kmsKeyId": properties["KmsKeyId"]} if "KmsKeyId" in properties else {}
        client.create_log_group(logGroupName=name, **key)
        context.adopt(name, properties)
        if "RetentionInDays" in properties:
            client.put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))
        arn = f"arn:aws:logs:{context.stack.region}:{context.stack.account}:log-group:{name}:*"
        return Physical(name, properties, {"Arn": arn})

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        client = context.client("logs")
        if properties.get("KmsKeyId") != physical.properties.get("KmsKeyId"):
            if "KmsKeyId" in properties:
                client.associate_kms_key(logGroupName=physical.id, kmsKeyId=properties["KmsKeyId"])
            else:
                client.disassociate_kms_key(logGroupName=physical.id)
        if "RetentionInDays" in properties:
            client.put_retention_policy(logGroupName=physical.id, retentionInDays=int(properties["RetentionInDays"]))
        else:
            client.delete_retention_policy(logGroupName=physical.id)
        return Physical(physical.id, properties, physical.attributes)

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("logs").delete_log_group(logGroupName=physical.id)
