"""A stack's events as lines of text, as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any


def line(event: dict[str, Any]) -> str:
    """One event: time, logical id, status, and why."""
    reason = event.get("ResourceStatusReason")
    text = f"{event['Timestamp']:%H:%M:%S}  {event['LogicalResourceId']:<28} {event['ResourceStatus']:<44}"
    return f"{text} {reason}" if reason else text.rstrip()


def follow(client: Any, name: str, seconds: float = 3600, pause: float = 0.1) -> Iterator[dict[str, Any]]:
    """Yield the stack's events, oldest first, until no operation is in progress. `client` is CloudFormation's."""
    seen: set[str] = set()
    limit = time.monotonic() + seconds
    identifier = name
    while time.monotonic() < limit:
        stack = client.describe_stacks(StackName=identifier)["Stacks"][0]
        # By id, so that a stack is still found once it has been deleted.
        identifier = stack["StackId"]
        events = client.describe_stack_events(StackName=identifier)["StackEvents"]
        for event in reversed(events):
            if event["EventId"] not in seen:
                seen.add(event["EventId"])
                yield event
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return
        time.sleep(pause)
    raise TimeoutError(f"{name} is still in progress")
