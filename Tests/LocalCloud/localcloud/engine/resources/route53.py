"""AWS::Route53::RecordSet and AWS::Route53::RecordSetGroup."""

from __future__ import annotations

from typing import Any

from localcloud.engine.errors import ResourceFailed
from localcloud.engine.resource_type import Context, ResourceType, boolean
from localcloud.engine.resources.shapes import only
from localcloud.engine.stack import Physical

_RECORD = {"AliasTarget", "Name", "ResourceRecords", "TTL", "Type"}
_ZONE = {"Comment", "HostedZoneId", "HostedZoneName"}


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


def _change(action: str, properties: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {"Name": properties["Name"], "Type": properties["Type"]}
    if "AliasTarget" in properties:
        target = properties["AliasTarget"]
        only(target, {"DNSName", "EvaluateTargetHealth", "HostedZoneId"}, "AliasTarget")
        record["AliasTarget"] = {
            "HostedZoneId": target["HostedZoneId"],
            "DNSName": target["DNSName"],
            "EvaluateTargetHealth": boolean(target.get("EvaluateTargetHealth", False)),
        }
    else:
        record["TTL"] = int(properties["TTL"])
        record["ResourceRecords"] = [{"Value": value} for value in properties["ResourceRecords"]]
    return {"Action": action, "ResourceRecordSet": record}


def _send(context: Context, properties: dict[str, Any], changes: list[dict[str, Any]]) -> None:
    """CloudFormation finds the zone, changes the record, and waits until Route 53's servers have it."""
    client, zone = context.client("route53"), _zone(context, properties)
    client.get_hosted_zone(Id=zone)
    sent = client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    client.get_change(Id=sent["ChangeInfo"]["Id"])


class RecordSet(ResourceType):
    name = "AWS::Route53::RecordSet"
    properties = frozenset({*_RECORD, *_ZONE})
    required = frozenset({"Name", "Type"})
    replaced_by = frozenset({"HostedZoneId", "HostedZoneName", "Name"})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        _send(context, properties, [_change("CREATE", properties)])
        return Physical(properties["Name"].rstrip("."), properties)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        changes = [_change("UPSERT", properties)]
        if physical.properties["Type"] != properties["Type"]:
            changes.insert(0, _change("DELETE", physical.properties))
        _send(context, properties, changes)
        return Physical(physical.id, properties)

    def delete(self, context: Context, physical: Physical) -> None:
        _send(context, physical.properties, [_change("DELETE", physical.properties)])


class RecordSetGroup(ResourceType):
    """Its records are changed in one batch."""

    name = "AWS::Route53::RecordSetGroup"
    properties = frozenset({*_ZONE, "RecordSets"})
    required = frozenset({"RecordSets"})
    replaced_by = frozenset({"HostedZoneId", "HostedZoneName"})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        for record in properties["RecordSets"]:
            only(record, _RECORD, "a record of a group")
        _send(context, properties, [_change("CREATE", record) for record in properties["RecordSets"]])
        return Physical(context.generated_name(128), properties)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        for record in properties["RecordSets"]:
            only(record, _RECORD, "a record of a group")
        kept = {(record["Name"], record["Type"]) for record in properties["RecordSets"]}
        gone = [each for each in physical.properties["RecordSets"] if (each["Name"], each["Type"]) not in kept]
        changes = [_change("DELETE", record) for record in gone]
        _send(context, properties, [*changes, *(_change("UPSERT", record) for record in properties["RecordSets"])])
        return Physical(physical.id, properties)

    def delete(self, context: Context, physical: Physical) -> None:
        changes = [_change("DELETE", record) for record in physical.properties["RecordSets"]]
        _send(context, physical.properties, changes)
