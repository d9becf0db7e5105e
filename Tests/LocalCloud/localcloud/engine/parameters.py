"""Template parameters: defaults, constraints, types, previous values, and those read from Parameter Store."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from localcloud.engine.errors import ValidationError

_PLAIN = {"String", "Number", "CommaDelimitedList", "List<Number>", "List<String>"}
_FROM_STORE = "AWS::SSM::Parameter::Value<"


def given(parameters: list[dict[str, Any]] | None, previous: dict[str, str]) -> dict[str, str]:
    """The request's parameters as a dictionary; UsePreviousValue takes the stack's."""
    values = {}
    for parameter in parameters or []:
        key = parameter["ParameterKey"]
        if parameter.get("UsePreviousValue"):
            if key not in previous:
                raise ValidationError(
                    f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true."
                )
            values[key] = previous[key]
        else:
            values[key] = str(parameter.get("ParameterValue", ""))
    return values


def complete(template: dict[str, Any], values: dict[str, str]) -> dict[str, str]:
    """Every declared parameter's raw text, with defaults; ValidationError for unknown, missing or forbidden values."""
    declared = template.get("Parameters") or {}
    unknown = sorted(set(values) - set(declared))
    if unknown:
        raise ValidationError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    complete: dict[str, str] = {}
    missing = []
    for name, declaration in declared.items():
        if name in values:
            complete[name] = values[name]
        elif "Default" in declaration:
            default = declaration["Default"]
            complete[name] = ("true" if default else "false") if isinstance(default, bool) else str(default)
        else:
            missing.append(name)
    if missing:
        raise ValidationError(f"Parameters: [{', '.join(missing)}] must have values")
    for name, text in complete.items():
        _check(name, declared[name], text)
    return complete


def _check(name: str, declaration: dict[str, Any], text: str) -> None:
    def refuse(why: str) -> None:
        told = declaration.get("ConstraintDescription")
        raise ValidationError(
            f"Parameter {name} failed to satisfy constraint: {told}" if told else f"Parameter '{name}' {why}"
        )

    kind = declaration.get("Type", "String")
    if kind not in _PLAIN and not kind.startswith(("AWS::", "List<AWS::")):
        raise ValidationError(f"Template format error: Unrecognized parameter type: {kind}")
    if "AllowedValues" in declaration and text not in [str(value) for value in declaration["AllowedValues"]]:
        refuse(f"must be one of AllowedValues {declaration['AllowedValues']}")
    if "AllowedPattern" in declaration and not re.fullmatch(declaration["AllowedPattern"], text):
        refuse(f"must match pattern {declaration['AllowedPattern']}")
    if len(text) < int(declaration.get("MinLength", 0)) or len(text) > int(declaration.get("MaxLength", 10**9)):
        refuse("has a forbidden length")
    if kind == "Number":
        try:
            number = float(text)
        except ValueError:
            refuse("must be a number")
        else:
            if not float(declaration.get("MinValue", number)) <= number <= float(declaration.get("MaxValue", number)):
                refuse("is out of its range")


def resolved(template: dict[str, Any], raw: dict[str, str], from_store: Callable[[str], str]) -> dict[str, Any]:
    """What Ref gives for each parameter: text, or texts for list types. `from_store` reads an SSM parameter."""
    values: dict[str, Any] = {}
    for name, text in raw.items():
        kind = template["Parameters"][name].get("Type", "String")
        if kind.startswith(_FROM_STORE):
            kind, text = kind[len(_FROM_STORE) : -1], from_store(text)
        is_list = kind == "CommaDelimitedList" or kind.startswith("List<")
        values[name] = [item.strip() for item in text.split(",")] if is_list else text
    return values


def in_store(template: dict[str, Any], raw: dict[str, str]) -> list[str]:
    """The names of the SSM parameters that stand behind a template's."""
    declared = template.get("Parameters") or {}
    return [text for name, text in raw.items() if str(declared[name].get("Type", "")).startswith(_FROM_STORE)]


def shown(template: dict[str, Any], raw: dict[str, str], values: dict[str, Any]) -> list[dict[str, str]]:
    """The parameters as DescribeStacks tells them: NoEcho ones masked, those from Parameter Store with what they stood
    for when the stack was last operated on."""
    declared = template.get("Parameters") or {}
    hidden = {name for name, d in declared.items() if str(d.get("NoEcho", "")).lower() == "true"}
    found = []
    for name, text in raw.items():
        entry = {"ParameterKey": name, "ParameterValue": "****" if name in hidden else text}
        if str(declared.get(name, {}).get("Type", "")).startswith(_FROM_STORE) and name in values:
            value = values[name]
            entry["ResolvedValue"] = ",".join(value) if isinstance(value, list) else value
        found.append(entry)
    return found
