"""Route 53's strictness: what it refuses, how long it takes, how much it bears."""

from __future__ import annotations

import time
from xml.etree import ElementTree

import pytest
from botocore.exceptions import ClientError
from moto.route53.models import route53_backends

from localcloud import LocalCloud
from localcloud.dns.zones import Zones

NAME = "_acme-challenge.strict.test"


@pytest.fixture
def zone(cloud: LocalCloud, request) -> str:
    """A zone of the test's own, with the service as it is at the start."""
    cloud.route53.reset()
    client = cloud.client("route53")
    made = client.create_hosted_zone(Name="strict.test", CallerReference=request.node.name)["HostedZone"]["Id"]
    yield made
    cloud.route53.reset()
    _zones(cloud).pop(made.removeprefix("/hostedzone/"))


def _zones(cloud: LocalCloud) -> dict:
    return route53_backends[cloud.account]["aws"].zones


def record(*values: str, name: str = NAME, kind: str = "TXT", ttl: int = 10, identifier: str | None = None) -> dict:
    made = {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value} for value in values]}
    return {**made, "SetIdentifier": identifier, "MultiValueAnswer": True} if identifier else made


def change(cloud: LocalCloud, zone: str, *changes: tuple[str, dict]) -> dict:
    batch = [{"Action": action, "ResourceRecordSet": wanted} for action, wanted in changes]
    client = cloud.client("route53")
    return client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": batch})["ChangeInfo"]


