"""cfn-signal: who has signalled what for which resource, and waiting for it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from localcloud.engine.errors import Cancelled, ResourceFailed


@dataclass
class _Received:
    by_id: dict[str, str] = field(default_factory=dict)


class Signals:
    """Signals count once per unique id, as for CloudFormation."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._received: dict[tuple[str, str], _Received] = {}

    def begin(self, stack_id: str, resource: str) -> None:
        """Forget earlier signals of the resource: only new ones count from here."""
        with self._changed:
            self._received[stack_id, resource] = _Received()

    def add(self, stack_id: str, resource: str, unique_id: str, status: str) -> None:
        with self._changed:
            self._received.setdefault((stack_id, resource), _Received()).by_id[unique_id] = status
            self._changed.notify_all()

    def wait(self, stack_id: str, resource: str, count: int, seconds: float, cancel: threading.Event) -> None:
        """Return once `count` SUCCESS signals are there; ResourceFailed on a FAILURE or when the time is over."""
        limit = time.monotonic() + seconds
        with self._changed:
            while True:
                received = self._received.setdefault((stack_id, resource), _Received()).by_id
                failed = [unique_id for unique_id, status in received.items() if status == "FAILURE"]
                if failed:
                    raise ResourceFailed(f"Received FAILURE signal with UniqueId {failed[0]}")
                succeeded = sum(status == "SUCCESS" for status in received.values())
                if succeeded >= count:
                    return
                if cancel.is_set():
                    raise Cancelled("Resource creation cancelled")
                left = limit - time.monotonic()
                if left <= 0:
                    raise ResourceFailed(
                        f"Failed to receive {count} resource signal(s) within the specified duration "
                        f"({succeeded} received)"
                    )
                self._changed.wait(min(left, 0.05))


def seconds(duration: str, minute: float) -> float:
    """An ISO 8601 duration of hours, minutes and seconds, with minutes of the given length."""
    import re

    found = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?", duration)
    if not found or duration == "PT":
        raise ResourceFailed(f"Invalid duration {duration}")
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    return (hours * 60 + minutes + rest / 60) * minute
