"""What clients asked of the authority, with their signed parts opened, for assertions."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any

# Where pebble keeps what RFC 8555 calls by these names.
_KINDS = {
    "dir": "directory",
    "nonce-plz": "newNonce",
    "sign-me-up": "newAccount",
    "order-plz": "newOrder",
    "revoke-cert": "revokeCert",
    "rollover-account-key": "keyChange",
    "my-account": "account",
    "list-orderz": "orders",
    "my-order": "order",
    "authZ": "authorization",
    "chalZ": "challenge",
    "finalize-order": "finalize",
    "certZ": "certificate",
    "renewal-info": "renewalInfo",
}


@dataclass
class AcmeRequest:
    """One request. `kind` is one of the names above, `protected` the JWS's header.

    payload_text: the signed payload as it was sent; empty for a POST-as-GET, None for what is not signed.
    """

    number: int
    kind: str
    method: str
    path: str
    protected: dict[str, Any]
    payload_text: str | None
    user_agent: str
    status: int = 0
    answer: bytes = b""
    fault: str | None = None
    at: float = field(default_factory=time.time)

    @property
    def payload(self) -> Any:
        """The payload's JSON; None without one."""
        return json.loads(self.payload_text) if self.payload_text else None

    @property
    def account(self) -> str | None:
        """The account's URL, where the request names it."""
        return self.protected.get("kid")


def kind_of(path: str) -> str:
    first = path.lstrip("/").split("/")[0].split("?")[0]
    return _KINDS.get(first, first)


def _decoded(text: str) -> str:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def opened(number: int, method: str, path: str, body: bytes, user_agent: str) -> AcmeRequest:
    """Reads the JWS, if there is one. Signatures are pebble's to judge."""
    protected: dict[str, Any] = {}
    payload = None
    if body:
        try:
            signed = json.loads(body)
            protected, payload = json.loads(_decoded(signed["protected"])), _decoded(signed["payload"])
        except (ValueError, KeyError, TypeError):
            payload = None
    return AcmeRequest(number, kind_of(path), method, path, protected, payload, user_agent)
