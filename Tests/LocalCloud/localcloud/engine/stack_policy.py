"""Stack policies: which resources an update may touch. Without one, all; with one, only what it allows."""

from __future__ import annotations

import fnmatch
import json
from typing import Any

from localcloud.engine.errors import ResourceFailed, ValidationError


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class StackPolicy:
    """`body` is its JSON. Actions are judged as Update:Modify; conditions other than ResourceType are not covered."""

    def __init__(self, body: str):
        self.body = body
        try:
            self._statements = _listed(json.loads(body)["Statement"])
        except (ValueError, KeyError, TypeError):
            raise ValidationError("Error validating stack policy: Invalid stack policy") from None

    def check(self, name: str, kind: str) -> None:
        """ResourceFailed when an update may not modify the resource, as CloudFormation words it."""
        allowed = False
        for number, statement in enumerate(self._statements, 1):
            if not self._matches(statement, name, kind):
                continue
            if statement["Effect"] == "Deny":
                raise ResourceFailed(
                    f"Action denied by stack policy: Statement [#{number}] does not allow [Update:*] for resource "
                    f"[LogicalResourceId/{name}];"
                )
            allowed = True
        if not allowed:
            raise ResourceFailed(
                f"Action not allowed by stack policy: no statement allows [Update:*] for resource "
                f"[LogicalResourceId/{name}];"
            )

    @staticmethod
    def _matches(statement: dict[str, Any], name: str, kind: str) -> bool:
        actions = [str(action).lower() for action in _listed(statement.get("Action", []))]
        resources = _listed(statement.get("Resource", "*"))
        if not any(action in ("update:*", "update:modify") for action in actions):
            return False
        if not any(fnmatch.fnmatchcase(f"LogicalResourceId/{name}", pattern) for pattern in resources):
            return False
        wanted = statement.get("Condition", {}).get("StringEquals", {}).get("ResourceType")
        return wanted is None or kind in _listed(wanted)
