"""UpdateStack: towards the new template, back to the old one on a failure, then the cleanup."""

from __future__ import annotations

import threading
from typing import Any

from localcloud.engine import ordering, scheduler
from localcloud.engine.errors import ResourceFailed
from localcloud.engine.intrinsics import Resolver
from localcloud.engine.operation import Operation, reason
from localcloud.engine.stack import Physical, ResourceState, now


class Update(Operation):
    """`previous` is what the stack was: body, template, raw parameters and their values, tags, role."""

    _rolls_back = False

    def run(self, previous: dict[str, Any]) -> None:
        stack = self.stack
        for state in stack.resources.values():
            state.before, state.touched, state.failed = state.current, False, False
            # What a failed update replaced, that was not rolled back, is there until an update succeeds.
            if previous["status"] != "UPDATE_FAILED":
                state.leftovers = []
        names_before = set(stack.resources)
        # An import that the new template no longer makes frees the export (User Guide, "Get exported outputs").
        imported = self.environment.registry.forget_imports(stack)
        try:
            resolver, wanted = self._converge(stack.cancel)
            outputs = self.environment.outputs(stack, resolver)
        except Exception as failure:
            told = self.first_cause(failure) if isinstance(failure, scheduler.Failures) else reason(failure)
            if stack.rolls_back:
                self.environment.registry.remember_imports(stack, imported)
                self._roll_back(previous, names_before, told)
            else:
                stack.set_status("UPDATE_FAILED", told)
            return
        stack.outputs, stack.updated = outputs, now()
        stack.set_status("UPDATE_COMPLETE" if stack.is_express else "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        self._clean_up(gone=set(stack.resources) - wanted)
        if not stack.is_express:
            stack.set_status("UPDATE_COMPLETE")

    def _converge(self, cancel: threading.Event) -> tuple[Resolver, set[str]]:
        """Create what is new and update what resolves differently; removals are left to the cleanup."""
        stack = self.stack
        resolver = self.environment.resolver(stack, stack.template, stack.parameters, stack.parameter_values)
        wanted = self.wanted(resolver, stack.template)
        graph = {n: d & wanted for n, d in ordering.dependencies(stack.template).items() if n in wanted}
        for name, needed in graph.items():
            self.state(name).depends_on = needed

        def action(name: str) -> None:
            if self.state(name).current is None:
                self.state(name).touched = True
                self.make(resolver, name)
            else:
                self._change(resolver, name)

        scheduler.run(graph, action, cancel)
        if cancel.is_set():
            raise ResourceFailed("Stack update cancelled")
        return resolver, wanted

    def _change(self, resolver: Resolver, name: str) -> None:
        """Update one resource if its properties or its type resolve to something else now."""
        state, kind = self.state(name), self.declared(name)["Type"]
        current = state.current
        assert current is not None
        properties = self.properties(resolver, name)
        if current.type != kind:
            raise ResourceFailed(f"Update of resource type is not permitted. The new template modifies {name}.")
        if properties == current.properties and not state.failed:
            self.remember(name, current, properties)
            return
        state.touched = True
        self.stack.resource_event(state, kind, "UPDATE_IN_PROGRESS")
        try:
            self._apply(state, kind, current, properties)
        except Exception as failure:
            state.failed = True
            if isinstance(failure, ResourceFailed) and failure.sent:
                self._take_over(state, failure.physical_id or current.id, properties)
            self.stack.resource_event(state, kind, "UPDATE_FAILED", reason(failure))
            raise
        state.failed = False
        self.stack.resource_event(state, kind, "UPDATE_COMPLETE")

    def _apply(self, state: ResourceState, kind: str, current: Physical, properties: dict[str, Any]) -> None:
        handler = self.environment.type_of(kind)
        handler.validate(properties)
        context = self.environment.context(self.stack, state, kind)
        if self.stack.policy and not self._rolls_back:
            self.stack.policy.check(state.name, kind)
        if not handler.is_custom and handler.needs_replacement(current.properties, properties):
            fixed = handler.name_property
            if fixed and fixed in properties and properties[fixed] == current.properties.get(fixed):
                raise ResourceFailed(
                    "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                    f"Rename {properties[fixed]} and update the stack again."
                )
            made = handler.create(context, properties)
        else:
            made = handler.update(context, current, properties)
        handler.read(context, made)
        made = self.remember(state.name, made, properties)
        if made.id != current.id:
            state.leftovers.append(current)
        state.current = made

    def _take_over(self, state: ResourceState, physical_id: str, properties: dict[str, Any]) -> None:
        """A failed Update of a custom resource: its properties and its id count, as CloudFormation remembers them."""
        assert state.current is not None
        old = state.current
        attributes = old.attributes if physical_id == old.id else {}
        state.current = self.remember(state.name, Physical(physical_id, properties, attributes, old.type), properties)

    def _roll_back(self, previous: dict[str, Any], names_before: set[str], told: str) -> None:
        stack = self.stack
        stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", told)
        stack.cancel = threading.Event()
        self._rolls_back = True
        stack.parameter_values = previous["parameter_values"]
        stack.body, stack.template, stack.parameters = previous["body"], previous["template"], previous["parameters"]
        stack.tags, stack.role_arn = previous["tags"], previous["role_arn"]
        added = set(stack.resources) - names_before
        for state in stack.resources.values():
            if state.touched and state.name not in added:
                self._restore(state)
        try:
            resolver, _ = self._converge(stack.cancel)
            stack.outputs = self.environment.outputs(stack, resolver)
        except Exception as failure:
            told = self.first_cause(failure) if isinstance(failure, scheduler.Failures) else reason(failure)
            stack.set_status("UPDATE_ROLLBACK_FAILED", told)
            return
        stack.set_status("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self._clean_up(gone=added)
        stack.set_status("UPDATE_ROLLBACK_COMPLETE")

    def _restore(self, state: ResourceState) -> None:
        """Before converging back: a replaced resource gets its former physical one again, the new one is left over.

        A custom resource that was replaced is restored like that with `rollback="delete"`; with `update` it stays as it
        is, and converging sends it an Update with the old properties. A failed one always gets that Update.
        """
        before, current = state.before, state.current
        if before is None or current is None or before is current:
            state.failed = state.failed and before is not None
            return
        custom = self.environment.type_of(current.type).is_custom
        if custom and (state.failed or before.id == current.id or self.environment.rollback == "update"):
            state.leftovers = [left for left in state.leftovers if left.id != before.id]
            return
        if before.id != current.id:
            state.current = before
            state.leftovers = [current]

    def _clean_up(self, gone: set[str]) -> None:
        """Delete what was replaced and what the template no longer has. Failures are told in events, no more."""
        stack = self.stack
        order = list(reversed(list(stack.resources)))
        for name in order:
            state = stack.resources[name]
            leftovers, state.leftovers = state.leftovers, []
            for physical in leftovers:
                if state.current is not None and physical.id == state.current.id:
                    continue
                try:
                    self.remove(state, physical, "UpdateReplacePolicy", current=False)
                except Exception:
                    continue
        try:
            self.remove_all({name for name in gone if name in stack.resources})
        except scheduler.Failures:
            for name in gone:
                stack.resources.pop(name, None)
