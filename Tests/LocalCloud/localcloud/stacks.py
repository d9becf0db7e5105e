"""Stacks for tests and demonstrations: start an operation, wait for its end, look at what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from localcloud.engine.stack import Stack
from localcloud.follower import follow

_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_POLL = 0.01


@dataclass
class StackResult:
    """A stack after an operation. `events` are oldest first, as DescribeStackEvents gives them."""

    name: str
    id: str
    status: str
    outputs: dict[str, str]
    events: list[dict[str, Any]]

    def reasons(self, status: str = "FAILED") -> list[str]:
        """Why resources or the stack came to a status that contains this text."""
        return [e.get("ResourceStatusReason", "") for e in self.events if status in e["ResourceStatus"]]

    def statuses(self, logical_id: str) -> list[str]:
        return [e["ResourceStatus"] for e in self.events if e["LogicalResourceId"] == logical_id]

    def physical_id(self, logical_id: str) -> str:
        """The resource's latest physical id that the events tell of."""
        ids = [e["PhysicalResourceId"] for e in self.events if e["LogicalResourceId"] == logical_id]
        return next((identifier for identifier in reversed(ids) if identifier), "")


class StackTimeout(Exception):
    """A stack's operation did not end in time."""


def _listed(values: dict[str, Any] | None) -> list[dict[str, Any]]:
    """None as a value means: the previous one."""
    return [
        {"ParameterKey": key, "UsePreviousValue": True}
        if value is None
        else {"ParameterKey": key, "ParameterValue": str(value)}
        for key, value in (values or {}).items()
    ]


class Stacks:
    """Works through the API with one client, as the AWS CLI does; only waiting is done without it.

    `find` gives the engine's own stack, whose changes can be waited for without asking again and again.
    """

    def __init__(self, client: Callable[[], Any], find: Callable[[str], Stack]):
        self._client = client
        self._find = find

    @staticmethod
    def _template(template: str | Path | None) -> dict[str, Any]:
        if template is None:
            return {"UsePreviousTemplate": True}
        if isinstance(template, Path) or template.endswith((".yml", ".yaml", ".json")):
            template = Path(template).read_text()
        return {"TemplateBody": template}

    def start_create(
        self, name: str, template: str | Path, parameters: dict[str, Any] | None = None, **more: Any
    ) -> str:
        """Returns the stack's id at once."""
        return self._client().create_stack(
            StackName=name,
            Parameters=_listed(parameters),
            Capabilities=_CAPABILITIES,
            **self._template(template),
            **more,
        )["StackId"]

    def create(
        self, name: str, template: str | Path, parameters: dict[str, Any] | None = None, wait: float = 120, **more: Any
    ) -> StackResult:
        """Create and wait. `template` is a path or a body; `more` goes to CreateStack."""
        return self.wait(self.start_create(name, template, parameters, **more), wait)

    def start_update(
        self, name: str, template: str | Path | None = None, parameters: dict[str, Any] | None = None, **more: Any
    ) -> str:
        """Parameters that are not given keep their previous values, as far as the new template still has them."""
        values = self._previous(name, template) | (parameters or {})
        return self._client().update_stack(
            StackName=name, Parameters=_listed(values), Capabilities=_CAPABILITIES, **self._template(template), **more
        )["StackId"]

    def _previous(self, name: str, template: str | Path | None) -> dict[str, Any]:
        known = self._client().describe_stacks(StackName=name)["Stacks"][0].get("Parameters", [])
        keys = {parameter["ParameterKey"] for parameter in known}
        if template is not None:
            summary = self._client().get_template_summary(**self._template(template))
            keys &= {parameter["ParameterKey"] for parameter in summary["Parameters"]}
        return dict.fromkeys(sorted(keys))

    def update(
        self,
        name: str,
        template: str | Path | None = None,
        parameters: dict[str, Any] | None = None,
        wait: float = 120,
        **more: Any,
    ) -> StackResult:
        """Update and wait; without a template the previous one is used."""
        return self.wait(self.start_update(name, template, parameters, **more), wait)

    def start_delete(self, name: str, **more: Any) -> str:
        identifier = self._client().describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        self._client().delete_stack(StackName=name, **more)
        return identifier

    def delete(self, name: str, wait: float = 120, **more: Any) -> StackResult:
        return self.wait(self.start_delete(name, **more), wait)

    def wait(self, name: str, seconds: float = 120) -> StackResult:
        """Return once no operation is in progress."""
        stack = self._find(name)
        with stack.changed:
            if not stack.changed.wait_for(lambda: not stack.in_progress, seconds):
                raise StackTimeout(f"{name} is still {stack.status}: {stack.events[-3:]}")
        return self.describe(stack.id)

    def wait_for(self, name: str, reached: Callable[[], bool], seconds: float = 30) -> None:
        """Return once `reached` holds; it is asked after each of the stack's events, and every few milliseconds."""
        stack = self._find(name)
        limit = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > limit:
                raise StackTimeout(f"{name} never got there: {stack.events[-3:]}")
            with stack.changed:
                stack.changed.wait(_POLL)

    def status(self, name: str) -> str:
        return self._client().describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]

    def exists(self, name: str) -> bool:
        try:
            return self.status(name) != "DELETE_COMPLETE"
        except ClientError:
            return False

    def describe(self, name: str) -> StackResult:
        stack = self._client().describe_stacks(StackName=name)["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        return StackResult(stack["StackName"], stack["StackId"], stack["StackStatus"], outputs, self.events(name))

    def events(self, name: str) -> list[dict[str, Any]]:
        pages = self._client().get_paginator("describe_stack_events").paginate(StackName=name)
        return [event for page in pages for event in page["StackEvents"]][::-1]

    def follow(self, name: str, seconds: float = 600) -> Iterator[dict[str, Any]]:
        """The stack's events as they come, see `follower.follow`."""
        return follow(self._client(), name, seconds, pause=0.05)
