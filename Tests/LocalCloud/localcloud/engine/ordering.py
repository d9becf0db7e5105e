"""What depends on what in a template."""

from __future__ import annotations

import re
from typing import Any

from localcloud.engine.errors import ValidationError

_SUBSTITUTION = re.compile(r"\$\{([^!}][^}]*)\}")


def _named(node: Any) -> set[str]:
    """Every name that a value refers to, of whatever kind."""
    if isinstance(node, list):
        return set().union(*map(_named, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    names: set[str] = set()
    for key, value in node.items():
        if key == "Ref" and isinstance(value, str):
            names.add(value)
        elif key == "Fn::GetAtt":
            names.add(value.split(".")[0] if isinstance(value, str) else value[0])
        elif key == "Fn::Sub":
            text, own = value if isinstance(value, list) else (value, {})
            names |= {m.strip().split(".")[0] for m in _SUBSTITUTION.findall(text)} - set(own)
            names |= _named(own)
        else:
            names |= _named(value)
    return names


def references(node: Any) -> set[str]:
    return _named(node)


def dependencies(template: dict[str, Any]) -> dict[str, set[str]]:
    """For each resource the resources that must exist before it. A reference to nothing and a circle are errors."""
    resources = template["Resources"]
    known = set(resources) | set(template.get("Parameters") or {})
    found: dict[str, set[str]] = {}
    for name, resource in resources.items():
        named = _named({k: v for k, v in resource.items() if k not in ("DependsOn", "Metadata")})
        unknown = {n for n in named if n not in known and not n.startswith("AWS::")}
        explicit = resource.get("DependsOn", [])
        explicit = {explicit} if isinstance(explicit, str) else set(explicit)
        unknown |= explicit - set(resources)
        if unknown:
            raise ValidationError(
                f"Template format error: Unresolved resource dependencies {sorted(unknown)} in the Resources block"
            )
        found[name] = (named | explicit) & set(resources)
    for output, declared in (template.get("Outputs") or {}).items():
        unknown = {n for n in _named(declared) if n not in known and not n.startswith("AWS::")}
        if unknown:
            raise ValidationError(
                f"Template format error: Unresolved resource dependencies {sorted(unknown)} in the Outputs block "
                f"({output})"
            )
    _refuse_circles(found)
    return found


def _refuse_circles(graph: dict[str, set[str]]) -> None:
    waiting = {name: set(needed) for name, needed in graph.items()}
    while waiting:
        free = [name for name, needed in waiting.items() if not needed & set(waiting)]
        if not free:
            raise ValidationError(f"Circular dependency between resources: {sorted(waiting)}")
        for name in free:
            del waiting[name]


def reversed_graph(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The order of deletion: a resource waits for everything that depends on it."""
    turned: dict[str, set[str]] = {name: set() for name in graph}
    for name, needed in graph.items():
        for other in needed:
            if other in turned:
                turned[other].add(name)
    return turned
