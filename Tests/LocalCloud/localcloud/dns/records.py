"""Route 53's record values as DNS data."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dnslib import AAAA, CAA, CNAME, MX, NS, RR, SOA, TXT, A

from localcloud.errors import NotCoveredLocally

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\([0-7]{3}|.)")


@dataclass(frozen=True)
class Record:
    """Records of one name and type. `values` are written as Route 53 takes them."""

    name: str
    kind: str
    ttl: int
    values: tuple[str, ...]

    def rows(self) -> list[RR]:
        return [RR(self.name, _type(self.kind), ttl=self.ttl, rdata=data(self.kind, value)) for value in self.values]


def _type(kind: str) -> int:
    from dnslib import QTYPE

    return int(getattr(QTYPE, kind))


def texts(value: str) -> list[bytes]:
    """The strings of a TXT value: each in quotes, with octal escapes."""

    def plain(found: re.Match[str]) -> str:
        escaped = found.group(1)
        return chr(int(escaped, 8)) if len(escaped) == 3 else escaped

    return [_ESCAPE.sub(plain, quoted).encode("latin-1") for quoted in _QUOTED.findall(value)]


def data(kind: str, value: str):
    """One value in DNS form. A type that this server cannot tell of is an error."""
    words = value.split()
    if kind == "TXT":
        return TXT(texts(value))
    if kind == "CAA":
        flags, tag, rest = value.split(maxsplit=2)
        return CAA(int(flags), tag, rest.strip('"'))
    if kind == "SOA":
        return SOA(words[0], words[1], tuple(int(word) for word in words[2:7]))
    if kind == "MX":
        return MX(words[1], int(words[0]))
    simple = {"A": A, "AAAA": AAAA, "CNAME": CNAME, "NS": NS}
    if kind not in simple:
        raise NotCoveredLocally(f"DNS answers of type {kind}")
    return simple[kind](value)
