"""Which points of a kill table run: all with STACKCERT_KILL=all (`make kill`), a sample beside the other tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from localcloud.acme.requests import AcmeRequest
from localcloud.recorder import CustomResourceExchange

EFFECTS = ("kill", "kill_after")
"""Before the request is carried out, and when it was carried out and not answered."""

_READS = ("Get", "Head", "List", "Describe")
_ACME_CHANGES = ("newAccount", "newOrder", "challenge", "finalize", "revokeCert")


def changes_something(event: Any) -> bool:
    """Whether a request changes what AWS, the stack or the certificate authority holds."""
    if isinstance(event, AcmeRequest):
        return event.kind in _ACME_CHANGES and event.payload_text != ""
    if isinstance(event, CustomResourceExchange):
        return True
    return not event.name.split(":")[1].startswith(_READS)


def chosen(number: int, offset: int, sample: int = 5) -> Iterator[tuple[str, int]]:
    """The points of a table of `number` requests: all of them, or every `sample`-th from `offset` on."""
    points = [(effect, nth) for nth in range(1, number + 1) for effect in EFFECTS]
    step = 1 if os.environ.get("STACKCERT_KILL") == "all" else sample
    yield from points[offset % min(step, len(points)) :: step]
