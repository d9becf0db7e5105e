"""Faults that a test switches on: which event of which kind, how often, and what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from localcloud.recorder import Recorder

CALL = "call"
"""An AWS request. `on` is `s3:PutObject`, `s3:*` or `*`.
Effects: refuse, reset, lose_answer, kill, kill_after, hang."""
RESPONSE_URL = "response-url"
"""A PUT to a ResponseURL. Effects: refuse, reset, lose_answer, kill, kill_after, hang."""
STEP = "step"
"""Either of the two above as a function does them, or a request to a certificate authority: its n-th step of input or
output. `on` is `*`."""
DELIVERY = "delivery"
"""A custom-resource event on its way to its function. `on` is Create, Update, Delete or `*`.
Effects: duplicate (delivered twice), late (delivered `seconds` later, so that later events overtake it)."""
INVOCATION = "invocation"
"""An event handed to a function process. `on` is the function's name or `*`.
Effects: deadline (the function is told, and given, `seconds`), kill (`seconds` after the hand-over)."""
ACME = "acme"
"""A request to a certificate authority. `on` names what is asked for: `newOrder`, `challenge` (see `acme.requests`).
Effects: refuse (with a problem of type `code`, and Retry-After when there are `seconds`), reset, lose_answer, hang,
kill and kill_after (of the functions that are at work), cut (half of the answer arrives), alter (the answer's JSON
becomes what `change` makes of it)."""

_EFFECTS = {
    CALL: {"refuse", "reset", "lose_answer", "kill", "kill_after", "hang"},
    RESPONSE_URL: {"refuse", "reset", "lose_answer", "kill", "kill_after", "hang"},
    STEP: {"refuse", "reset", "lose_answer", "kill", "kill_after", "hang"},
    DELIVERY: {"duplicate", "late"},
    INVOCATION: {"deadline", "kill"},
    ACME: {"refuse", "reset", "lose_answer", "kill", "kill_after", "hang", "cut", "alter"},
}


@dataclass
class Fault:
    """One fault. It strikes matching events number `nth` (counted from 1 since it was added) to `nth + count - 1`.

    A call that hangs does so for `seconds`, or until `until` is set, a minute at most. kill and kill_after end the
    functions at work, or whatever `victim` ends: a process of the test's own.
    `status` and `code` are for `refuse`, `seconds` for hang, late, deadline and kill of an invocation. `principal`
    limits calls to principals whose ARN contains it; by default only functions are hit, never the test or
    CloudFormation.
    """

    effect: str
    kind: str = CALL
    on: str = "*"
    nth: int = 1
    count: int = 1
    status: int = 500
    code: str = "InternalError"
    seconds: float = 0.0
    until: threading.Event | None = None
    principal: str | None = None
    where: Callable[[Any], bool] | None = None
    change: Callable[[Any], Any] | None = None
    victim: Callable[[], None] | None = None
    seen: int = field(default=0, init=False)
    struck: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.effect not in _EFFECTS.get(self.kind, set()):
            raise ValueError(
                f"{self.effect!r} is not an effect of {self.kind!r}: {sorted(_EFFECTS.get(self.kind, []))}"
            )

    def _names(self, name: str) -> bool:
        return self.on in ("*", name) or (self.on.endswith(":*") and name.startswith(self.on[:-1]))

    def strikes(self, kind: str, name: str, principal: str, by_function: bool, event: Any) -> bool:
        """Counts the event when it matches, and says whether it is one that the fault hits."""
        is_step = self.kind == STEP and kind in (CALL, RESPONSE_URL, ACME)
        if not (kind == self.kind or is_step) or not self._names(name):
            return False
        if kind == CALL:
            if self.principal is None and not by_function:
                return False
            if self.principal is not None and self.principal not in principal:
                return False
        if self.where and not self.where(event):
            return False
        self.seen += 1
        if not self.nth <= self.seen < self.nth + self.count:
            return False
        self.struck += 1
        return True


class Faults:
    """The faults now in force. Every strike is recorded."""

    def __init__(self, recorder: Recorder):
        self._recorder = recorder
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, effect: str, on: str = "*", **settings: Any) -> Fault:
        """Add a fault, for example `add("refuse", "s3:PutObject", status=503, code="SlowDown", count=2)`."""
        fault = Fault(effect, on=on, **settings)
        with self._lock:
            self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        with self._lock:
            self._faults.remove(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def striking(
        self, kind: str, name: str, principal: str = "", by_function: bool = False, event: Any = None
    ) -> Fault | None:
        """The first fault that hits this event, or None. All matching faults count it."""
        with self._lock:
            hits = [f for f in self._faults if f.strikes(kind, name, principal, by_function, event)]
        if not hits:
            return None
        self._recorder.add(f"{hits[0].effect} {kind} {name} #{hits[0].seen}")
        return hits[0]
