"""The steps that creating, updating and deleting a stack have in common."""

from __future__ import annotations

import threading
from typing import Any

from localcloud.engine import ordering, scheduler
from localcloud.engine.custom_resource import CustomResource
from localcloud.engine.environment import Environment
from localcloud.engine.errors import Cancelled, ResourceFailed
from localcloud.engine.intrinsics import Resolver
from localcloud.engine.signals import seconds
from localcloud.engine.stack import Physical, ResourceState, Stack

_KEPT = "Retain"


def reason(failure: BaseException) -> str:
    return str(failure) or type(failure).__name__


class Operation:
    """One run over one stack."""

    def __init__(self, environment: Environment, stack: Stack):
        self.environment = environment
        self.stack = stack

    def declared(self, name: str) -> dict[str, Any]:
        return self.stack.template["Resources"][name]

    def state(self, name: str) -> ResourceState:
        return self.stack.resources.setdefault(name, ResourceState(name))

    def wanted(self, resolver: Resolver, template: dict[str, Any]) -> set[str]:
        """Resources whose condition holds."""
        return {
            name
            for name, resource in template["Resources"].items()
            if "Condition" not in resource or resolver.condition(resource["Condition"])
        }

    def properties(self, resolver: Resolver, name: str) -> dict[str, Any]:
        value = resolver.value(self.declared(name).get("Properties") or {})
        if not isinstance(value, dict):
            raise ResourceFailed("Properties must be an object")
        return value

    def make(self, resolver: Resolver, name: str) -> None:
        """Create one resource, and wait for the signals that its CreationPolicy asks for."""
        state, kind = self.state(name), self.declared(name)["Type"]
        self.stack.resource_event(state, kind, "CREATE_IN_PROGRESS")
        try:
            state.current = self._create_one(resolver, state, kind)
            self._await_creation_signals(name)
        except Exception as failure:
            self._note_failed_creation(state, kind, failure)
            self.stack.resource_event(state, kind, "CREATE_FAILED", reason(failure))
            raise
        self.stack.resource_event(state, kind, "CREATE_COMPLETE")

    def _create_one(self, resolver: Resolver, state: ResourceState, kind: str) -> Physical:
        handler = self.environment.type_of(kind)
        properties = state.asked = self.properties(resolver, state.name)
        handler.validate(properties)
        if "CreationPolicy" in self.declared(state.name):
            self.environment.signals.begin(self.stack.id, state.name)
        context = self.environment.context(self.stack, state, kind)
        physical = handler.create(context, properties)
        handler.read(context, physical)
        return self.remember(state.name, physical, properties)

    def remember(self, name: str, physical: Physical, properties: dict[str, Any]) -> Physical:
        physical.properties, physical.type = properties, self.declared(name)["Type"]
        physical.policies = {
            policy: self.declared(name).get(policy, "Delete") for policy in ("DeletionPolicy", "UpdateReplacePolicy")
        }
        return physical

    def _note_failed_creation(self, state: ResourceState, kind: str, failure: Exception) -> None:
        """A custom resource that failed may exist all the same: rollback deletes it by its id, or by one made up."""
        if state.current is not None or not kind.startswith(("Custom::", CustomResource.name)):
            return
        if not isinstance(failure, ResourceFailed) or not failure.sent:
            return
        context = self.environment.context(self.stack, state, kind)
        identifier = failure.physical_id or CustomResource.invented_id(context)
        state.current = self.remember(state.name, Physical(identifier, {}, {}, kind), state.asked or {})

    def _await_creation_signals(self, name: str) -> None:
        policy = (self.declared(name).get("CreationPolicy") or {}).get("ResourceSignal")
        if policy is None or self.stack.is_express:
            return
        count = int(policy.get("Count", 1))
        limit = seconds(policy.get("Timeout", "PT5M"), self.environment.minute)
        self.environment.signals.wait(self.stack.id, name, count, limit, self.stack.cancel)

    def remove(self, state: ResourceState, physical: Physical, policy: str, current: bool) -> None:
        """Delete one physical resource, unless its policy retains it."""
        stack = self.stack
        if physical.policies.get(policy) == _KEPT:
            stack.physical_event(state.name, physical, "DELETE_SKIPPED")
        else:
            stack.physical_event(state.name, physical, "DELETE_IN_PROGRESS")
            try:
                handler = self.environment.type_of(physical.type)
                handler.delete(self.environment.context(stack, state, physical.type), physical)
            except Exception as failure:
                state.status, state.reason = "DELETE_FAILED", reason(failure)
                stack.physical_event(state.name, physical, "DELETE_FAILED", reason(failure))
                raise
            stack.physical_event(state.name, physical, "DELETE_COMPLETE")
        if current:
            state.current, state.status = None, "DELETE_COMPLETE"

    def remove_all(self, names: set[str], policy: str = "DeletionPolicy") -> None:
        """Delete the current physical resources of these names, dependents first. Raises Failures at the end."""
        graph = {name: self.stack.resources[name].depends_on & names for name in names}

        def action(name: str) -> None:
            state = self.stack.resources[name]
            if state.current is not None:
                self.remove(state, state.current, policy, current=True)
            del self.stack.resources[name]

        scheduler.run(ordering.reversed_graph(graph), action, threading.Event(), keep_going=True)

    @staticmethod
    def first_cause(failures: scheduler.Failures) -> str:
        """What the user is told: the resources that failed, not those cancelled for it."""
        failed = [name for name, error in failures.by_name.items() if not isinstance(error, Cancelled)]
        return f"The following resource(s) failed: [{', '.join(failed or failures.by_name)}]."
