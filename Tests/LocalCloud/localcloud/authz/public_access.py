"""S3's public access block, and what it calls a public policy."""

from __future__ import annotations

from typing import Any

from localcloud.authz.documents import statements

# A condition on one of these, with fixed values, makes a statement for `*` non-public. Others count as public.
_NARROWING = {"aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:sourceaccount", "aws:sourcearn"}
_NARROWING_OPERATORS = {"StringEquals", "StringLike", "ArnEquals", "ArnLike"}


def _is_narrowed(statement: dict[str, Any]) -> bool:
    for operator, pairs in (statement.get("Condition") or {}).items():
        for key, wanted in pairs.items():
            values = wanted if isinstance(wanted, list) else [wanted]
            if operator in _NARROWING_OPERATORS and key.lower() in _NARROWING and all(str(v) != "*" for v in values):
                return True
    return False


def is_public(document: str) -> bool:
    """True when some Allow is for everyone and no condition narrows it."""
    for statement in statements(document):
        named = statement.get("Principal")
        everyone = named == "*" or (isinstance(named, dict) and "*" in _listed(named.get("AWS", [])))
        if statement["Effect"] == "Allow" and everyone and not _is_narrowed(statement):
            return True
    return False


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
