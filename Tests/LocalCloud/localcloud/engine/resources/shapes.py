"""Small helpers that turn CloudFormation's properties into API parameters."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from localcloud.engine.errors import ResourceFailed
from localcloud.engine.resource_type import boolean


def picked(properties: dict[str, Any], *names: str) -> dict[str, Any]:
    """The members that are present, unchanged."""
    return {name: properties[name] for name in names if name in properties}


def integers(properties: dict[str, Any], *names: str) -> dict[str, int]:
    try:
        return {name: int(properties[name]) for name in names if name in properties}
    except ValueError as error:
        raise ResourceFailed(f"Properties validation failed: {error}") from None


def booleans(properties: dict[str, Any], *names: str) -> dict[str, bool]:
    return {name: boolean(properties[name]) for name in names if name in properties}


def document(value: Any) -> str:
    """A policy document as text."""
    return value if isinstance(value, str) else json.dumps(value)


def only(value: dict[str, Any], allowed: set[str], where: str) -> None:
    """Refuse nested properties that would otherwise be ignored."""
    unknown = sorted(set(value) - allowed)
    if unknown:
        raise ResourceFailed(f"Not covered locally: {where} with {', '.join(unknown)}")


def is_code(error: ClientError, *codes: str) -> bool:
    return error.response.get("Error", {}).get("Code") in codes