def refusal(cloud: LocalCloud, zone: str, *changes: tuple[str, dict]) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        change(cloud, zone, *changes)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def listed(cloud: LocalCloud, zone: str) -> list[tuple[str, str, tuple[str, ...]]]:
    pages = cloud.client("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
    return [
        (entry["Name"], entry.get("SetIdentifier", ""), tuple(value["Value"] for value in entry["ResourceRecords"]))
        for page in pages
        for entry in page["ResourceRecordSets"]
        if entry["Type"] not in ("NS", "SOA")
    ]


def test_a_record_is_created_once_and_deleted_with_its_own_values(cloud, zone):
    change(cloud, zone, ("CREATE", record('"a"')))
    assert refusal(cloud, zone, ("CREATE", record('"b"'))) == (
        "InvalidChangeBatch",
        f"[Tried to create resource record set [name='{NAME}.', type='TXT'] but it already exists]",
    )
    for other in (record('"b"'), record('"a"', ttl=11), record('"a"', '"b"')):
        assert "but the values provided do not match the current values" in refusal(cloud, zone, ("DELETE", other))[1]
    assert listed(cloud, zone) == [(NAME + ".", "", ('"a"',))]
    change(cloud, zone, ("DELETE", record('"a"')))
    assert refusal(cloud, zone, ("DELETE", record('"a"'))) == (
        "InvalidChangeBatch",
        f"[Tried to delete resource record set [name='{NAME}.', type='TXT'] but it was not found]",
    )


def test_multivalue_records_stand_beside_each_other_but_not_beside_a_simple_one(cloud, zone):
    change(cloud, zone, ("UPSERT", record('"a"', identifier="a")), ("UPSERT", record('"b"', identifier="b")))
    assert len(listed(cloud, zone)) == 2
    told = refusal(cloud, zone, ("UPSERT", record('"c"')))[1]
    assert "cannot be created as other RRSets exist with the same name and type" in told
    assert (
        "set-identifier='b'] but it already exists"
        in refusal(cloud, zone, ("CREATE", record('"c"', identifier="b")))[1]
    )
    assert "it was not found" in refusal(cloud, zone, ("DELETE", record('"a"', identifier="c")))[1]
    change(cloud, zone, *(("DELETE", record(f'"{each}"', identifier=each)) for each in "ab"))
    change(cloud, zone, ("CREATE", record('"simple"')))
    told = refusal(cloud, zone, ("UPSERT", record('"a"', identifier="a")))[1]
    assert "cannot be created because a non multivalue answer rrset exists with the same name and type" in told


def test_a_batch_is_made_as_a_whole_or_not_at_all(cloud, zone):
    change(cloud, zone, ("CREATE", record('"a"')))
    code, told = refusal(
        cloud,
        zone,
        ("CREATE", record('"x"', name="x.strict.test")),
        ("CREATE", record('"a"')),
        ("CREATE", record("b", name="y.strict.test")),
    )
    assert code == "InvalidChangeBatch" and "already exists" in told and "quotation marks" in told
    assert [name for name, _, _ in listed(cloud, zone)] == [NAME + "."]
    change(cloud, zone, ("DELETE", record('"a"')), ("CREATE", record('"b"')))
    assert listed(cloud, zone)[0][2] == ('"b"',)


@pytest.mark.parametrize(
    ("wanted", "code", "told"),
    [
        (record("bare"), "InvalidChangeBatch", "(Value should be enclosed in quotation marks) encountered with 'bare'"),
        (record(f'"{"x" * 256}"'), "InvalidChangeBatch", "CharacterStringTooLong"),
        (record('"a"', '"a"'), "InvalidChangeBatch", "Duplicate Resource Record"),
        (record('"a"', name="other.test"), "InvalidChangeBatch", "is not permitted in zone strict.test."),
        (record("a.test", name="strict.test", kind="CNAME"), "InvalidChangeBatch", "is not permitted at apex"),
        ({"Name": NAME, "Type": "TXT", "TTL": 10}, "InvalidInput", "but found none"),
        ({**record('"a"'), "MultiValueAnswer": True}, "InvalidInput", "Missing field 'SetIdentifier'"),
        ({**record('"a"'), "SetIdentifier": "a"}, "InvalidInput", "MultiValueAnswer], but found none"),
    ],
)
def test_a_record_that_route_53_does_not_take(cloud, zone, wanted, code, told):
    found = refusal(cloud, zone, ("UPSERT", wanted))
    assert found[0] == code and told in found[1]


def test_a_name_with_a_cname_has_no_other_records(cloud, zone):
    change(cloud, zone, ("CREATE", record("other.test", kind="CNAME")))
    told = refusal(cloud, zone, ("UPSERT", record('"a"')))[1]
    assert "conflicting RRSet of type CNAME with the same DNS name already exists" in told
    assert "invalid set of changes" in refusal(cloud, zone, ("UPSERT", record('"a"')), ("UPSERT", record('"b"')))[1]


def test_a_change_is_pending_and_unseen_until_its_time_has_come(cloud, zone):
    client = cloud.client("route53")
    cloud.route53.propagation = 3600
    made = change(cloud, zone, ("CREATE", record('"late"')))
    assert made["Status"] == client.get_change(Id=made["Id"])["ChangeInfo"]["Status"] == "PENDING"
    resolver = Zones(cloud.route53.visible)
    assert resolver.resolve(NAME, "TXT").code == "NXDOMAIN"
    assert len(listed(cloud, zone)) == 1
    cloud.route53.propagation = 0
    other = client.create_hosted_zone(Name="other.strict.test", CallerReference="pending")["HostedZone"]["Id"]
    prompt = change(cloud, other, ("CREATE", record('"prompt"', name="other.strict.test")))
    assert client.get_change(Id=prompt["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    assert resolver.resolve("other.strict.test", "TXT").records[0].values == ('"prompt"',)


def test_a_change_that_was_pending_is_seen_by_the_world_when_it_is_in_sync(cloud, zone):
    client = cloud.client("route53")
    cloud.route53.propagation = 0.2
    made = change(cloud, zone, ("CREATE", record('"soon"')))
    limit = time.monotonic() + 30
    while client.get_change(Id=made["Id"])["ChangeInfo"]["Status"] != "INSYNC":
        assert time.monotonic() < limit
        time.sleep(0.02)
    assert Zones(cloud.route53.visible).resolve(NAME, "TXT").records[0].values == ('"soon"',)


def test_a_change_that_nobody_asked_for_is_not_known(cloud, zone):
    with pytest.raises(ClientError, match="NoSuchChange"):
        cloud.client("route53").get_change(Id="C0123456789")


def test_more_requests_in_a_second_than_allowed_are_refused(cloud, zone):
    client = cloud.client("route53")
    client.get_hosted_zone_count()
    cloud.route53.requests_per_second = 0
    with pytest.raises(ClientError) as error:
        client.list_hosted_zones()
    assert error.value.response["Error"] == {"Type": "Sender", "Code": "Throttling", "Message": "Rate exceeded"}
    cloud.route53.requests_per_second = 100
    client.list_hosted_zones()


def test_a_prior_request_can_be_in_the_way(cloud, zone):
    cloud.faults.add(
        "refuse", "route53:ChangeResourceRecordSets", status=400, code="PriorRequestNotComplete", principal="admin"
    )
    assert refusal(cloud, zone, ("CREATE", record('"a"')))[0] == "PriorRequestNotComplete"
    change(cloud, zone, ("CREATE", record('"a"')))


def test_refusals_come_in_the_older_form_too(cloud, zone):
    cloud.route53.message_list = True
    refusal(cloud, zone, ("DELETE", record('"a"')))
    answer = cloud.recorder.calls_named("route53:ChangeResourceRecordSets")[-1]
    root = ElementTree.fromstring(answer.answer)
    assert (answer.status, root.tag.split("}")[1]) == (400, "InvalidChangeBatch")
    assert ["it was not found" in message.text for message in root[0]] == [True]


def test_records_are_told_in_pages_that_part_one_name(cloud, zone):
    change(cloud, zone, *(("CREATE", record(f'"{n}"', identifier=f"{n:02}")) for n in range(7)))
    change(cloud, zone, ("CREATE", record('"w"', name="*.strict.test")))
    client, seen, start = cloud.client("route53"), [], {}
    while True:
        page = client.list_resource_record_sets(HostedZoneId=zone, MaxItems="3", **start)
        seen += [(entry["Name"], entry.get("SetIdentifier")) for entry in page["ResourceRecordSets"]]
        if not page["IsTruncated"]:
            break
        start = {"StartRecordName": page["NextRecordName"], "StartRecordType": page["NextRecordType"]}
        if "NextRecordIdentifier" in page:
            start["StartRecordIdentifier"] = page["NextRecordIdentifier"]
    assert len(seen) == len(set(seen)) + 1 == 10  # SOA and NS have one name
    assert [identifier for name, identifier in seen if name == NAME + "."] == [f"{n:02}" for n in range(7)]
    assert ("\\052.strict.test.", None) in seen
