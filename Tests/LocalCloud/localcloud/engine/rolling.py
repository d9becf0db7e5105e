"""The rolling update of an auto scaling group: see `localcloud.instances`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localcloud.engine.operation import Operation
    from localcloud.engine.stack import Physical


class Roll:
    """What has to happen around an update in place: nothing, for most types."""

    def finish(self, made: Physical) -> None:
        pass


def start_update(operation: Operation, name: str, current: Physical, properties: dict[str, Any]) -> Roll:
    """Prepare the update of one resource whose template says how."""
    return Roll()
