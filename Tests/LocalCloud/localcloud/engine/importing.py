"""Resource import: a stack takes over what exists already.

What is refused here follows the User Guide, "Import AWS resources into a CloudFormation stack" (resource-import.html):
each resource to import has a DeletionPolicy, exists, belongs to no other stack, and nothing else of the stack changes.
Properties are not compared with what exists. Outputs and their refusal: awslabs/aws-security-assessment-solution#6.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from localcloud.engine import causes, ordering, scheduler
from localcloud.engine.environment import Environment
from localcloud.engine.errors import ResourceFailed, ValidationError
from localcloud.engine.intrinsics import Resolver
from localcloud.engine.operation import Operation, reason
from localcloud.engine.stack import Physical, ResourceState, Stack, now


@dataclass(frozen=True)
class Identified:
    """One of ResourcesToImport: which resource of the template is which that exists."""

    kind: str
    properties: dict[str, str]

    @property
    def identifier(self) -> str:
        return next(iter(self.properties.values()))


def requested(
    environment: Environment, template: dict[str, Any], listed: list[dict[str, Any]]
) -> dict[str, Identified]:
    """ResourcesToImport by logical id. What can be refused without looking at the stack is refused."""
    if not listed:
        raise ValidationError("ResourcesToImport must be specified for a change set of type IMPORT")
    found: dict[str, Identified] = {}
    for entry in listed:
        name, kind = entry["LogicalResourceId"], entry["ResourceType"]
        declared = template["Resources"].get(name)
        if declared is None or declared["Type"] != kind:
            raise ValidationError(f"Resources [{name}] of type {kind} to import are not in the template")
        key = environment.type_of(kind).identifier_property
        if key is None:
            raise ValidationError(f"Not covered locally: ResourceTypes [{kind}] are not supported for Import")
        if list(entry["ResourceIdentifier"]) != [key]:
            raise ValidationError(f"Resource [{name}] of type {kind} is identified by [{key}]")
        if "DeletionPolicy" not in declared:
            raise ValidationError(
                f"The following resources to import [{name}] must have DeletionPolicy attribute specified in the "
                "template."
            )
        found[name] = Identified(kind, entry["ResourceIdentifier"])
    return found


def changes_of(
    environment: Environment, stack: Stack, template: dict[str, Any], raw: dict[str, str], wanted: dict[str, Identified]
) -> list[dict[str, Any]]:
    """The change set's changes, all of them imports. Whatever else would change is refused."""
    if (template.get("Outputs") or {}) != (stack.template.get("Outputs") or {}):
        raise ValidationError("As part of the import operation, you cannot modify or add [Outputs]")
    held = [name for name in wanted if name in stack.resources and stack.resources[name].current]
    if held:
        raise ValidationError(
            f"Resources {held} passed in ResourceToImport are already in a stack and cannot be imported."
        )
    _refuse_owned(environment, stack, wanted)
    changes = []
    for change in causes.compare(environment, stack, template, raw):
        told = change["ResourceChange"]
        name = told["LogicalResourceId"]
        if told["Action"] != "Add" or name not in wanted:
            raise ValidationError(
                f"You have modified resources [{name}] in your template that are not being imported. Update, create or "
                "delete operations cannot be executed during import operations."
            )
        changes.append(
            {**change, "ResourceChange": {**told, "Action": "Import", "PhysicalResourceId": wanted[name].identifier}}
        )
    missing = set(wanted) - {change["ResourceChange"]["LogicalResourceId"] for change in changes}
    if missing:
        raise ValidationError(f"Resources {sorted(missing)} to import have a condition that is false")
    return changes


def _refuse_owned(environment: Environment, stack: Stack, wanted: dict[str, Identified]) -> None:
    for other in environment.registry.of(stack.account, stack.region):
        for state in list(other.resources.values()):
            for one in wanted.values():
                if state.current and (state.current.type, state.current.id) == (one.kind, one.identifier):
                    raise ValidationError(
                        f"{one.identifier} already exists in stack {other.id}: a resource belongs to one stack only"
                    )


class Import(Operation):
    """Takes the resources over and leaves them as they are. On a failure the stack is what it was before."""

    def run(self, wanted: dict[str, Identified], previous: dict[str, Any]) -> None:
        stack = self.stack
        before = set(stack.resources)
        try:
            resolver = self.environment.resolver(stack, stack.template, stack.parameters, stack.parameter_values)
            names = self.wanted(resolver, stack.template)
            graph = {n: d & names for n, d in ordering.dependencies(stack.template).items() if n in names}
            for name, needed in graph.items():
                self.state(name).depends_on = needed
            new = {name: needed & set(wanted) for name, needed in graph.items() if name in wanted}
            scheduler.run(new, lambda name: self._take(resolver, name, wanted[name]), stack.cancel)
        except Exception as failure:
            told = self.first_cause(failure) if isinstance(failure, scheduler.Failures) else reason(failure)
            self._roll_back(previous, before, told)
            return
        stack.updated = now()
        stack.set_status("IMPORT_COMPLETE")

    def _take(self, resolver: Resolver, name: str, one: Identified) -> None:
        state = self.state(name)
        self.stack.resource_event(state, one.kind, "IMPORT_IN_PROGRESS", "Resource import started.")
        try:
            state.current = self._existing(resolver, state, one)
        except Exception as failure:
            self.stack.resource_event(state, one.kind, "IMPORT_FAILED", reason(failure))
            raise
        self.stack.resource_event(state, one.kind, "IMPORT_COMPLETE", "Resource import completed.")

    def _existing(self, resolver: Resolver, state: ResourceState, one: Identified) -> Physical:
        handler = self.environment.type_of(one.kind)
        properties = state.asked = self.properties(resolver, state.name)
        handler.validate(properties)
        for key, value in one.properties.items():
            if key in properties and properties[key] != value:
                raise ResourceFailed(f"The identifier [{key}] is {value}, and the template says {properties[key]}")
        context = self.environment.context(self.stack, state, one.kind)
        try:
            physical = handler.existing(context, one.identifier, properties)
        except ClientError as error:
            raise ResourceFailed(f"Resource of type '{one.kind}' with identifier '{one.identifier}': {error}") from None
        return self.remember(state.name, physical, properties)

    def _roll_back(self, previous: dict[str, Any], before: set[str], told: str) -> None:
        stack = self.stack
        stack.set_status("IMPORT_ROLLBACK_IN_PROGRESS", told)
        stack.cancel = threading.Event()
        for name in [name for name in stack.resources if name not in before]:
            state = stack.resources[name]
            state.current = None
            stack.resource_event(state, stack.template["Resources"][name]["Type"], "IMPORT_ROLLBACK_COMPLETE")
            del stack.resources[name]
        stack.parameter_values = previous["parameter_values"]
        stack.body, stack.template, stack.parameters = previous["body"], previous["template"], previous["parameters"]
        stack.tags, stack.role_arn = previous["tags"], previous["role_arn"]
        stack.set_status("IMPORT_ROLLBACK_COMPLETE")
