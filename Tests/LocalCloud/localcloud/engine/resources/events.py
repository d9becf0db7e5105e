"""AWS::Events::Rule. Schedules do not run by themselves here."""

from __future__ import annotations

import json
from typing import Any

from localcloud.engine.resource_type import Context, ResourceType
from localcloud.engine.resources.shapes import picked
from localcloud.engine.stack import Physical


class Rule(ResourceType):
    name = "AWS::Events::Rule"
    name_property = "Name"
    properties = frozenset({"Description", "EventPattern", "Name", "ScheduleExpression", "State", "Targets"})
    replaced_by = frozenset({"Name"})

    @staticmethod
    def _put(context: Context, name: str, properties: dict[str, Any]) -> str:
        pattern = {"EventPattern": json.dumps(properties["EventPattern"])} if "EventPattern" in properties else {}
        client = context.client("events")
        arn = client.put_rule(Name=name, **picked(properties, "Description", "ScheduleExpression", "State"), **pattern)
        if properties.get("Targets"):
            client.put_targets(Rule=name, Targets=properties["Targets"])
        return arn["RuleArn"]

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        name = properties.get("Name") or context.generated_name(64)
        context.adopt(name, properties)
        return Physical(name, properties, {"Arn": self._put(context, name, properties)})

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        kept = {target["Id"] for target in properties.get("Targets", [])}
        gone = [t["Id"] for t in physical.properties.get("Targets", []) if t["Id"] not in kept]
        if gone:
            context.client("events").remove_targets(Rule=physical.id, Ids=gone)
        self._put(context, physical.id, properties)
        return Physical(physical.id, properties, physical.attributes)

    def delete(self, context: Context, physical: Physical) -> None:
        client = context.client("events")
        targets = client.list_targets_by_rule(Rule=physical.id)["Targets"]
        if targets:
            client.remove_targets(Rule=physical.id, Ids=[target["Id"] for target in targets])
        client.delete_rule(Name=physical.id)
