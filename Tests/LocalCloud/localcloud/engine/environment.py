"""What all stacks share: resource types, clients, exports, other services that the engine needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from localcloud.engine.clients import Clients
from localcloud.engine.errors import ResourceFailed, ValidationError
from localcloud.engine.intrinsics import Resolver, Scope
from localcloud.engine.parameters import resolved
from localcloud.engine.registry import Registry
from localcloud.engine.resource_type import Context, ResourceType
from localcloud.engine.signals import Signals
from localcloud.engine.stack import ResourceState, Stack

ROLLBACKS = ("update", "delete")


@dataclass
class Environment:
    """`rollback` says what a custom resource that was replaced gets when a later resource fails: `update`, an Update
    with the properties swapped back and then the Delete of the new id; `delete`, only that Delete. Which of the two
    AWS sends is not known, so a provider must bear both. `minute` is the length of a template's minute in seconds."""

    registry: Registry
    clients: Clients
    types: dict[str, ResourceType]
    custom: ResourceType
    signals: Signals
    rollback: str = "update"
    minute: float = 10.0
    on_stack_event: Callable[[Stack], None] = field(default=lambda _stack: None)

    def type_of(self, kind: str) -> ResourceType:
        if kind.startswith("Custom::") or kind == self.custom.name:
            return self.custom
        if kind not in self.types:
            raise ResourceFailed(f"Not covered locally: resource type {kind}")
        return self.types[kind]

    def context(self, stack: Stack, state: ResourceState, kind: str) -> Context:
        declared = stack.template["Resources"].get(state.name, {})
        return Context(stack, state, kind, declared, self.clients, stack.cancel)

    def from_store(self, stack: Stack, name: str) -> str:
        client = self.clients.of(stack.operator, "ssm", stack.region)
        try:
            found = client.get_parameters(Names=[name])["Parameters"]
        except client.exceptions.ClientError as error:
            raise ValidationError(f"Unable to fetch parameters [{name}] from parameter store: {error}") from None
        if not found:
            raise ValidationError(f"Unable to fetch parameters [{name}] from parameter store for this account.")
        return found[0]["Value"]

    def parameter_values(self, stack: Stack, template: dict[str, Any], raw: dict[str, str]) -> dict[str, Any]:
        return resolved(template, raw, lambda name: self.from_store(stack, name))

    def resolver(
        self, stack: Stack, template: dict[str, Any], raw: dict[str, str], values: dict[str, Any] | None = None
    ) -> Resolver:
        """Evaluates the template against the stack's resources as they are at the moment of asking. `values` are the
        parameters' as an operation read them at its beginning: it goes on, and back, with those."""

        def present(name: str) -> ResourceState:
            state = stack.resources.get(name)
            if state is None or state.current is None:
                raise ValidationError(f"Template error: resource {name} does not exist (its condition is false?)")
            return state

        def attribute(name: str, attribute_name: str) -> Any:
            physical = present(name).current
            assert physical is not None
            return self.type_of(template["Resources"][name]["Type"]).attribute(physical, attribute_name)

        pseudo = {
            "AWS::AccountId": stack.account,
            "AWS::NotificationARNs": [],
            "AWS::Partition": "aws",
            "AWS::Region": stack.region,
            "AWS::StackId": stack.id,
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        if values is None:
            values = self.parameter_values(stack, template, raw)
        return Resolver(
            Scope(
                template,
                values,
                pseudo,
                lambda name: present(name).current.id,  # type: ignore[union-attr]
                attribute,
                lambda name: self.registry.imported(stack, name),
            )
        )

    def outputs(self, stack: Stack, resolver: Resolver) -> list[dict[str, str]]:
        """The stack's outputs; exports are checked and noted."""
        found, exports = [], {}
        for key, declared in (stack.template.get("Outputs") or {}).items():
            if "Condition" in declared and not resolver.condition(declared["Condition"]):
                continue
            value = resolver.value(declared["Value"])
            if not isinstance(value, str):
                raise ValidationError(f"Template format error: Output {key} is malformed. The Value must be a string.")
            output = {"OutputKey": key, "OutputValue": value}
            if "Description" in declared:
                output["Description"] = declared["Description"]
            if "Export" in declared:
                output["ExportName"] = resolver.value(declared["Export"]["Name"])
                exports[output["ExportName"]] = value
            found.append(output)
        self.registry.export(stack, exports)
        return found
