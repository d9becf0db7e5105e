"""Intrinsic functions, conditions and pseudo parameters. Whatever cannot be resolved is an error."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localcloud.engine.errors import ValidationError

NO_VALUE = object()
_SUBSTITUTION = re.compile(r"\$\{(!?)([^}]*)\}")


@dataclass
class Scope:
    """Where names in one stack's template come from."""

    template: dict[str, Any]
    parameters: dict[str, Any]
    pseudo: dict[str, Any]
    reference: Callable[[str], str]
    attribute: Callable[[str, str], Any]
    import_value: Callable[[str], str]


def as_text(value: Any) -> str:
    """A scalar as CloudFormation writes it into text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        raise ValidationError(f"Template error: a text is needed, not {type(value).__name__}")
    return str(value)


class Resolver:
    """Evaluates values of one template in one scope."""

    def __init__(self, scope: Scope):
        self._scope = scope
        self._conditions: dict[str, bool] = {}
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": self.condition,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Split": lambda v: as_text(self.value(v[1])).split(v[0]),
            "Fn::Select": self._select,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Base64": lambda v: base64.b64encode(as_text(self.value(v)).encode()).decode(),
            "Fn::GetAZs": self._zones,
            "Fn::ImportValue": lambda v: self._scope.import_value(as_text(self.value(v))),
            "Fn::Equals": lambda v: as_text(self.value(v[0])) == as_text(self.value(v[1])),
            "Fn::Not": lambda v: not self.value(v[0]),
            "Fn::And": lambda v: all(self.value(item) for item in v),
            "Fn::Or": lambda v: any(self.value(item) for item in v),
            "Fn::ToJsonString": lambda v: json.dumps(self.value(v), separators=(",", ":")),
        }

    def value(self, node: Any) -> Any:
        """The node with every function evaluated; members that are AWS::NoValue are left out."""
        if isinstance(node, list):
            return [item for item in map(self.value, node) if item is not NO_VALUE]
        if isinstance(node, str):
            if "{{resolve:" in node:
                raise ValidationError("Not covered locally: dynamic references")
            return node
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name in self._functions and not (name == "Condition" and not isinstance(argument, str)):
                return self._functions[name](argument)
            if name.startswith("Fn::"):
                raise ValidationError(f"Not covered locally: {name}")
        resolved = {key: self.value(item) for key, item in node.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}

    def condition(self, name: str) -> bool:
        if name not in self._conditions:
            declared = self._scope.template.get("Conditions") or {}
            if name not in declared:
                raise ValidationError(f"Template format error: Unresolved condition dependency {name}")
            self._conditions[name] = bool(self.value(declared[name]))
        return self._conditions[name]

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._scope.pseudo:
            return self._scope.pseudo[name]
        if name in self._scope.parameters:
            return self._scope.parameters[name]
        if name in self._scope.template["Resources"]:
            return self._scope.reference(name)
        raise ValidationError(f"Template format error: Unresolved resource dependencies [{name}]")

    def _get_att(self, argument: Any) -> Any:
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        if name not in self._scope.template["Resources"]:
            raise ValidationError(f"Template error: instance of Fn::GetAtt references undefined resource {name}")
        return self._scope.attribute(name, as_text(self.value(attribute)))

    def _sub(self, argument: Any) -> str:
        text, names = argument if isinstance(argument, list) else (argument, {})

        def replace(match: re.Match[str]) -> str:
            literal, name = match[1], match[2].strip()
            if literal:
                return "${" + match[2] + "}"
            if name in names:
                return as_text(self.value(names[name]))
            if "." in name and name.split(".")[0] in self._scope.template["Resources"]:
                return as_text(self._get_att(name))
            return as_text(self._ref(name))

        return _SUBSTITUTION.sub(replace, text)

    def _join(self, argument: Any) -> str:
        items = self.value(argument[1])
        return argument[0].join(as_text(item) for item in items)

    def _select(self, argument: Any) -> Any:
        items, index = self.value(argument[1]), int(as_text(self.value(argument[0])))
        if not 0 <= index < len(items):
            raise ValidationError(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
        return items[index]

    def _if(self, argument: Any) -> Any:
        return self.value(argument[1] if self.condition(argument[0]) else argument[2])

    def _find_in_map(self, argument: Any) -> Any:
        name, first, second = (as_text(self.value(item)) for item in argument[:3])
        try:
            return self._scope.template["Mappings"][name][first][second]
        except KeyError:
            raise ValidationError(f"Template error: Unable to get mapping for {name}::{first}::{second}") from None

    def _zones(self, argument: Any) -> list[str]:
        region = as_text(self.value(argument)) or self._scope.pseudo["AWS::Region"]
        return [f"{region}{letter}" for letter in "abc"]
