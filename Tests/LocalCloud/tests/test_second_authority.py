"""acme2certifier: whether another program reads the standards as the shim before pebble does."""

from __future__ import annotations

import datetime

import pytest

from localcloud.acme.renewal_information import certificate_id
from localcloud.acme.second_authority import SecondAuthority

from .acme_client import BINDING, AcmeClient, publish, validated, verified

NAMES = ("second.example.com", "*.second.example.com")


@pytest.fixture(scope="module")
def second(shared):
    with SecondAuthority(shared, dict([BINDING]), {"shortlived": "Six days"}) as started:
        yield started


def test_it_issues_through_route_53_and_knows_the_certificate_by_the_same_identifier(cloud, second, zone, tmp_path):
    client = AcmeClient(second.directory, str(second.trust))
    assert client.directory["meta"]["profiles"] == {"shortlived": "Six days"}
    assert client.register().json["type"] == "urn:ietf:params:acme:error:externalAccountRequired"
    assert client.register(BINDING).status == 201
    order = client.order(*NAMES)
    publish(cloud, zone, client, client.authorizations(order))
    assert validated(client, order, "dns-01") == {"valid"}
    chain = client.finish(order, *NAMES)
    assert verified(second.root(), chain, tmp_path).endswith("OK")
    url = client.directory["renewalInfo"]
    told = client.get(f"{url}/{certificate_id(chain[0])}")
    window = [datetime.datetime.fromisoformat(told.json["suggestedWindow"][each]) for each in ("start", "end")]
    assert chain[0].not_valid_before_utc < window[0] < window[1] <= chain[0].not_valid_after_utc
    assert client.get(f"{url}/{certificate_id(chain[0])[:-4]}AAAA").status >= 400


def test_it_does_not_validate_a_name_without_its_record(second):
    client = AcmeClient(second.directory, str(second.trust))
    client.register(BINDING)
    assert validated(client, client.order("nothing.example.com"), "dns-01") == {"invalid"}
    assert ("TXT", "_acme-challenge.nothing.example.com") in second.dns.queries
