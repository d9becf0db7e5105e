"""The shim before pebble: its record, its faults, and what it adds."""

from __future__ import annotations

import datetime
import http.client
import json

import pytest
from cryptography import x509

from localcloud.acme.renewal_information import certificate_id

from .acme_client import AcmeClient, publish, validated


@pytest.fixture(autouse=True)
def plain(authority):
    """Each test starts with nothing switched on and an empty record."""
    authority.shim.extensions.reset()
    authority.shim.requests.clear()


def issued(cloud, zone: str, client: AcmeClient, name: str, **more) -> list[x509.Certificate]:
    order = client.order(name, **more)
    assert order.status == 201, order.body
    publish(cloud, zone, client, client.authorizations(order))
    assert validated(client, order, "dns-01") == {"valid"}
    return client.finish(order, name)


def test_every_request_is_kept_with_its_signed_parts_opened(cloud, authority, client, zone):
    issued(cloud, zone, client, "kept.example.com")
    shim = authority.shim
    assert len(shim.named("newOrder")) == 1
    assert shim.named("newOrder")[0].payload == {"identifiers": [{"type": "dns", "value": "kept.example.com"}]}
    assert shim.named("newAccount")[0].account is None
    challenged, polled = shim.named("challenge"), shim.named("authorization")
    assert [request.payload_text for request in challenged] == ["{}"]
    assert {request.payload_text for request in polled} == {""}
    assert challenged[0].account == client.account
    assert challenged[0].protected["url"].startswith(authority.directory.removesuffix("dir"))
    assert json.loads(shim.named("newOrder")[0].answer)["status"] == "pending"
    numbers = [request.number for request in shim.requests]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_request_is_refused_with_a_problem_and_a_time_to_wait(cloud, authority, client):
    fault = cloud.faults.add("refuse", "newOrder", kind="acme", status=429, code="rateLimited", seconds=7, nth=2)
    assert client.order("a.example.com").status == 201
    refused = client.order("b.example.com")
    assert (refused.status, refused.headers["retry-after"]) == (429, "7")
    assert refused.json["type"] == "urn:ietf:params:acme:error:rateLimited"
    assert refused.headers["replay-nonce"]
    assert client.order("b.example.com").status == 201
    assert fault.struck == 1
    assert [request.fault for request in authority.shim.named("newOrder")] == [None, "refuse", None]


def test_an_answer_is_lost_after_its_request_has_been_carried_out(cloud, authority, client):
    for effect, carried_out in (("lose_answer", True), ("reset", False)):
        before = authority.pebble.log().count("Added order")
        cloud.faults.add(effect, "newOrder", kind="acme")
        with pytest.raises(OSError):
            client.order("lost.example.com")
        assert (authority.pebble.log().count("Added order") > before) is carried_out


def test_a_function_is_killed_at_a_request_and_idle_ones_are_not(cloud, authority, client, monkeypatch):
    class Process:
        def __init__(self, current: bytes | None):
            self.current, self.killed = current, False

        def kill(self) -> None:
            self.killed = True

    for effect, carried_out in (("kill", False), ("kill_after", True)):
        busy, idle = Process(b"{}"), Process(None)
        monkeypatch.setattr(cloud.functions, "_all", {"busy": busy, "idle": idle})
        before = authority.pebble.log().count("Added order")
        fault = cloud.faults.add(effect, kind="step", nth=2)
        with pytest.raises(OSError):
            client.order("killed.example.com")
        cloud.faults.remove(fault)
        assert (busy.killed, idle.killed) == (True, False)
        assert (authority.pebble.log().count("Added order") > before) is carried_out


def test_an_answer_is_cut_in_half(cloud, authority, client):
    cloud.faults.add("cut", "directory", kind="acme")
    with pytest.raises((OSError, http.client.HTTPException)):
        client.get(authority.directory)
    assert client.get(authority.directory).status == 200


def test_an_answer_is_slow_or_another_one(cloud, authority, client):
    cloud.faults.add("hang", "directory", kind="acme", seconds=0.05)
    assert client.get(authority.directory).status == 200
    cloud.faults.clear()
    cloud.faults.add("alter", "newOrder", kind="acme", change=lambda order: {**order, "status": "ruminating"})
    assert client.order("odd.example.com").json["status"] == "ruminating"
    assert [request.fault for request in authority.shim.requests if request.fault] == ["hang", "alter"]


