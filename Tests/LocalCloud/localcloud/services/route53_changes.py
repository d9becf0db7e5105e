"""What a batch of changes makes of a zone's records, or why Route 53 refuses the batch."""

from __future__ import annotations

import re
from typing import Any

from moto.route53.models import RecordSet

from localcloud.dns.records import texts
from localcloud.dns.zones import plain
from localcloud.errors import AwsError

_MOST_VALUES = 1000
_LONGEST_STRING = 255
_ROUTING = ("Weight", "Region", "Failover", "GeoLocation", "MultiValueAnswer")
_QUOTED = re.compile(r'\s*("(?:[^"\\]|\\.)*"\s*)+')

Change = dict[str, Any]
Key = tuple[str, str, str | None]


class InvalidChangeBatch(AwsError):
    """`messages` has one sentence for each change that is refused."""

    def __init__(self, messages: list[str]):
        super().__init__("InvalidChangeBatch", f"[{', '.join(messages)}]", 400)
        self.messages = messages


def _written(name: str) -> str:
    return plain(name).replace("*", "\\052") + "."


def values_of(record: RecordSet) -> list[str]:
    return [value["Value"] if isinstance(value, dict) else value for value in record.records or []]


def _key(record: RecordSet) -> Key:
    return plain(record.name), str(record.type), record.set_identifier


def _asked_key(wanted: dict[str, Any]) -> Key:
    return plain(wanted["Name"]), wanted["Type"], wanted.get("SetIdentifier")


def _named(wanted: dict[str, Any]) -> str:
    identifier = f", set-identifier='{wanted['SetIdentifier']}'" if "SetIdentifier" in wanted else ""
    return f"[name='{_written(wanted['Name'])}', type='{wanted['Type']}'{identifier}]"


def _made(wanted: dict[str, Any]) -> RecordSet:
    record = {**wanted, "Name": plain(wanted["Name"]) + "."}
    if "ResourceRecords" in wanted:
        record["ResourceRecords"] = [value["Value"] for value in wanted["ResourceRecords"]]
    return RecordSet(record)  # type: ignore[abstract]


def check_form(changes: list[Change]) -> None:
    """InvalidInput for what Route 53 does not even take for a change."""
    for change in changes:
        action, wanted = change["Action"], change["ResourceRecordSet"]
        where = (
            f"Change with [Action={action}, Name={wanted['Name']}, Type={wanted['Type']}, "
            f"SetIdentifier={wanted.get('SetIdentifier', 'null')}]"
        )
        plain_record = "TTL" in wanted and bool(wanted.get("ResourceRecords"))
        if ("AliasTarget" in wanted) == plain_record:
            found = "more than one" if plain_record else "none"
            expected = "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"
            raise AwsError(
                "InvalidInput", f"Invalid request: Expected exactly one of {expected}, but found {found} in {where}"
            )
        routed = [name for name in _ROUTING if wanted.get(name) not in (None, False)]
        if routed and "SetIdentifier" not in wanted:
            raise AwsError("InvalidInput", f"Invalid request: Missing field 'SetIdentifier' in {where}")
        if "SetIdentifier" in wanted and action != "DELETE" and len(routed) != 1:
            expected = "[Weight, Region, Failover, GeoLocation, or MultiValueAnswer]"
            raise AwsError(
                "InvalidInput", f"Invalid request: Expected exactly one of {expected}, but found none in {where}"
            )


def applied(zone: str, records: list[RecordSet], changes: list[Change]) -> list[RecordSet]:
    """The records after all changes, one after the other. Raises InvalidChangeBatch when one of them is refused: then
    none is made."""
    if sum(len(change["ResourceRecordSet"].get("ResourceRecords", [])) for change in changes) > _MOST_VALUES:
        raise InvalidChangeBatch([f"Number of records limit of {_MOST_VALUES} exceeded."])
    result, messages = list(records), _repetitions(changes)
    for change in changes:
        action, wanted = change["Action"], change["ResourceRecordSet"]
        found = next((record for record in result if _key(record) == _asked_key(wanted)), None)
        told = _value_problem(wanted) or _place_problem(zone, wanted)
        if not told and action == "DELETE":
            told = _deletion_problem(found, wanted)
        elif not told:
            told = _conflict(zone, result, action, found, wanted)
        if told:
            messages.append(told)
            continue
        if found:
            result.remove(found)
        if action != "DELETE":
            result.append(_made(wanted))
    if messages:
        raise InvalidChangeBatch(messages)
    return result


