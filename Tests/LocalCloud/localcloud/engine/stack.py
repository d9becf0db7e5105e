"""A stack as data: its template, parameters, resources, events."""

from __future__ import annotations

import datetime
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from localcloud.authz.principals import Credentials
from localcloud.engine.stack_policy import StackPolicy

ENDED = ("_COMPLETE", "_FAILED")


@dataclass
class Physical:
    """Something that exists: its physical id, attributes, and the resolved properties it was last given."""

    id: str
    properties: dict[str, Any]
    attributes: dict[str, Any] = field(default_factory=dict)
    type: str = ""
    policies: dict[str, str] = field(default_factory=dict)
    """DeletionPolicy and UpdateReplacePolicy, as in the template that it was last given."""


@dataclass
class ResourceState:
    """One logical id. `before` is what a rollback restores, `leftovers` what the cleanup deletes,
    `asked` the resolved properties of its creation."""

    name: str
    current: Physical | None = None
    before: Physical | None = None
    touched: bool = False
    failed: bool = False
    leftovers: list[Physical] = field(default_factory=list)
    depends_on: set[str] = field(default_factory=set)
    asked: dict[str, Any] | None = None
    status: str = ""
    reason: str = ""
    changed_at: datetime.datetime | None = None


@dataclass
class StackEvent:
    """One line of DescribeStackEvents."""

    stack_id: str
    stack_name: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str | None
    at: datetime.datetime
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


IN_REVIEW = "REVIEW_IN_PROGRESS"


@dataclass
class Stack:
    """`parameters` holds the raw texts. `operator` is whose credentials resources are made with."""

    name: str
    account: str
    region: str
    id: str
    body: str
    template: dict[str, Any]
    parameters: dict[str, str]
    operator: Credentials
    role_arn: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    capabilities: list[str] = field(default_factory=list)
    notification_arns: list[str] = field(default_factory=list)
    policy: StackPolicy | None = None
    parameter_values: dict[str, Any] = field(default_factory=dict)
    """What the parameters stood for at the last operation: of those that name an SSM parameter, its value."""
    on_failure: str = "ROLLBACK"
    deployment: dict[str, Any] | None = None
    """DeploymentConfig of the last operation, as it was given."""
    timeout_minutes: int | None = None
    protected: bool = False
    status: str = ""
    reason: str | None = None
    created: datetime.datetime = field(default_factory=now)
    updated: datetime.datetime | None = None
    deleted: datetime.datetime | None = None
    resources: dict[str, ResourceState] = field(default_factory=dict)
    events: list[StackEvent] = field(default_factory=list)
    outputs: list[dict[str, str]] = field(default_factory=list)
    cancel: threading.Event = field(default_factory=threading.Event)
    worker: threading.Thread | None = None
    delete_requested: bool = False
    operations: int = 0
    """Creations and updates begun: a change set that was made before the last of them is obsolete."""
    changed: threading.Condition = field(default_factory=threading.Condition, repr=False)

    @property
    def is_express(self) -> bool:
        """Resources count as done when they are configured: nothing waits for servers, nor for the clean-up."""
        return (self.deployment or {}).get("Mode") == "EXPRESS"

    @property
    def rolls_back(self) -> bool:
        """In express mode only when it is asked for."""
        return not (self.deployment or {}).get("DisableRollback", self.is_express)

    def set_status(self, status: str, reason: str | None = None) -> None:
        with self.changed:
            self.status, self.reason = status, reason
            self._event(self.name, self.id, "AWS::CloudFormation::Stack", status, reason)
            self.changed.notify_all()

    def resource_event(self, state: ResourceState, kind: str, status: str, reason: str | None = None) -> None:
        with self.changed:
            state.status, state.reason, state.changed_at = status, reason or "", now()
            physical = state.current.id if state.current else ""
            self._event(state.name, physical, kind, status, reason)
            self.changed.notify_all()

    def physical_event(self, name: str, physical: Physical, status: str, reason: str | None = None) -> None:
        """An event about something that is no longer the resource's current physical id."""
        with self.changed:
            self._event(name, physical.id, physical.type, status, reason)
            self.changed.notify_all()

    def _event(self, name: str, physical_id: str, kind: str, status: str, reason: str | None) -> None:
        self.events.append(StackEvent(self.id, self.name, name, physical_id, kind, status, reason, now()))

    @property
    def in_progress(self) -> bool:
        """Whether an operation runs. A stack in review is only there to have change sets."""
        return self.status.endswith("_IN_PROGRESS") and self.status != IN_REVIEW
