"""What a resource type is to the engine: how to make, change and delete one, and what it refuses to ignore."""

from __future__ import annotations

import secrets
import string
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from localcloud.engine.errors import ResourceFailed
from localcloud.engine.stack import Physical, ResourceState, Stack

if TYPE_CHECKING:
    from localcloud.engine.clients import Clients

_SUFFIX = string.ascii_uppercase + string.digits


def suffix(length: int = 12) -> str:
    return "".join(secrets.choice(_SUFFIX) for _ in range(length))


@dataclass
class Context:
    """The one resource an action is about, and the means to act for its stack.

    `declared` is the resource in the template now in force: its policies, unresolved. It is empty for one that is gone.
    """

    stack: Stack
    state: ResourceState
    kind: str
    declared: dict[str, Any]
    clients: Clients
    cancel: threading.Event

    def client(self, service: str) -> Any:
        """A boto3 client with the stack's own credentials: what they may not do, the stack may not do."""
        return self.clients.of(self.stack.operator, service, self.stack.region)

    def generated_name(self, longest: int = 64, lower: bool = False) -> str:
        """Stack name, logical id and a random suffix, as CloudFormation names things."""
        end = f"-{self.state.name}-{suffix()}"
        name = self.stack.name[: max(1, longest - len(end))] + end
        name = name if len(name) <= longest else f"{name[: longest - 13]}-{suffix()}"
        return name.lower() if lower else name

    def adopt(self, physical_id: str, properties: dict[str, Any]) -> None:
        """Note early that something exists, so that a failure later in its creation still has it deleted."""
        self.state.current = Physical(physical_id, properties, {}, self.kind)

    @property
    def tags(self) -> list[dict[str, str]]:
        own = {
            "aws:cloudformation:stack-name": self.stack.name,
            "aws:cloudformation:logical-id": self.state.name,
            "aws:cloudformation:stack-id": self.stack.id,
        }
        return [{"Key": key, "Value": value} for key, value in {**own, **self.stack.tags}.items()]


class ResourceType:
    """Base of every type. Property names are CloudFormation's; one that is not listed fails the resource."""

    name: ClassVar[str]
    properties: ClassVar[frozenset[str]] = frozenset()
    required: ClassVar[frozenset[str]] = frozenset()
    replaced_by: ClassVar[frozenset[str]] = frozenset()
    """Properties whose change makes another physical resource."""
    name_property: ClassVar[str | None] = None
    """The property that fixes the physical name: a replacement that keeps it is refused, as by CloudFormation."""
    identifier_property: ClassVar[str | None] = None
    """How an import names one that exists: the schema's primaryIdentifier. None: cannot be imported here."""
    is_custom: ClassVar[bool] = False

    def validate(self, properties: dict[str, Any]) -> None:
        unknown = sorted(set(properties) - self.properties)
        if unknown:
            raise ResourceFailed(f"Not covered locally: {self.name} with {', '.join(unknown)}")
        missing = sorted(self.required - set(properties))
        if missing:
            raise ResourceFailed(f"Properties validation failed: required key {missing} not found")

    def needs_replacement(self, old: dict[str, Any], new: dict[str, Any]) -> bool:
        return any(old.get(name) != new.get(name) for name in self.replaced_by)

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        raise NotImplementedError

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        """Change in place. Types without it must list every property as replacing."""
        raise ResourceFailed(f"Not covered locally: an update in place of {self.name}")

    def delete(self, context: Context, physical: Physical) -> None:
        raise NotImplementedError

    def existing(self, context: Context, identifier: str, properties: dict[str, Any]) -> Physical:
        """What an import takes over. A ClientError or ResourceFailed says that it is not there; nothing is changed."""
        raise NotImplementedError

    def read(self, context: Context, physical: Physical) -> None:
        """What CloudFormation looks up after it has made or changed the resource, as the stack: `handlers.read` of the
        type's schema. Nothing is done with the answer; it is the permission that counts."""

    def attribute(self, physical: Physical, name: str) -> Any:
        if name not in physical.attributes:
            raise ResourceFailed(f"Template error: resource type {self.name} has no attribute {name} here")
        return physical.attributes[name]


def text(value: Any) -> Any:
    """Scalars as CloudFormation hands them on: everything is a string."""
    if isinstance(value, dict):
        return {key: text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [text(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def boolean(value: Any) -> bool:
    """A boolean given natively or as text; anything else fails the resource."""
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise ResourceFailed(f"Properties validation failed: {value!r} is not a boolean")
