"""AWS::Route53::RecordSet."""

from __future__ import annotations

from typing import Any

from localcloud.engine.errors import ResourceFailed
from localcloud.engine.resource_type import Context, ResourceType, boolean
from localcloud.engine.stack import Physical


class RecordSet(ResourceType):
    name = "AWS::Route53::RecordSet"
    properties = frozenset(
        {"AliasTarget", "Comment", "HostedZoneId", "HostedZoneName", "Name", "ResourceRecords", "TTL", "Type"}
    )
    required = frozenset({"Name", "Type"})
    replaced_by = frozenset({"HostedZoneId", "HostedZoneName", "Name"})

    @staticmethod
    def _zone(context: Context, properties: dict[str, Any]) -> str:
        if ("HostedZoneId" in properties) == ("HostedZoneName" in properties):
            raise ResourceFailed("Specify either HostedZoneId or HostedZoneName")
        if "HostedZoneId" in properties:
            return properties["HostedZoneId"]
        zones = context.client("route53").list_hosted_zones()["HostedZones"]
        found = [zone["Id"] for zone in zones if zone["Name"] == properties["HostedZoneName"]]
        if len(found) != 1:
            raise ResourceFailed(f"No hosted zones named {properties['HostedZoneName']} found")
        return found[0]

    def _change(self, context: Context, action: str, properties: dict[str, Any]) -> None:
        record: dict[str, Any] = {"Name": properties["Name"], "Type": properties["Type"]}
        if "AliasTarget" in properties:
            target = properties["AliasTarget"]
            record["AliasTarget"] = {
                "HostedZoneId": target["HostedZoneId"],
                "DNSName": target["DNSName"],
                "EvaluateTargetHealth": boolean(target.get("EvaluateTargetHealth", False)),
            }
        else:
            record["TTL"] = int(properties["TTL"])
            record["ResourceRecords"] = [{"Value": value} for value in properties["ResourceRecords"]]
        context.client("route53").change_resource_record_sets(
            HostedZoneId=self._zone(context, properties),
            ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]},
        )

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        self._change(context, "CREATE", properties)
        return Physical(properties["Name"].rstrip("."), properties)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        if physical.properties["Type"] != properties["Type"]:
            self._change(context, "DELETE", physical.properties)
        self._change(context, "UPSERT", properties)
        return Physical(physical.id, properties)

    def delete(self, context: Context, physical: Physical) -> None:
        self._change(context, "DELETE", physical.properties)
