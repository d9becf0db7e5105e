"""EventBridge's matching of events, as far as our patterns use it.

Source: EventBridge User Guide, "Creating event patterns" and "Comparison operators". An operator that is not here is an
error, so that no pattern passes by luck."""

from __future__ import annotations

import re
from typing import Any

_MISSING = object()


def matches(pattern: dict[str, Any], event: Any) -> bool:
    """Whether a rule with this pattern is given the event."""
    for key, wanted in pattern.items():
        if key == "$or":
            if not any(matches(branch, event) for branch in wanted):
                return False
            continue
        found = event.get(key, _MISSING) if isinstance(event, dict) else _MISSING
        if isinstance(wanted, dict):
            # Below a member that is missing everything is missing: only `exists: false` matches there.
            if not matches(wanted, found):
                return False
        elif not _any(wanted, found):
            return False
    return True


def _any(wanted: list[Any], found: Any) -> bool:
    values = found if isinstance(found, list) else [found]
    return any(_one(condition, value) for condition in wanted for value in values)


def _one(condition: Any, value: Any) -> bool:
    if not isinstance(condition, dict):
        return value is not _MISSING and value == condition
    [(operator, operand)] = condition.items()
    if operator == "exists":
        # Leaves only: an object does not exist as a value.
        return operand == (value is not _MISSING and not isinstance(value, dict))
    if value is _MISSING or not isinstance(value, str):
        return False
    if operator == "wildcard":
        return _wildcard(operand, value)
    if operator == "anything-but":
        return not _excluded(operand, value)
    raise NotImplementedError(operator)


def _excluded(operand: Any, value: str) -> bool:
    if isinstance(operand, dict):
        [(operator, words)] = operand.items()
        if operator != "wildcard":
            raise NotImplementedError(operator)
        return any(_wildcard(word, value) for word in (words if isinstance(words, list) else [words]))
    return value in (operand if isinstance(operand, list) else [operand])


def _wildcard(word: str, value: str) -> bool:
    if "**" in word:
        raise ValueError(f"EventBridge refuses two wildcards side by side: {word}")
    return re.fullmatch(".*".join(map(re.escape, word.split("*"))), value, re.DOTALL) is not None
