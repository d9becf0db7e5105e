"""What the world's resolvers are told about the emulator's zones."""

from __future__ import annotations

import pytest
from dnslib import QTYPE, RCODE, DNSRecord

from localcloud import LocalCloud
from localcloud.dns.server import DnsServer
from localcloud.dns.zones import Zones


@pytest.fixture(scope="module")
def dns(shared):
    server = DnsServer(Zones(shared.route53.visible).resolve)
    yield server
    server.stop()


def zone(cloud: LocalCloud, name: str, **settings) -> str:
    made = cloud.client("route53").create_hosted_zone(Name=name, CallerReference=str(settings) + name, **settings)
    return made["HostedZone"]["Id"]


def put(cloud: LocalCloud, zone_id: str, name: str, kind: str, *values: str, **more) -> None:
    record = {"Name": name, "Type": kind, **more}
    if values:
        record |= {"TTL": 10, "ResourceRecords": [{"Value": value} for value in values]}
    changes = [{"Action": "UPSERT", "ResourceRecordSet": record}]
    cloud.client("route53").change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})


def ask(dns: DnsServer, name: str, kind: str, tcp: bool = False) -> tuple[str, list[str]]:
    reply = DNSRecord.parse(DNSRecord.question(name, kind).send("127.0.0.1", dns.port, tcp=tcp, timeout=5))
    return RCODE[reply.header.rcode], [f"{QTYPE[row.rtype]} {row.rdata}" for row in reply.rr]


def test_records_are_answered_as_they_are_at_the_moment(cloud, dns):
    made = zone(cloud, "live.test")
    assert ask(dns, "_acme-challenge.live.test", "TXT") == ("NXDOMAIN", [])
    put(cloud, made, "_acme-challenge.live.test", "TXT", '"one"', '"two parts" "of \\"it\\""')
    expected = ['TXT "one"', 'TXT "two parts","of "it""']
    assert ask(dns, "_acme-challenge.live.test", "TXT") == ("NOERROR", expected)
    assert ask(dns, "_ACME-challenge.live.TEST", "TXT", tcp=True) == ("NOERROR", expected)
    put(cloud, made, "_acme-challenge.live.test", "TXT", '"three"')
    assert ask(dns, "_acme-challenge.live.test", "TXT") == ("NOERROR", ['TXT "three"'])
    assert ask(dns, "_acme-challenge.live.test", "A") == ("NOERROR", [])


def test_every_type_that_issuing_needs_is_answered(cloud, dns):
    made = zone(cloud, "types.test")
    put(cloud, made, "types.test", "CAA", '0 issue "letsencrypt.org"', '0 iodef "mailto:a@types.test"')
    put(cloud, made, "a.types.test", "A", "192.0.2.1", "192.0.2.2")
    put(cloud, made, "a.types.test", "AAAA", "2001:db8::1")
    assert ask(dns, "a.types.test", "A")[1] == ["A 192.0.2.1", "A 192.0.2.2"]
    assert ask(dns, "a.types.test", "AAAA")[1] == ["AAAA 2001:db8::1"]
    assert 'CAA 0 issue "letsencrypt.org"' in ask(dns, "types.test", "CAA")[1]
    assert len(ask(dns, "types.test", "NS")[1]) == 4
    assert ask(dns, "types.test", "SOA")[1][0].startswith("SOA ns-2048.awsdns-64.com.")


def test_the_longest_public_zone_answers(cloud, dns):
    put(cloud, zone(cloud, "long.test"), "x.sub.long.test", "TXT", '"parent"')
    assert ask(dns, "x.sub.long.test", "TXT")[1] == ['TXT "parent"']
    vpc = {"VPCRegion": "us-east-1", "VPCId": "vpc-1"}
    private = zone(cloud, "sub.long.test", VPC=vpc, HostedZoneConfig={"PrivateZone": True})
    put(cloud, private, "x.sub.long.test", "TXT", '"private"')
    assert ask(dns, "x.sub.long.test", "TXT")[1] == ['TXT "parent"']
    zone(cloud, "sub.long.test")
    assert ask(dns, "x.sub.long.test", "TXT") == ("NXDOMAIN", [])


def test_names_are_followed_from_zone_to_zone(cloud, dns):
    first, second = zone(cloud, "first.test"), zone(cloud, "second.test")
    put(cloud, first, "_acme-challenge.first.test", "CNAME", "answers.second.test.")
    put(cloud, second, "answers.second.test", "TXT", '"delegated"')
    expected = ["CNAME answers.second.test.", 'TXT "delegated"']
    assert ask(dns, "_acme-challenge.first.test", "TXT") == ("NOERROR", expected)
    assert ask(dns, "_acme-challenge.first.test", "CNAME")[1] == expected[:1]
    put(cloud, first, "round.first.test", "CNAME", "round.first.test")
    assert ask(dns, "round.first.test", "A") == ("NOTIMP", [])


def test_a_wildcard_covers_names_that_do_not_exist(cloud, dns):
    made = zone(cloud, "wild.test")
    put(cloud, made, "*.wild.test", "A", "192.0.2.9")
    put(cloud, made, "there.wild.test", "A", "192.0.2.1")
    assert ask(dns, "any.wild.test", "A")[1] == ask(dns, "deep.any.wild.test", "A")[1] == ["A 192.0.2.9"]
    assert ask(dns, "there.wild.test", "A")[1] == ["A 192.0.2.1"]
    assert ask(dns, "below.there.wild.test", "A") == ("NXDOMAIN", [])


def test_at_most_eight_of_many_multivalue_records_are_told(cloud, dns):
    made = zone(cloud, "many.test")
    for number in range(12):
        put(cloud, made, "many.test", "TXT", f'"{number}"', SetIdentifier=str(number), MultiValueAnswer=True)
    answers = [ask(dns, "many.test", "TXT")[1] for _ in range(20)]
    assert {len(answer) for answer in answers} == {8}
    assert len({row for answer in answers for row in answer}) > 8


def test_aliases_of_fronts_lead_to_this_machine(cloud, dns):
    made = zone(cloud, "alias.test")
    target = {"HostedZoneId": "Z3AQBSTGFYJSTF", "EvaluateTargetHealth": False}
    put(cloud, made, "alias.test", "A", AliasTarget={**target, "DNSName": "s3-website-us-east-1.amazonaws.com"})
    put(cloud, made, "www.alias.test", "A", AliasTarget={**target, "DNSName": "alias.test"})
    put(cloud, made, "lb.alias.test", "CNAME", "some-1.us-east-1.elb.amazonaws.com")
    assert ask(dns, "alias.test", "A")[1] == ask(dns, "www.alias.test", "A")[1] == ["A 127.0.0.1"]
    assert ask(dns, "alias.test", "AAAA") == ("NOERROR", [])
    assert ask(dns, "lb.alias.test", "A")[1][-1] == "A 127.0.0.1"


def test_a_name_can_be_made_to_fail_and_every_question_is_recorded(cloud, dns):
    put(cloud, zone(cloud, "fails.test"), "a.fails.test", "A", "192.0.2.1")
    dns.failing.add("a.fails.test")
    assert ask(dns, "a.fails.test", "A") == ("SERVFAIL", [])
    dns.failing.clear()
    assert ask(dns, "a.fails.test", "A")[0] == "NOERROR"
    assert dns.queries.count(("A", "a.fails.test")) == 2
