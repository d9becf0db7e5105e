"""What the judges read: certificates and requests, each in files of its own."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import idna


@dataclass(frozen=True)
class Case:
    """What the provider is asked to issue, with the member names that `JudgedDocumentsTests` reads."""

    name: str
    # None for a request.
    domain: str | None
    names: tuple[str, ...] = ()
    algorithm: str = "EC_P256"
    # Seconds since 1970: the provider's clock.
    now: int = 1_800_000_000
    days: int = 365

    def expected_names(self) -> list[str]:
        """As they have to stand in the document, mapped addresses as the IPv4 addresses that they stand for."""
        own = [self.host, f"*.{self.host}"] if self.domain else []
        fitting = [name for name in own if len(name) <= 253]
        return sorted({*fitting, *(written(name) for name in self.names)})

    @property
    def host(self) -> str:
        """The domain as it stands in DNS; empty for a request."""
        return written(self.domain) if self.domain else ""


@dataclass(frozen=True)
class Document:
    case: Case
    folder: Path

    @property
    def name(self) -> str:
        return self.case.name

    @property
    def is_request(self) -> bool:
        return self.case.domain is None

    @property
    def pem(self) -> Path:
        return self.folder / f"{self.name}.pem"

    @property
    def key(self) -> Path:
        return self.folder / f"{self.name}.key"

    @property
    def moment(self) -> datetime:
        """A time at which the certificate is valid."""
        return datetime.fromtimestamp(self.case.now + 3600, UTC)

    def at_its_time(self) -> list[str]:
        """Put before a command that looks at the clock and cannot be given a time."""
        return ["faketime", "-f", self.moment.strftime("@%Y-%m-%d %H:%M:%S")]


def written(name: str) -> str:
    """As it stands in a certificate."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name if name.isascii() else idna.encode(name, uts46=True).decode()
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