def test_unfinished_objects_name_a_time_to_wait(authority, client):
    authority.shim.extensions.retry_after = {"authorization": 3}
    order = client.order("wait.example.com")
    assert client.post(order.json["authorizations"][0]).headers["retry-after"] == "3"
    assert "retry-after" not in client.post(order.headers["location"]).headers


def test_surprises_do_not_hide_what_is_known(cloud, authority, client, zone):
    authority.shim.extensions.surprising = True
    directory = client.get(authority.directory).json
    assert directory["newWish"] and directory["meta"]["mood"] and directory["newOrder"]
    chain = issued(cloud, zone, client, "surprise.example.com")
    assert len(chain) == 2
    kinds = [each["type"] for each in client.authorizations(client.order("surprise.example.com"))[0]["challenges"]]
    assert {"carrier-pigeon-01", "no-token-02", "dns-01"} <= set(kinds)


def test_profiles_are_announced_and_unknown_ones_refused(authority, client):
    assert "profiles" not in client.directory["meta"]
    ignored = client.order("profile.example.com", profile="eternal")
    assert (ignored.status, "profile" in ignored.json) == (201, False)
    authority.shim.extensions.profiles = {"shortlived": "Six days"}
    assert client.get(authority.directory).json["meta"]["profiles"] == {"shortlived": "Six days"}
    order = client.order("profile.example.com", profile="shortlived")
    assert (order.status, order.json["profile"]) == (201, "shortlived")
    assert client.post(order.headers["location"]).json["profile"] == "shortlived"
    refused = client.order("profile.example.com", profile="eternal")
    assert refused.json["type"] == "urn:ietf:params:acme:error:invalidProfile"


def test_renewal_information_is_told_for_certificates_that_exist(cloud, authority, client, zone):
    assert "renewalInfo" not in client.directory
    leaf = issued(cloud, zone, client, "ari.example.com")[0]
    identifier = certificate_id(leaf)
    information = authority.shim.extensions.advertise_renewal_information()
    url = client.get(authority.directory).json["renewalInfo"]
    answer = client.get(f"{url}/{identifier}")
    assert (answer.status, answer.headers["retry-after"]) == (200, "21600")
    start, end = (datetime.datetime.fromisoformat(answer.json["suggestedWindow"][each]) for each in ("start", "end"))
    assert leaf.not_valid_before_utc < start < end < leaf.not_valid_after_utc
    assert "explanationURL" not in answer.json
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    information.suggest(identifier, now - datetime.timedelta(hours=1), now)
    information.retry_after, information.explanation = 60, "https://example.com/incident"
    answer = client.get(f"{url}/{identifier}")
    assert datetime.datetime.fromisoformat(answer.json["suggestedWindow"]["end"]) == now
    assert (answer.headers["retry-after"], answer.json["explanationURL"]) == ("60", "https://example.com/incident")
    assert client.get(f"{url}/{identifier[:-2]}AA").status == 404
    assert client.get(f"{url}/nonsense").status == 400
    assert information.asked[0] == identifier


def test_a_certificate_is_replaced_once_and_by_its_own_account_only(cloud, authority, client, zone):
    authority.shim.extensions.advertise_renewal_information()
    identifier = certificate_id(issued(cloud, zone, client, "again.example.com")[0])
    stranger = AcmeClient(authority.directory, str(authority.trust))
    stranger.register()
    assert stranger.order("again.example.com", replaces=identifier).status == 403
    assert client.order("other.example.com", replaces=identifier).status == 400
    first = client.order("again.example.com", replaces=identifier)
    assert (first.status, first.json["replaces"]) == (201, identifier)
    again = client.order("again.example.com", replaces=identifier)
    assert (again.status, again.json["type"]) == (409, "urn:ietf:params:acme:error:alreadyReplaced")
    # An order that came to nothing replaces nothing.
    assert validated(client, first, "dns-01") == {"invalid"}
    client.settled(first.headers["location"], "pending")
    assert client.order("again.example.com", replaces=identifier).status == 201


def test_the_identifier_of_a_certificate_is_the_one_of_the_standard():
    class Leaf:
        serial_number = 0x8765_4321

        class extensions:
            @staticmethod
            def get_extension_for_class(_kind):
                key = bytes.fromhex("69885B6B87464041E1B37B847BA0AE2CDE01C8D4")
                return type("Extension", (), {"value": x509.AuthorityKeyIdentifier(key, None, None)})

    assert certificate_id(Leaf) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"
