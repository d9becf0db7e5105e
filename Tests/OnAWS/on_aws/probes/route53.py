"""Route 53: which records a role may change. The zone is public, and nobody delegates to it: no domain is needed."""

from __future__ import annotations

from typing import Any

from on_aws.bench import Bench, allow, outcome, signals_held
from on_aws.claims import Seen, claim, decided

SERVICE = "Route 53"


def _zone(bench: Bench) -> tuple[str, str]:
    """Name and id of a zone. Removed within twelve hours it costs nothing."""

    def make() -> tuple[str, str]:
        client, name = bench.client("route53"), f"stackcert-proof-{bench.run}.test"
        with signals_held():
            made = client.create_hosted_zone(Name=name, CallerReference=bench.name("zone"))["HostedZone"]["Id"]
            bench.undo(f"hosted zone {name}", lambda: _remove(client, made))
        identifier = made.rsplit("/", 1)[-1]
        client.change_tags_for_resource(ResourceType="hostedzone", ResourceId=identifier, AddTags=bench.tags)
        return name, identifier

    return bench.shared("zone", make)


def _remove(client: Any, zone: str) -> None:
    """With the records that a probe left when it was interrupted."""
    for record in client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]:
        if record["Type"] not in ("NS", "SOA"):
            batch = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": record}]}
            client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    client.delete_hosted_zone(Id=zone)


def _limited(bench: Bench, names: list[str], kinds: list[str]) -> Any:
    _, zone = _zone(bench)
    condition = {
        "ForAllValues:StringLike": {"route53:ChangeResourceRecordSetsNormalizedRecordNames": names},
        "ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": kinds},
    }
    arn = f"arn:{bench.place.partition}:route53:::hostedzone/{zone}"
    statement = allow("route53:ChangeResourceRecordSets", arn, **condition)
    return bench.client("route53", bench.as_role(statement))


def _change(client: Any, zone: str, action: str, name: str, kind: str, value: str) -> tuple[int, str]:
    record = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    return outcome(client.change_resource_record_sets, HostedZoneId=zone, ChangeBatch=batch)


@claim(
    "route53-conditions",
    "The conditions on NormalizedRecordNames and RecordTypes let a role change `_acme-challenge` TXT records only.",
)
def conditions(bench: Bench) -> Seen:
    name, zone = _zone(bench)
    client = _limited(bench, [f"_acme-challenge.*{name}", f"_acme-challenge.{name}"], ["TXT"])
    mine = _change(client, zone, "CREATE", f"_acme-challenge.www.{name}", "TXT", '"proof"')
    other = _change(client, zone, "CREATE", f"www.{name}", "TXT", '"proof"')
    kind = _change(client, zone, "CREATE", f"_acme-challenge.b.{name}", "A", "192.0.2.1")
    if not mine[1]:
        _change(bench.client("route53"), zone, "DELETE", f"_acme-challenge.www.{name}", "TXT", '"proof"')
    holds = not mine[1] and all(each[1].startswith("AccessDenied") for each in (other, kind))
    return decided(holds, f"challenge {mine}, other name {other}, other type {kind}")


@claim("route53-same-again", "CREATE of a record set that exists with the same value is refused (InvalidChangeBatch).")
def same_again(bench: Bench) -> Seen:
    name, zone = _zone(bench)
    client = bench.client("route53")
    first = _change(client, zone, "CREATE", f"again.{name}", "TXT", '"proof"')
    second = _change(client, zone, "CREATE", f"again.{name}", "TXT", '"proof"')
    _change(client, zone, "DELETE", f"again.{name}", "TXT", '"proof"')
    return decided(not first[1] and second[1] == "InvalidChangeBatch", f"{first}, then {second}")


@claim("route53-list-by-name", "ListHostedZonesByName without permission on all zones is refused: it has no resource.")
def list_by_name(bench: Bench) -> Seen:
    name, zone = _zone(bench)
    arn = f"arn:{bench.place.partition}:route53:::hostedzone/{zone}"
    client = bench.client("route53", bench.as_role(allow("route53:ListHostedZonesByName", arn)))
    seen = outcome(client.list_hosted_zones_by_name, DNSName=name)
    return decided(seen[1].startswith("AccessDenied"), seen)
