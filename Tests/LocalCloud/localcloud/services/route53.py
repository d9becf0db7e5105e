"""Route 53 as strict and as slow as it is: batches, changes that take time, and a limit of requests."""

from __future__ import annotations

import datetime
import secrets
import string
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from moto.route53.models import FakeZone, RecordSet, route53_backends

from localcloud.dns.zones import plain
from localcloud.errors import AwsError
from localcloud.gateway.call import Answer, Call
from localcloud.gateway.emulator import Emulator
from localcloud.services import route53_changes
from localcloud.services.route53_changes import InvalidChangeBatch, values_of

_ID = string.ascii_uppercase + string.digits
_PAGE = 300


@dataclass
class _Change:
    account: str
    zone: FakeZone
    before: list[RecordSet]
    submitted: float
    in_sync: float


class Route53:
    """Keeps its records in the emulator's zones. A test sets:

    propagation: seconds for which a change is PENDING; until it is INSYNC, the world's DNS shows what was before.
    requests_per_second: how many requests an account may send in a second, all operations together (AWS: 5).
    message_list: refused batches are answered in the older form, with `<InvalidChangeBatch><Messages>` at the root.
    """

    def __init__(self, emulator: Emulator):
        self._emulator = emulator
        self._lock = threading.Lock()
        self._changes: dict[str, _Change] = {}
        self._requests: dict[str, list[float]] = {}
        self.propagation = 0.0
        self.requests_per_second: int | None = None
        self.message_list = False

    def operations(self) -> dict[str, Callable[[Call], dict[str, Any] | Answer]]:
        own: dict[str, Callable[[Call], dict[str, Any] | Answer]] = {
            "route53:ChangeResourceRecordSets": self.change,
            "route53:GetChange": self.get_change,
            "route53:ListResourceRecordSets": self.list_records,
        }
        return {name: self._limited(operation) for name, operation in {**own, "route53:*": self._other}.items()}

    def reset(self) -> None:
        """As quick as at the start."""
        self.propagation, self.requests_per_second, self.message_list = 0.0, None, False

    def visible(self, zone: FakeZone) -> list[RecordSet]:
        """The records that the world's DNS shows now."""
        now = time.monotonic()
        with self._lock:
            pending = [c for c in self._changes.values() if c.zone is zone and c.in_sync > now]
        return list(min(pending, key=lambda change: change.submitted).before if pending else zone.rrsets)

    def _limited(self, operation: Callable[[Call], Any]) -> Callable[[Call], Any]:
        def limited(call: Call) -> Any:
            assert call.principal is not None
            now = time.monotonic()
            with self._lock:
                recent = [at for at in self._requests.get(call.principal.account, []) if now - at < 1]
                refused = self.requests_per_second is not None and len(recent) >= self.requests_per_second
                self._requests[call.principal.account] = recent if refused else [*recent, now]
            if refused:
                raise AwsError("Throttling", "Rate exceeded", 400)
            return operation(call)

        return limited

    def _other(self, call: Call) -> Answer:
        assert call.principal is not None
        return self._emulator.answer(call, call.principal.account)

    @staticmethod
    def _zone(call: Call) -> FakeZone:
        assert call.principal is not None
        identifier = call.params["HostedZoneId"].removeprefix("/hostedzone/")
        found = route53_backends[call.principal.account]["aws"].zones.get(identifier)
        if found is None:
            raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {identifier}", 404)
        return found

    def change(self, call: Call) -> dict[str, Any] | Answer:
        assert call.principal is not None
        zone, batch = self._zone(call), call.params["ChangeBatch"]
        route53_changes.check_form(batch["Changes"])
        with self._lock:
            before = list(zone.rrsets)
            try:
                after = route53_changes.applied(zone.name, before, batch["Changes"])
            except InvalidChangeBatch as refused:
                if self.message_list:
                    return _message_list(refused)
                raise
            zone.rrsets = after
            identifier, now = "C" + "".join(secrets.choice(_ID) for _ in range(20)), time.monotonic()
            made = _Change(call.principal.account, zone, before, now, now + self.propagation)
            self._changes[identifier] = made
        return {"ChangeInfo": self._shown(identifier, made)}

    def get_change(self, call: Call) -> dict[str, Any]:
        assert call.principal is not None
        identifier = call.params["Id"].removeprefix("/change/")
        found = self._changes.get(identifier)
        if found is None or found.account != call.principal.account:
            raise AwsError("NoSuchChange", f"Could not find resource with ID: {identifier}", 404)
        return {"ChangeInfo": self._shown(identifier, found)}

    @staticmethod
    def _shown(identifier: str, change: _Change) -> dict[str, Any]:
        now = time.monotonic()
        submitted = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=now - change.submitted)
        status = "INSYNC" if change.in_sync <= now else "PENDING"
        return {"Id": f"/change/{identifier}", "Status": status, "SubmittedAt": submitted.replace(tzinfo=None)}

    def list_records(self, call: Call) -> dict[str, Any]:
        """Sorted by the labels from the right, then by type and set identifier, and told in pages."""
        zone, params = self._zone(call), call.params
        size = min(int(params.get("MaxItems") or _PAGE), _PAGE)
        if params.get("StartRecordType") and not params.get("StartRecordName"):
            raise AwsError("InvalidInput", "The input is not valid", 400)
        first = _order(
            params.get("StartRecordName") or "",
            params.get("StartRecordType") or "",
            params.get("StartRecordIdentifier") or "",
        )
        records = sorted(zone.rrsets, key=_order_of)
        records = [record for record in records if not params.get("StartRecordName") or _order_of(record) >= first]
        shown, following = records[:size], records[size : size + 1]
        page: dict[str, Any] = {
            "ResourceRecordSets": [_described(record) for record in shown],
            "IsTruncated": bool(following),
            "MaxItems": str(size),
        }
        for record in following:
            page |= {"NextRecordName": _described(record)["Name"], "NextRecordType": record.type}
            if record.set_identifier:
                page["NextRecordIdentifier"] = record.set_identifier
        return page


def _order(name: str, kind: str, identifier: str) -> tuple[list[str], str, str]:
    return list(reversed(plain(name).split("."))), kind, identifier


def _order_of(record: RecordSet) -> tuple[list[str], str, str]:
    return _order(record.name, str(record.type), record.set_identifier or "")


def _described(record: RecordSet) -> dict[str, Any]:
    shown: dict[str, Any] = {"Name": plain(record.name).replace("*", "\\052") + ".", "Type": record.type}
    if record.set_identifier:
        shown["SetIdentifier"] = record.set_identifier
    optional = {
        "Weight": record.weight,
        "Region": record.region,
        "Failover": record.failover,
        "GeoLocation": record.geo_location,
        "MultiValueAnswer": record.multi_value_answer,
        "HealthCheckId": record.health_check_id,
    }
    shown |= {name: value for name, value in optional.items() if value is not None}
    if record.alias_target:
        return {**shown, "AliasTarget": record.alias_target}
    return {**shown, "TTL": int(record.ttl or 0), "ResourceRecords": [{"Value": value} for value in values_of(record)]}


def _message_list(refused: InvalidChangeBatch) -> Answer:
    messages = "".join(f"<Message>{escape(message)}</Message>" for message in refused.messages)
    namespace = "https://route53.amazonaws.com/doc/2013-04-01/"
    body = f'<InvalidChangeBatch xmlns="{namespace}"><Messages>{messages}</Messages></InvalidChangeBatch>'
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + body
    return Answer(400, [("Content-Type", "text/xml"), ("x-amzn-RequestId", secrets.token_hex(8))], text.encode())
