"""DeleteStack."""

from __future__ import annotations

from localcloud.engine import scheduler
from localcloud.engine.operation import Operation
from localcloud.engine.stack import now


class Deletion(Operation):
    """Deletes everything, dependents first, after whatever is in progress has been given up."""

    def run(self, retain: set[str]) -> None:
        stack = self.stack
        for state in stack.resources.values():
            for physical in ([state.current] if state.current else []) + state.leftovers:
                policies = physical.policies
                if policies.get("DeletionPolicy") == "RetainExceptOnCreate":
                    policies["DeletionPolicy"] = "Retain"
                if state.name in retain:
                    policies["DeletionPolicy"] = "Retain"
        try:
            self._delete_leftovers()
            self.remove_all(set(stack.resources))
        except scheduler.Failures as failures:
            stack.set_status("DELETE_FAILED", self.first_cause(failures))
            return
        self.environment.registry.forget_exports(stack)
        stack.deleted = now()
        stack.set_status("DELETE_COMPLETE")

    def _delete_leftovers(self) -> None:
        """What an unfinished update left behind."""
        for state in self.stack.resources.values():
            while state.leftovers:
                try:
                    self.remove(state, state.leftovers[-1], "UpdateReplacePolicy", current=False)
                except Exception as failure:
                    raise scheduler.Failures({state.name: failure}) from None
                state.leftovers.pop()
