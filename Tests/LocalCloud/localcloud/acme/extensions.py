"""What newer authorities have and pebble 2.4.0 has not: renewal information, profiles, Retry-After, and surprises."""

from __future__ import annotations

import json
import re
from typing import Any

from cryptography import x509

from localcloud.acme.pebble import Pebble
from localcloud.acme.problems import Problem
from localcloud.acme.renewal_information import RenewalInformation
from localcloud.acme.requests import AcmeRequest
from localcloud.gateway.call import Answer

_UNFINISHED = ("pending", "processing")


class Extensions:
    """Everything is off at the start; a test sets what it wants.

    renewal_information: made by `advertise_renewal_information()`, which also puts it into the directory.
    profiles: name → description, in the directory's meta; an order for another one is refused. Without any, a profile
        is ignored as pebble 2.4.0 does, which knows no such member.
    retry_after: kind (`order`, `authorization`, `challenge`, `finalize`) → seconds or a date, told while unfinished.
    surprising: unknown fields, endpoints, challenge types and statuses everywhere, as a client has to bear them.
    """

    def __init__(self, pebble: Pebble, url: str):
        self._pebble = pebble
        self._url = url
        self._statuses: dict[str, str] = {}
        self._order_fields: dict[str, dict[str, str]] = {}
        self.renewal_information: RenewalInformation | None = None
        self.profiles: dict[str, str] = {}
        self.retry_after: dict[str, int | str] = {}
        self.surprising = False

    def advertise_renewal_information(self) -> RenewalInformation:
        self.renewal_information = RenewalInformation(self._certificate)
        return self.renewal_information

    def reset(self) -> None:
        """All off again."""
        self.renewal_information, self.profiles, self.retry_after, self.surprising = None, {}, {}, False

    def _certificate(self, serial: int) -> x509.Certificate | None:
        status = self._pebble.status(serial)
        return x509.load_pem_x509_certificate(status["Certificate"].encode()) if status else None

    def own_answer(self, request: AcmeRequest) -> Answer | None:
        """The answer to what pebble has no notion of. Raises Problem for an order that it would have to refuse."""
        if request.kind == "renewalInfo":
            if self.renewal_information is None:
                raise Problem("malformed", "There is no renewal information here", 404)
            return self.renewal_information.answer(request.path.rsplit("/", 1)[1])
        wanted = request.payload if request.kind == "newOrder" else None
        if isinstance(wanted, dict):
            profile = wanted.get("profile")
            if profile is not None and self.profiles and profile not in self.profiles:
                raise Problem("invalidProfile", "There is no such profile here", 400)
            if "replaces" in wanted and self.renewal_information:
                names = {identifier["value"] for identifier in wanted["identifiers"]}
                self.renewal_information.check_replacement(
                    wanted["replaces"], request.account or "", names, lambda url: self._statuses.get(url) == "invalid"
                )
        return None

    def completed(self, request: AcmeRequest, answer: Answer) -> Answer:
        """pebble's answer with what is switched on."""
        if request.kind == "certificate" and answer.status == 200 and self.renewal_information:
            self.renewal_information.issued(answer.body, request.account or "")
        if "json" not in (answer.header("content-type") or "") or answer.status >= 300:
            return answer
        shown = json.loads(answer.body)
        if request.kind == "directory":
            self._complete_directory(shown)
        if request.kind in ("newOrder", "order", "finalize"):
            self._complete_order(request, answer, shown)
        headers = answer.headers
        if shown.get("status") in _UNFINISHED and request.kind in self.retry_after:
            headers = [*headers, ("Retry-After", str(self.retry_after[request.kind]))]
        if self.surprising:
            self._surprise(request, shown)
        return Answer(answer.status, headers, json.dumps(shown).encode())

    def _complete_directory(self, shown: dict[str, Any]) -> None:
        if self.renewal_information:
            shown["renewalInfo"] = f"{self._url}/renewal-info"
        if self.profiles:
            shown.setdefault("meta", {})["profiles"] = self.profiles

    def _complete_order(self, request: AcmeRequest, answer: Answer, shown: dict[str, Any]) -> None:
        url = answer.header("location") or self._url + request.path
        if request.kind == "newOrder":
            wanted = request.payload
            known = ("profile", "replaces") if self.profiles else ("replaces",)
            self._order_fields[url] = {name: wanted[name] for name in known if name in wanted}
            if "replaces" in wanted and self.renewal_information:
                self.renewal_information.replaced(wanted["replaces"], url)
        elif request.kind == "finalize":
            url = re.sub("/finalize-order/", "/my-order/", self._url + request.path)
        self._statuses[url] = shown.get("status", "")
        shown.update(self._order_fields.get(url, {}))

    def _surprise(self, request: AcmeRequest, shown: dict[str, Any]) -> None:
        shown["tide"] = {"height": 3, "rising": [True, None]}
        if request.kind == "directory":
            shown["newWish"] = f"{self._url}/wishes"
            shown.setdefault("meta", {})["mood"] = "calm"
        if request.kind == "authorization":
            odd = {"type": "carrier-pigeon-01", "status": "airborne", "url": f"{self._url}/pigeon", "ring": [1, 2]}
            bare = {"type": "no-token-02", "status": "pending", "url": f"{self._url}/bare"}
            shown["challenges"] = [odd, *shown.get("challenges", []), bare]
