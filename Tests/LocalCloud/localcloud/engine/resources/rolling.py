"""AutoScalingRollingUpdate: outdated instances give way to new ones, batch by batch, before the stack moves on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from localcloud.engine.errors import ResourceFailed
from localcloud.engine.resource_type import Context, boolean
from localcloud.engine.resources.shapes import only
from localcloud.engine.signals import seconds

if TYPE_CHECKING:
    from localcloud.engine.resources.autoscaling import AutoScalingGroup

_SETTINGS = {
    "MaxBatchSize",
    "MinInstancesInService",
    "PauseTime",
    "SuspendProcesses",
    "WaitOnResourceSignals",
}


class Roll:
    """One roll over one group. The group keeps at least MinInstancesInService instances all the time."""

    def __init__(
        self, group: AutoScalingGroup, context: Context, name: str, properties: dict[str, Any], policy: dict[str, Any]
    ):
        only(policy, _SETTINGS, "AutoScalingRollingUpdate")
        self._group = group
        self._context = context
        self._name = name
        self._properties = properties
        self._batch = int(policy.get("MaxBatchSize", 1))
        self._minimum = int(policy.get("MinInstancesInService", 0))
        self._waits = boolean(policy.get("WaitOnResourceSignals", False)) and not context.stack.is_express
        self._pause = seconds(policy.get("PauseTime", "PT5M" if self._waits else "PT0S"), group.minute)
        if context.stack.is_express:
            self._pause = 0
        if self._minimum >= int(properties["MaxSize"]):
            raise ResourceFailed("MinInstancesInService must be less than the autoscaling group's MaxSize")

    def run(self) -> None:
        """Raises ResourceFailed when new instances do not signal success in time; the old ones then still serve."""
        outdated = self._group.outdated(self._context, self._name, self._properties)
        if not outdated:
            return
        self._event(f"Rolling update initiated. Replacing {len(outdated)} instance(s), {self._batch} at a time.")
        wanted = int(self._properties.get("DesiredCapacity") or self._properties["MinSize"])
        while outdated:
            batch, outdated = outdated[: self._batch], outdated[self._batch :]
            count = len(self._group.instances(self._context, self._name))
            if count - len(batch) >= self._minimum:
                self._group.end(self._context, batch)
                batch = []
            self._launch(max(wanted, self._minimum) if not batch else count + len(batch), len(batch))
            if batch:
                self._event(f"Terminating instance(s) {batch}")
                self._group.end(self._context, batch)

    def _launch(self, capacity: int, extra: int) -> None:
        capacity = min(capacity, int(self._properties["MaxSize"])) if extra else capacity
        stack, name = self._context.stack, self._context.state.name
        self._group.signals.begin(stack.id, name)
        self._group.set_capacity(self._context, self._name, capacity)
        launched = self._group.follow_capacity(self._context, self._name, self._properties)
        self._event(f"New instance(s) added to autoscaling group: {launched}")
        if self._waits:
            self._group.signals.wait(stack.id, name, len(launched), self._pause, self._context.cancel)
        else:
            time.sleep(self._pause)

    def _event(self, reason: str) -> None:
        context = self._context
        context.stack.resource_event(context.state, context.kind, "UPDATE_IN_PROGRESS", reason)
