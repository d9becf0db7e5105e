"""Policy documents: statements, what they match, and who they are about."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from localcloud.authz.conditions import Context, hold
from localcloud.authz.principals import Principal
from localcloud.authz.wildcards import expand, matches, without_variables
from localcloud.errors import NotCoveredLocally

VERSION, OLD_VERSION = "2012-10-17", "2008-10-17"
_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal"}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@dataclass(frozen=True)
class Request:
    """What is asked: an action on a resource by a principal, with the condition keys in lower case."""

    principal: Principal
    action: str
    resource: str
    context: Context


def _literal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_literal(item) for item in value]
    return without_variables(value) if isinstance(value, str) else value


@lru_cache(maxsize=512)
def statements(document: str) -> tuple[dict[str, Any], ...]:
    """The statements of a policy document; an element that is not understood is an error. A document without Version
    is one of 2008-10-17, whose variables are literal text (IAM User Guide, "JSON policy elements: Version")."""
    parsed = json.loads(document)
    found = _listed(parsed["Statement"])
    version = parsed.get("Version", OLD_VERSION)
    if version not in (OLD_VERSION, VERSION):
        raise NotCoveredLocally(f"policy version {version!r}")
    if version == OLD_VERSION:
        found = _literal(found)
    for statement in found:
        unknown = set(statement) - _ELEMENTS
        if unknown:
            raise NotCoveredLocally(f"policy element {', '.join(sorted(unknown))}")
        if statement.get("Effect") not in ("Allow", "Deny"):
            raise NotCoveredLocally(f"policy effect {statement.get('Effect')!r}")
    return tuple(found)


def _action_matches(statement: dict[str, Any], request: Request) -> bool:
    if "NotAction" in statement:
        return not any(matches(a.lower(), request.action.lower()) for a in _listed(statement["NotAction"]))
    return any(matches(a.lower(), request.action.lower()) for a in _listed(statement["Action"]))


def _resource_matches(statement: dict[str, Any], request: Request) -> bool:
    def among(patterns: Any) -> bool:
        expanded = [expand(pattern, request.context) for pattern in _listed(patterns)]
        return any(pattern is not None and matches(pattern, request.resource) for pattern in expanded)

    if "NotResource" in statement:
        return not among(statement["NotResource"])
    return among(statement["Resource"]) if "Resource" in statement else True


def applies(statement: dict[str, Any], request: Request) -> bool:
    """Action, resource and conditions match. Conditions are read even of statements that cannot match otherwise."""
    conditions = hold(statement.get("Condition"), request.context) if _action_matches(statement, request) else False
    return conditions and _resource_matches(statement, request)


def identity_outcome(documents: Iterable[str], request: Request) -> str | None:
    """`deny`, `allow` or None (silent) over all policies attached to an identity."""
    outcome = None
    for document in documents:
        for statement in statements(document):
            if applies(statement, request):
                if statement["Effect"] == "Deny":
                    return "deny"
                outcome = "allow"
    return outcome


def _addressed(statement: dict[str, Any], principal: Principal) -> str | None:
    """How a resource policy's Principal names the caller: `direct`, `account` (delegating to IAM), or not at all."""
    named = statement.get("Principal")
    if named is None:
        raise NotCoveredLocally("a resource policy's statement without Principal")
    if named == "*":
        return "direct"
    unknown = set(named) - {"AWS", "Service"}
    if unknown:
        raise NotCoveredLocally(f"Principal type {', '.join(sorted(unknown))}")
    if principal.kind == "service":
        return "direct" if principal.arn in _listed(named.get("Service", [])) else None
    if principal.kind == "anonymous":
        return "direct" if "*" in _listed(named.get("AWS", [])) else None
    through_account = {principal.account, f"arn:aws:iam::{principal.account}:root"}
    found = None
    for entry in _listed(named.get("AWS", [])):
        if entry == "*" or entry in (principal.arn, principal.identity_arn):
            return "direct"
        if entry in through_account:
            found = "account"
    return found


def resource_outcome(document: str, request: Request) -> str | None:
    """`deny`, `direct`, `account` or None: what a resource's own policy says about this caller."""
    outcome = None
    for statement in statements(document):
        addressed = _addressed(statement, request.principal)
        if not addressed or not applies(statement, request):
            continue
        if statement["Effect"] == "Deny":
            return "deny"
        outcome = "direct" if "direct" in (addressed, outcome) else "account"
    return outcome
