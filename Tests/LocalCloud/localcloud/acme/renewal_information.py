"""ACME Renewal Information (RFC 9773), which pebble 2.4.0 lacks: suggested windows, and orders that replace."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Callable
from typing import Any

from cryptography import x509

from localcloud.acme.problems import Problem
from localcloud.gateway.call import Answer

Window = tuple[datetime.datetime, datetime.datetime]


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def certificate_id(certificate: x509.Certificate) -> str:
    """base64url(key identifier of the issuer) "." base64url(serial number as DER writes it)."""
    authority = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    serial = certificate.serial_number
    return (
        f"{_encoded(authority.key_identifier or b'')}.{_encoded(serial.to_bytes(serial.bit_length() // 8 + 1, 'big'))}"
    )


class RenewalInformation:
    """Answers at the directory's `renewalInfo`.

    retry_after: the answers' Retry-After: seconds, a date as HTTP writes it, or None for none.
    explanation: the answers' explanationURL.
    asked: the identifiers that were asked about, in order.
    """

    def __init__(self, certificate: Callable[[int], x509.Certificate | None]):
        self._certificate = certificate
        self._windows: dict[str, Window] = {}
        self._owners: dict[int, str] = {}
        self._replaced: dict[str, str] = {}
        self.retry_after: int | str | None = 6 * 3600
        self.explanation: str | None = None
        self.asked: list[str] = []

    def suggest(self, identifier: str, start: datetime.datetime, end: datetime.datetime) -> None:
        """The window for one certificate from now on. Without it: from 66 to 68 hundredths of the lifetime."""
        self._windows[identifier] = (start, end)

    def answer(self, identifier: str) -> Answer:
        self.asked.append(identifier)
        found = self._find(identifier)
        start, end = self._windows.get(identifier) or self._default(found)
        shown: dict[str, Any] = {"suggestedWindow": {"start": _written(start), "end": _written(end)}}
        if self.explanation:
            shown["explanationURL"] = self.explanation
        headers = [("Content-Type", "application/json")]
        if self.retry_after is not None:
            headers.append(("Retry-After", str(self.retry_after)))
        return Answer(200, headers, json.dumps(shown).encode())

    def _find(self, identifier: str) -> x509.Certificate:
        parts = identifier.split(".")
        try:
            if len(parts) != 2 or "=" in identifier:
                raise ValueError(identifier)
            serial = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        except ValueError:
            raise Problem("malformed", "The certificate identifier cannot be read", 400) from None
        found = self._certificate(int.from_bytes(serial, "big"))
        if found is None or certificate_id(found) != identifier:
            raise Problem("malformed", "No such certificate was issued here", 404)
        return found

    @staticmethod
    def _default(certificate: x509.Certificate) -> Window:
        begin, lifetime = (
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc - certificate.not_valid_before_utc,
        )
        return begin + lifetime * 0.66, begin + lifetime * 0.68

    def issued(self, chain: bytes, account: str) -> None:
        """Note whose certificate this is."""
        self._owners[x509.load_pem_x509_certificate(chain).serial_number] = account

    def check_replacement(self, identifier: str, account: str, names: set[str], is_dead: Callable[[str], bool]) -> None:
        """Refuses an order whose `replaces` names a certificate that is not the account's, shares no name with the
        order, or has another order to replace it; `is_dead` says that an order came to nothing."""
        found = self._find(identifier)
        if self._owners.get(found.serial_number) not in (None, account):
            raise Problem("unauthorized", "The certificate to replace belongs to another account", 403)
        alternatives = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if not names & set(alternatives.get_values_for_type(x509.DNSName)):
            raise Problem("malformed", "The certificate to replace has no name of this order", 400)
        order = self._replaced.get(identifier)
        if order and not is_dead(order):
            raise Problem("alreadyReplaced", "Another order replaces the certificate", 409)

    def replaced(self, identifier: str, order: str) -> None:
        self._replaced[identifier] = order


def _written(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
