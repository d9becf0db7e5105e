"""What a resolver learns of Route 53's public zones, read from the emulator at the moment of the question."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from moto.route53.models import FakeZone, RecordSet, route53_backends

from localcloud.dns.records import Record
from localcloud.errors import NotCoveredLocally

_LONGEST_CHAIN = 8
_MOST_MULTIVALUE_ANSWERS = 8
_FRONT_TTL = 60
_AWS_NAMES = (".amazonaws.com", ".cloudfront.net")
"""Load balancers, distributions and website buckets: all of them are fronts on this machine."""


@dataclass
class Found:
    """The answer's records in order, its code (NOERROR, NXDOMAIN), and the SOA of the zone where the search ended."""

    records: list[Record] = field(default_factory=list)
    code: str = "NOERROR"
    soa: Record | None = None


def plain(name: str) -> str:
    """A name as it is compared: lower case, no final dot, an asterisk as itself."""
    return name.rstrip(".").replace("\\052", "*").lower()


def _values(found: RecordSet) -> tuple[str, ...]:
    return tuple(value["Value"] if isinstance(value, dict) else value for value in found.records or [])


def _public_zones() -> Iterator[FakeZone]:
    for backend in list(route53_backends.values()):
        for zone in list(backend["aws"].zones.values()):
            if not zone.private_zone:
                yield zone


class Zones:
    """Resolves names. `records` says which records of a zone the world can see already."""

    def __init__(self, records: Callable[[FakeZone], list[RecordSet]]):
        self._records = records

    @staticmethod
    def _zone(name: str) -> FakeZone | None:
        """The longest zone that holds the name. Of two with one name the older is taken for the delegated one."""
        holding = [z for z in _public_zones() if name == plain(z.name) or name.endswith("." + plain(z.name))]
        return max(holding, key=lambda zone: len(plain(zone.name)), default=None)

    @staticmethod
    def _at(name: str, records: list[RecordSet]) -> list[RecordSet] | None:
        """The records at a name, or of the wildcard that covers it; None when there is no such name."""
        names = {plain(record.name) for record in records}

        def exists(name: str) -> bool:
            return any(other == name or other.endswith("." + name) for other in names)

        if not exists(name):
            encloser = name.split(".", 1)[1]
            while not exists(encloser):
                encloser = encloser.split(".", 1)[1]
            name = "*." + encloser
            if name not in names:
                return None
        return [record for record in records if plain(record.name) == name]

    def resolve(self, name: str, kind: str) -> Found:
        """Follows CNAMEs and aliases, also from zone to zone."""
        found, name = Found(), plain(name)
        for _ in range(_LONGEST_CHAIN):
            zone = self._zone(name)
            if zone is None:
                found.soa = None
                found.code = "NOERROR" if name.endswith(_AWS_NAMES) else "NXDOMAIN"
                found.records += self._front(name, name, kind)
                return found
            records = self._records(zone)
            soa = next(record for record in records if record.type == "SOA")
            found.soa = Record(plain(zone.name), "SOA", _FRONT_TTL, _values(soa))
            here = self._at(name, records)
            if here is None:
                found.code = "NXDOMAIN"
                return found
            cnames = [record for record in here if record.type == "CNAME"]
            found.records += self._answers(name, kind, cnames or [record for record in here if record.type == kind])
            if not cnames or kind == "CNAME":
                return found
            name = plain(found.records[-1].values[0])
        raise NotCoveredLocally(f"a chain of more than {_LONGEST_CHAIN} names")

    @staticmethod
    def _front(name: str, target: str, kind: str) -> list[Record]:
        return [Record(name, "A", _FRONT_TTL, ("127.0.0.1",))] if target.endswith(_AWS_NAMES) and kind == "A" else []

    def _answers(self, name: str, kind: str, records: list[RecordSet]) -> list[Record]:
        if any(record.set_identifier and not record.multi_value_answer for record in records):
            raise NotCoveredLocally("routing by weight, region, failover or place")
        if records and records[0].alias_target:
            # What an alias leads to is told under the alias's own name.
            target = plain(records[0].alias_target["DNSName"])
            inner = self._front(name, target, kind) or self.resolve(target, kind).records
            return [Record(name, kind, record.ttl, record.values) for record in inner if record.kind == kind]
        if len(records) > _MOST_MULTIVALUE_ANSWERS:
            records = random.sample(records, _MOST_MULTIVALUE_ANSWERS)
        return [Record(name, str(record.type), int(record.ttl or 0), _values(record)) for record in records]
