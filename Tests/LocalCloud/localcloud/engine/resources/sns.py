"""AWS::SNS::Topic, Subscription and TopicPolicy."""

from __future__ import annotations

from typing import Any

from localcloud.engine.resource_type import Context, ResourceType
from localcloud.engine.resources.shapes import document
from localcloud.engine.stack import Physical


class Topic(ResourceType):
    name = "AWS::SNS::Topic"
    name_property = "TopicName"
    properties = frozenset({"DisplayName", "KmsMasterKeyId", "Subscription", "Tags", "TopicName"})
    replaced_by = frozenset({"TopicName"})

    @staticmethod
    def _attributes(properties: dict[str, Any]) -> dict[str, str]:
        return {name: properties[name] for name in ("DisplayName", "KmsMasterKeyId") if name in properties}

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        client, name = context.client("sns"), properties.get("TopicName") or context.generated_name(256)
        arn = client.create_topic(Name=name, Attributes=self._attributes(properties))["TopicArn"]
        context.adopt(arn, properties)
        for subscription in properties.get("Subscription", []):
            client.subscribe(TopicArn=arn, Protocol=subscription["Protocol"], Endpoint=subscription["Endpoint"])
        return Physical(arn, properties, {"TopicArn": arn, "TopicName": name})

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        client = context.client("sns")
        for name, value in self._attributes(properties).items():
            client.set_topic_attributes(TopicArn=physical.id, AttributeName=name, AttributeValue=value)
        old, new = physical.properties.get("Subscription", []), properties.get("Subscription", [])
        for subscription in [s for s in new if s not in old]:
            client.subscribe(TopicArn=physical.id, Protocol=subscription["Protocol"], Endpoint=subscription["Endpoint"])
        for listed in client.list_subscriptions_by_topic(TopicArn=physical.id)["Subscriptions"]:
            gone = {"Protocol": listed["Protocol"], "Endpoint": listed["Endpoint"]}
            if gone in old and gone not in new:
                client.unsubscribe(SubscriptionArn=listed["SubscriptionArn"])
        return Physical(physical.id, properties, physical.attributes)

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("sns").delete_topic(TopicArn=physical.id)


class Subscription(ResourceType):
    name = "AWS::SNS::Subscription"
    properties = frozenset({"Endpoint", "Protocol", "TopicArn"})
    required = properties
    replaced_by = properties

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        arn = context.client("sns").subscribe(**properties, ReturnSubscriptionArn=True)["SubscriptionArn"]
        return Physical(arn, properties, {"Arn": arn})

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("sns").unsubscribe(SubscriptionArn=physical.id)


class TopicPolicy(ResourceType):
    name = "AWS::SNS::TopicPolicy"
    properties = frozenset({"PolicyDocument", "Topics"})
    required = properties

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        for arn in properties["Topics"]:
            context.client("sns").set_topic_attributes(
                TopicArn=arn, AttributeName="Policy", AttributeValue=document(properties["PolicyDocument"])
            )
        return Physical(context.generated_name(64), properties)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        self.create(context, properties)
        return Physical(physical.id, properties)

    def delete(self, context: Context, physical: Physical) -> None:
        """A topic always has a policy, and this one goes with its topic."""