def _repetitions(changes: list[Change]) -> list[str]:
    """One record may be named twice only to delete it and then to create it."""
    actions: dict[Key, list[str]] = {}
    for change in changes:
        actions.setdefault(_asked_key(change["ResourceRecordSet"]), []).append(change["Action"])
    return [
        f"The request contains an invalid set of changes for a resource record set '{kind} {_written(name)}'"
        for (name, kind, _), done in actions.items()
        if len(done) > 1 and done != ["DELETE", "CREATE"]
    ]


def _value_problem(wanted: dict[str, Any]) -> str | None:
    values = [value["Value"] for value in wanted.get("ResourceRecords", [])]
    if len(set(values)) < len(values):
        twice = next(value for value in values if values.count(value) > 1)
        return f"Duplicate Resource Record: '{twice}'"
    for value in values if wanted["Type"] in ("TXT", "SPF") else []:
        problem = None
        if not _QUOTED.fullmatch(value):
            problem = "InvalidCharacterString (Value should be enclosed in quotation marks)"
        elif any(len(text) > _LONGEST_STRING for text in texts(value)):
            problem = "CharacterStringTooLong (Value is too long)"
        if problem:
            return f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"
    return None


def _place_problem(zone: str, wanted: dict[str, Any]) -> str | None:
    name, kind = plain(wanted["Name"]), wanted["Type"]
    if name != plain(zone) and not name.endswith("." + plain(zone)):
        return f"RRSet with DNS name {_written(name)} is not permitted in zone {_written(zone)}"
    if kind == "CNAME" and name == plain(zone):
        return f"RRSet of type CNAME with DNS name {_written(name)} is not permitted at apex in zone {_written(zone)}"
    return None


def _deletion_problem(found: RecordSet | None, wanted: dict[str, Any]) -> str | None:
    if found is None:
        return f"Tried to delete resource record set {_named(wanted)} but it was not found"
    asked = _made(wanted)
    same = (
        sorted(values_of(found)) == sorted(values_of(asked))
        and (found.alias_target or None) == (asked.alias_target or None)
        and (found.alias_target or int(found.ttl or 0) == int(asked.ttl or 0))
    )
    if not same or ("MultiValueAnswer" in wanted and wanted["MultiValueAnswer"] != bool(found.multi_value_answer)):
        told = "but the values provided do not match the current values"
        return f"Tried to delete resource record set {_named(wanted)} {told}"
    return None


def _conflict(
    zone: str, records: list[RecordSet], action: str, found: RecordSet | None, wanted: dict[str, Any]
) -> str | None:
    if action == "CREATE" and found:
        return f"Tried to create resource record set {_named(wanted)} but it already exists"
    name, kind = plain(wanted["Name"]), wanted["Type"]
    here = [record for record in records if plain(record.name) == name and record is not found]
    for other in here:
        if (other.type == "CNAME") != (kind == "CNAME"):
            return (
                f"RRSet of type {kind} with DNS name {_written(name)} is not permitted because a conflicting RRSet of "
                f"type {other.type} with the same DNS name already exists in zone {_written(zone)}"
            )
    same_kind = [record for record in here if record.type == kind]
    if "SetIdentifier" not in wanted:
        if same_kind:
            shown = f"RRSet with DNS name {_written(name)}, type {kind}"
            return f"{shown} cannot be created as other RRSets exist with the same name and type."
        return None
    shown = f"RRSet with DNS name {_written(name)}, type {kind}, SetIdentifier {wanted['SetIdentifier']}"
    multivalue = bool(wanted.get("MultiValueAnswer"))
    if any(bool(record.multi_value_answer) != multivalue for record in same_kind):
        other_kind = "non multivalue answer" if multivalue else "multivalue answer"
        return f"{shown} cannot be created because a {other_kind} rrset exists with the same name and type."
    return None
