"""Everything that happened, kept for assertions."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Decision:
    """One permission that a request needed: who, what, on what, and how the policies decided."""

    principal: str
    action: str
    resource: str
    outcome: str

    @property
    def allowed(self) -> bool:
        return self.outcome == "allow"


@dataclass
class ApiCall:
    """One AWS request: its name (`s3:PutObject`), its principal's ARN, parameters, decisions and answer."""

    number: int
    name: str
    principal: str
    region: str
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    params: dict[str, Any]
    decisions: list[Decision] = field(default_factory=list)
    status: int = 0
    answer: bytes = b""
    fault: str | None = None
    at: float = field(default_factory=time.time)


@dataclass
class CustomResourceExchange:
    """One event sent to a provider and what came back: the validated response, or why there is none."""

    request: dict[str, Any]
    response: dict[str, Any] | None = None
    failure: str | None = None
    uploads: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    """Every PUT to this event's ResponseURL: the status it was given, its headers, its body."""


@dataclass
class Invocation:
    """One delivery of one event to one function process."""

    function: str
    request_id: str
    payload: bytes
    result: bytes
    error: bool
    log: str
    attempt: int
    seconds: float


class Recorder:
    """Thread-safe lists. A test reads them; `clear` starts a new chapter.

    `calls` are requests that were sent; `service_calls` what an AWS service did with a role by itself, such as Lambda
    when it writes a function's log.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls: list[ApiCall] = []
        self.service_calls: list[ApiCall] = []
        self.exchanges: list[CustomResourceExchange] = []
        self.invocations: list[Invocation] = []
        self.faults: list[str] = []
        self._numbers = 0

    def next_number(self) -> int:
        with self._lock:
            self._numbers += 1
            return self._numbers

    def add(self, item: ApiCall | CustomResourceExchange | Invocation | str) -> None:
        kinds = {ApiCall: self.calls, CustomResourceExchange: self.exchanges, Invocation: self.invocations}
        with self._lock:
            kinds.get(type(item), self.faults).append(item)

    def add_service_call(self, call: ApiCall) -> None:
        with self._lock:
            self.service_calls.append(call)

    def clear(self) -> None:
        with self._lock:
            for kept in (self.calls, self.service_calls, self.exchanges, self.invocations, self.faults):
                kept.clear()

    def calls_named(self, name: str, principal: str = "") -> list[ApiCall]:
        """Calls of one operation (`s3:PutObject`), of principals whose ARN contains `principal`."""
        return [call for call in list(self.calls) if call.name == name and principal in call.principal]

    def decisions(self, principal: str = "") -> list[Decision]:
        """Every permission check so far, of principals whose ARN contains `principal`."""
        calls = [*self.calls, *self.service_calls]
        return [decision for call in calls for decision in call.decisions if principal in decision.principal]

    def denied(self, principal: str = "") -> list[Decision]:
        return [decision for decision in self.decisions(principal) if not decision.allowed]

    def events(self, logical_id: str = "") -> list[tuple[str, str | None, str | None, str | None]]:
        """Custom-resource exchanges in order: request type, physical id sent, status and physical id returned."""
        return [
            (
                exchange.request["RequestType"],
                exchange.request.get("PhysicalResourceId"),
                (exchange.response or {}).get("Status"),
                (exchange.response or {}).get("PhysicalResourceId"),
            )
            for exchange in list(self.exchanges)
            if logical_id in ("", exchange.request["LogicalResourceId"])
        ]

    def function_log(self, function: str = "") -> str:
        return "\n".join(item.log for item in list(self.invocations) if function in item.function)
