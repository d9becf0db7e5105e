"""Templates: YAML with CloudFormation's short tags, or JSON, into plain dictionaries; checked before all else."""

from __future__ import annotations

import datetime
from typing import Any

import yaml

from localcloud.engine.errors import ValidationError

_SECTIONS = {"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions"}
_SECTIONS |= {"Resources", "Outputs", "Rules", "Transform"}
_RESOURCE_MEMBERS = {"Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy"}
_RESOURCE_MEMBERS |= {"CreationPolicy", "UpdatePolicy", "Metadata"}
_POLICIES = {"Delete", "Retain", "RetainExceptOnCreate"}
_LARGEST_BODY = 51200
# What it adds is refused as every other function that is not known; a template without that is the same with it.
_TRANSFORMS = {"AWS::LanguageExtensions"}


class _Loader(yaml.SafeLoader):
    """SafeLoader that knows the short tags. Of a key given twice the last one counts, as for CloudFormation."""


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else "Fn::" + suffix: value}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    """Keys are always texts: a condition named Yes is not the boolean that YAML takes it for."""
    loader.flatten_mapping(node)
    return {key.value: loader.construct_object(value, deep=True) for key, value in node.value}


_Loader.add_multi_constructor("!", _tagged)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def _check_sections(root: yaml.Node | None) -> None:
    """What CloudFormation does with a section that is there twice is undefined (User Guide, "Template sections")."""
    sections = [key.value for key, _ in root.value] if isinstance(root, yaml.MappingNode) else []
    doubled = sorted({name for name in sections if sections.count(name) > 1})
    if doubled:
        raise ValidationError(f"Not covered locally: a template with the section {doubled[0]} twice")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, (datetime.date, datetime.datetime)):
        # YAML reads 2012-10-17 as a date; CloudFormation means the text.
        return value.isoformat()
    return value


def load(body: str, by_url: bool = False) -> dict[str, Any]:
    """Parse and check a template's text. `by_url` lifts the limit on the size of a body given inline."""
    if not by_url and len(body.encode()) > _LARGEST_BODY:
        raise ValidationError(f"Member must have length less than or equal to {_LARGEST_BODY}: templateBody")
    try:
        _check_sections(yaml.compose(body, Loader=_Loader))  # noqa: S506 - _Loader is a SafeLoader
        template = _plain(yaml.load(body, Loader=_Loader))  # noqa: S506 - _Loader is a SafeLoader
    except yaml.YAMLError as error:
        raise ValidationError(f"Template format error: {error}") from None
    if not isinstance(template, dict):
        raise ValidationError("Template format error: unsupported structure.")
    check(template)
    return template


def transforms(template: dict[str, Any]) -> list[str]:
    """The names of the template's macros."""
    named = template.get("Transform") or []
    return [named] if isinstance(named, str) else named


def check(template: dict[str, Any]) -> None:
    unknown = set(template) - _SECTIONS
    if unknown:
        raise ValidationError(f"Invalid template property or properties {sorted(unknown)}")
    if "Rules" in template:
        raise ValidationError("Not covered locally: the section Rules")
    for name in transforms(template):
        if name not in _TRANSFORMS:
            raise ValidationError(f"Not covered locally: the transform {name}")
    if not isinstance(template.get("Resources"), dict) or not template["Resources"]:
        raise ValidationError("Template format error: At least one Resources member must be defined.")
    for name, resource in template["Resources"].items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise ValidationError(
                f"Template format error: [/Resources/{name}] Every Resources object must contain a Type."
            )
        unknown = set(resource) - _RESOURCE_MEMBERS
        if unknown:
            raise ValidationError(f"Invalid template resource property {sorted(unknown)} in {name}")
        for member in ("DeletionPolicy", "UpdateReplacePolicy"):
            if resource.get(member, "Delete") not in _POLICIES:
                raise ValidationError(f"Not covered locally: {member} {resource[member]} of {name}")
        condition = resource.get("Condition")
        if condition is not None and condition not in template.get("Conditions", {}):
            raise ValidationError(f"Template format error: Unresolved condition dependency {condition}")
