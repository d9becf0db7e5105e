"""What an update would change, and why: the ResourceChange entries of a change set."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from localcloud.engine import ordering
from localcloud.engine.environment import Environment
from localcloud.engine.stack import Physical, Stack

_SUBSTITUTION = re.compile(r"\$\{([^!}][^}]*)\}")


@dataclass(frozen=True)
class Reference:
    """A name that a value refers to; `attribute` is None for a Ref."""

    name: str
    attribute: str | None = None


def references(node: Any, conditions: dict[str, Any]) -> set[Reference]:
    """Every reference within a value, also those through the conditions that decide it."""
    if isinstance(node, list):
        return set().union(*(references(item, conditions) for item in node)) if node else set()
    if not isinstance(node, dict):
        return set()
    found: set[Reference] = set()
    for key, value in node.items():
        if key == "Ref":
            found.add(Reference(value))
        elif key == "Fn::GetAtt":
            name, attribute = value.split(".", 1) if isinstance(value, str) else value
            found.add(Reference(name, str(attribute)))
        elif key == "Fn::Sub":
            text, own = value if isinstance(value, list) else (value, {})
            for name in {match.strip() for match in _SUBSTITUTION.findall(text)} - set(own):
                first, _, attribute = name.partition(".")
                found.add(Reference(first, attribute or None))
            found |= references(own, conditions)
        elif key in ("Fn::If", "Condition"):
            name = value[0] if isinstance(value, list) else value
            if isinstance(name, str):
                found |= references(conditions.get(name), conditions)
            found |= references(value, conditions)
        else:
            found |= references(value, conditions)
    return found


class Comparison:
    """One stack against a template and raw parameters that it would get."""

    def __init__(self, environment: Environment, stack: Stack, template: dict[str, Any], raw: dict[str, str]):
        self._environment = environment
        self._stack = stack
        self._template = template
        self._old_texts, self._new_texts = stack.parameter_values, environment.parameter_values(stack, template, raw)
        self._resolver = environment.resolver(stack, template, raw)
        self._changed: dict[str, bool] = {}
        """Logical ids that change, and whether their physical id may."""

    def changes(self) -> list[dict[str, Any]]:
        wanted = {
            name
            for name, declared in self._template["Resources"].items()
            if "Condition" not in declared or self._resolver.condition(declared["Condition"])
        }
        found = []
        for name in self._in_order():
            declared, state = self._template["Resources"][name], self._stack.resources.get(name)
            if name not in wanted:
                continue
            if state is None or state.current is None:
                self._changed[name] = True
                found.append({"Action": "Add", "LogicalResourceId": name, "ResourceType": declared["Type"]})
            else:
                change = self._modification(name, declared, state.current)
                found += [change] if change else []
        for name, state in self._stack.resources.items():
            if name not in wanted and state.current is not None:
                found.append(
                    {
                        "Action": "Remove",
                        "LogicalResourceId": name,
                        "PhysicalResourceId": state.current.id,
                        "ResourceType": state.current.type,
                    }
                )
        return [{"Type": "Resource", "ResourceChange": {"Scope": [], "Details": [], **change}} for change in found]

    def _in_order(self) -> list[str]:
        graph, done = ordering.dependencies(self._template), list[str]()
        while len(done) < len(graph):
            done += sorted(name for name, needed in graph.items() if name not in done and needed <= set(done))
        return done

    def _modification(self, name: str, declared: dict[str, Any], current: Physical) -> dict[str, Any] | None:
        old = (self._stack.template["Resources"].get(name) or {}).get("Properties") or {}
        new = declared.get("Properties") or {}
        details = []
        for key in sorted(set(old) | set(new)):
            details += self._details(key, old.get(key), new.get(key), current)
        if not details:
            return None
        kind = self._environment.type_of(declared["Type"])
        replaced = {detail["Target"]["Name"] for detail in details} & set(kind.replaced_by)
        replacement = "Conditional" if kind.is_custom or replaced else "False"
        if any(detail["Evaluation"] == "Static" and detail["Target"]["Name"] in replaced for detail in details):
            replacement = "True"
        self._changed[name] = kind.is_custom or bool(replaced)
        return {
            "Action": "Modify",
            "LogicalResourceId": name,
            "PhysicalResourceId": current.id,
            "ResourceType": declared["Type"],
            "Replacement": replacement,
            "Scope": ["Properties"],
            "Details": details,
        }

    def _details(self, key: str, old: Any, new: Any, current: Physical) -> list[dict[str, Any]]:
        """Why one property changes; nothing when it stays as it is."""
        causes: list[tuple[str, str, str | None]] = []
        if old != new:
            causes.append(("Static", "DirectModification", None))
        conditions = self._template.get("Conditions") or {}
        for reference in sorted(references(new, conditions), key=str):
            if reference.name in self._template["Resources"]:
                if reference.name not in self._changed:
                    continue
                if reference.attribute:
                    causes.append(("Dynamic", "ResourceAttribute", f"{reference.name}.{reference.attribute}"))
                elif self._changed[reference.name]:
                    causes.append(("Dynamic", "ResourceReference", reference.name))
            elif self._old_texts.get(reference.name) != self._new_texts.get(reference.name):
                causes.append(("Static", "ParameterReference", reference.name))
        if not causes or self._stays(key, new, current, causes):
            return []
        if any(source == "ParameterReference" for _, source, _ in causes):
            # A value that a function computes is listed once more, as one that may come out differently.
            causes.append(("Dynamic", "DirectModification", None))
        return [
            {
                "Target": {"Attribute": "Properties", "Name": key, "RequiresRecreation": "Conditionally"},
                "Evaluation": evaluation,
                "ChangeSource": source,
                **({"CausingEntity": entity} if entity else {}),
            }
            for evaluation, source, entity in causes
        ]

    def _stays(self, key: str, new: Any, current: Physical, causes: list[tuple[str, str, str | None]]) -> bool:
        """Whether a value that is known beforehand comes out as it is."""
        if any(evaluation == "Dynamic" for evaluation, _, _ in causes):
            return False
        resolved = self._resolver.value({"value": new}).get("value")
        return bool(resolved == current.properties.get(key))


def compare(
    environment: Environment, stack: Stack, template: dict[str, Any], raw: dict[str, str]
) -> list[dict[str, Any]]:
    """The changes, as DescribeChangeSet shows them. ValidationError for what cannot be resolved."""
    return Comparison(environment, stack, template, raw).changes()
