"""AWS::CloudTrail::Trail. It is kept and described; no events are written."""

from __future__ import annotations

from typing import Any

from localcloud.engine.resource_type import Context, ResourceType, boolean
from localcloud.engine.resources.shapes import booleans, picked
from localcloud.engine.stack import Physical

_FLAGS = ("EnableLogFileValidation", "IncludeGlobalServiceEvents", "IsMultiRegionTrail")


class Trail(ResourceType):
    name = "AWS::CloudTrail::Trail"
    name_property = "TrailName"
    properties = frozenset({*_FLAGS, "EventSelectors", "IsLogging", "S3BucketName", "S3KeyPrefix", "Tags", "TrailName"})
    required = frozenset({"IsLogging", "S3BucketName"})
    replaced_by = frozenset({"TrailName"})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        client, name = context.client("cloudtrail"), properties.get("TrailName") or context.generated_name(128)
        made = client.create_trail(
            Name=name,
            **picked(properties, "S3BucketName", "S3KeyPrefix"),
            **booleans(properties, *_FLAGS),
        )
        context.adopt(name, properties)
        self._select(client, name, properties)
        return Physical(name, properties, {"Arn": made["TrailARN"]})

    @staticmethod
    def _select(client: Any, name: str, properties: dict[str, Any]) -> None:
        (client.start_logging if boolean(properties["IsLogging"]) else client.stop_logging)(Name=name)
        if "EventSelectors" in properties:
            selectors = []
            for selector in properties["EventSelectors"]:
                selectors.append({**selector, **booleans(selector, "IncludeManagementEvents")})
            client.put_event_selectors(TrailName=name, EventSelectors=selectors)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        client = context.client("cloudtrail")
        client.update_trail(
            Name=physical.id,
            **picked(properties, "S3BucketName", "S3KeyPrefix"),
            **booleans(properties, *_FLAGS),
        )
        self._select(client, physical.id, properties)
        return Physical(physical.id, properties, physical.attributes)

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("cloudtrail").delete_trail(Name=physical.id)
