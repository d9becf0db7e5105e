"""CreateStack."""

from __future__ import annotations

import threading

from localcloud.engine import ordering, scheduler
from localcloud.engine.operation import Operation, reason


class Creation(Operation):
    """Creates everything; on a failure removes it all again, or keeps it, as the caller asked."""

    def run(self) -> None:
        stack = self.stack
        timer = self._start_timer()
        try:
            self._create()
        except Exception as failure:
            if stack.delete_requested:
                return
            told = self.first_cause(failure) if isinstance(failure, scheduler.Failures) else reason(failure)
            self._fail(told)
        else:
            stack.set_status("CREATE_COMPLETE")
        finally:
            if timer:
                timer.cancel()

    def _start_timer(self) -> threading.Timer | None:
        if self.stack.timeout_minutes is None:
            return None
        timer = threading.Timer(self.stack.timeout_minutes * self.environment.minute, self.stack.cancel.set)
        timer.daemon = True
        timer.start()
        return timer

    def _create(self) -> None:
        stack = self.stack
        resolver = self.environment.resolver(stack, stack.template, stack.parameters, stack.parameter_values)
        wanted = self.wanted(resolver, stack.template)
        graph = {n: d & wanted for n, d in ordering.dependencies(stack.template).items() if n in wanted}
        for name, needed in graph.items():
            self.state(name).depends_on = needed
        scheduler.run(graph, lambda name: self.make(resolver, name), stack.cancel)
        if stack.cancel.is_set():
            raise TimeoutError("Stack creation time exceeded the specified timeout.")
        stack.outputs = self.environment.outputs(stack, resolver)

    def _fail(self, told: str) -> None:
        stack = self.stack
        if stack.on_failure == "DO_NOTHING":
            stack.set_status("CREATE_FAILED", told)
            return
        deleting = stack.on_failure == "DELETE"
        stack.set_status("DELETE_IN_PROGRESS" if deleting else "ROLLBACK_IN_PROGRESS", told)
        for state in stack.resources.values():
            if state.current and state.current.policies.get("DeletionPolicy") == "RetainExceptOnCreate":
                state.current.policies["DeletionPolicy"] = "Delete"
        try:
            self.remove_all(set(stack.resources))
        except scheduler.Failures as failures:
            stack.set_status("DELETE_FAILED" if deleting else "ROLLBACK_FAILED", self.first_cause(failures))
            return
        stack.set_status("DELETE_COMPLETE" if deleting else "ROLLBACK_COMPLETE")
