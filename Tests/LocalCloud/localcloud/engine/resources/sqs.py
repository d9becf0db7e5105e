"""AWS::SQS::Queue and AWS::SQS::QueuePolicy."""

from __future__ import annotations

import json
from typing import Any

from localcloud.engine.resource_type import Context, ResourceType, text
from localcloud.engine.resources.shapes import document
from localcloud.engine.stack import Physical

_ATTRIBUTES = (
    "DelaySeconds",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)


class Queue(ResourceType):
    name = "AWS::SQS::Queue"
    name_property = "QueueName"
    properties = frozenset({*_ATTRIBUTES, "QueueName", "RedrivePolicy", "Tags"})
    replaced_by = frozenset({"QueueName"})

    @staticmethod
    def _attributes(properties: dict[str, Any]) -> dict[str, str]:
        found = {name: text(properties[name]) for name in _ATTRIBUTES if name in properties}
        if "RedrivePolicy" in properties:
            found["RedrivePolicy"] = json.dumps(properties["RedrivePolicy"])
        return found

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        name = properties.get("QueueName") or context.generated_name(80)
        url = context.client("sqs").create_queue(QueueName=name, Attributes=self._attributes(properties))["QueueUrl"]
        arn = f"arn:aws:sqs:{context.stack.region}:{context.stack.account}:{name}"
        return Physical(url, properties, {"Arn": arn, "QueueName": name, "QueueUrl": url})

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        attributes = self._attributes(properties)
        if attributes:
            context.client("sqs").set_queue_attributes(QueueUrl=physical.id, Attributes=attributes)
        return Physical(physical.id, properties, physical.attributes)

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("sqs").delete_queue(QueueUrl=physical.id)


class QueuePolicy(ResourceType):
    name = "AWS::SQS::QueuePolicy"
    properties = frozenset({"PolicyDocument", "Queues"})
    required = properties

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        for url in properties["Queues"]:
            context.client("sqs").set_queue_attributes(
                QueueUrl=url, Attributes={"Policy": document(properties["PolicyDocument"])}
            )
        return Physical(context.generated_name(64), properties)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        for url in set(physical.properties["Queues"]) - set(properties["Queues"]):
            context.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
        made = self.create(context, properties)
        return Physical(physical.id, properties, made.attributes)

    def delete(self, context: Context, physical: Physical) -> None:
        for url in physical.properties["Queues"]:
            context.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
