"""All stacks of all accounts and regions, and the values they export."""

from __future__ import annotations

import uuid
from typing import Any

from localcloud.engine.errors import ValidationError
from localcloud.engine.stack import Stack

_current: Registry | None = None


def stack_id_of(name: str, region: str, account: str) -> str:
    """The ARN of the stack so named, for policies: with `*` in place of the id when there is no such stack."""
    if name.startswith("arn:"):
        return name
    stack = _current.find(account, region, name) if _current else None
    return stack.id if stack else f"arn:aws:cloudformation:{region}:{account}:stack/{name}/*"


def template_of(name: str, region: str, account: str) -> dict[str, Any]:
    """The template of the stack so named, for what CloudFormation asks of its caller; empty when there is none."""
    stack = _current.find(account, region, name) if _current else None
    return stack.template if stack else {}


class Registry:
    """Living stacks are found by name or id, deleted ones by id only."""

    def __init__(self) -> None:
        global _current
        _current = self
        self.stacks: list[Stack] = []
        self._exports: dict[tuple[str, str], dict[str, tuple[str, Stack]]] = {}
        self._imports: dict[tuple[str, str], dict[str, set[str]]] = {}

    @staticmethod
    def new_id(name: str, region: str, account: str) -> str:
        return f"arn:aws:cloudformation:{region}:{account}:stack/{name}/{uuid.uuid4()}"

    def of(self, account: str, region: str) -> list[Stack]:
        return [s for s in self.stacks if s.account == account and s.region == region]

    def find(self, account: str, region: str, name: str) -> Stack | None:
        for stack in reversed(self.of(account, region)):
            if stack.id == name or (stack.name == name and stack.status != "DELETE_COMPLETE"):
                return stack
        return None

    def get(self, account: str, region: str, name: str) -> Stack:
        stack = self.find(account, region, name)
        if stack is None:
            raise ValidationError(f"Stack with id {name} does not exist")
        return stack

    def export(self, stack: Stack, values: dict[str, str]) -> None:
        """Replace the stack's exports. A name taken by another stack, or a value that is in use, is refused."""
        exports = self._exports.setdefault((stack.account, stack.region), {})
        for name, value in values.items():
            if name in exports and exports[name][1] is not stack:
                raise ValidationError(f"Export with name {name} is already exported by stack {exports[name][1].name}")
            if name in exports and exports[name][0] != value:
                self._refuse_change(stack, name)
        for name in [n for n, (_, owner) in exports.items() if owner is stack and n not in values]:
            self._refuse_change(stack, name)
            del exports[name]
        exports.update({name: (value, stack) for name, value in values.items()})

    def _refuse_change(self, stack: Stack, name: str) -> None:
        users = self.importers(stack.account, stack.region, name)
        if users:
            raise ValidationError(f"Export {name} cannot be updated as it is in use by {', '.join(sorted(users))}")

    def exports(self, account: str, region: str) -> dict[str, tuple[str, Stack]]:
        return self._exports.get((account, region), {})

    def imported(self, stack: Stack, name: str) -> str:
        exports = self.exports(stack.account, stack.region)
        if name not in exports:
            raise ValidationError(f"No export named {name} found.")
        self._imports.setdefault((stack.account, stack.region), {}).setdefault(name, set()).add(stack.id)
        return exports[name][0]

    def forget_imports(self, stack: Stack) -> set[str]:
        """What a stack imports is found again when its template is evaluated. Returns what it was until now."""
        imports = self._imports.get((stack.account, stack.region), {})
        return {name for name, ids in imports.items() if stack.id in ids and not ids.discard(stack.id)}

    def remember_imports(self, stack: Stack, names: set[str]) -> None:
        imports = self._imports.setdefault((stack.account, stack.region), {})
        for name in names:
            imports.setdefault(name, set()).add(stack.id)

    def importers(self, account: str, region: str, name: str) -> set[str]:
        """Names of the living stacks that import an export."""
        ids = self._imports.get((account, region), {}).get(name, set())
        return {s.name for s in self.of(account, region) if s.id in ids and s.status != "DELETE_COMPLETE"}

    def refuse_deletion_in_use(self, stack: Stack) -> None:
        for name, (_, owner) in self.exports(stack.account, stack.region).items():
            if owner is stack:
                users = self.importers(stack.account, stack.region, name) - {stack.name}
                if users:
                    raise ValidationError(
                        f"Export {name} cannot be deleted as it is in use by {', '.join(sorted(users))}"
                    )

    def forget_exports(self, stack: Stack) -> None:
        exports = self._exports.get((stack.account, stack.region), {})
        for name in [n for n, (_, owner) in exports.items() if owner is stack]:
            del exports[name]
