"""Templates as data, and the policies in them."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from localcloud.engine.template import load

from support.paths import REPOSITORY, TEMPLATES

STEPS = ("simple", "frontend-certificate", "backend-certificate", "automated")
NAMES = ("provider", "lets-encrypt-provider", "renewal-role", "deployer-role", *STEPS, "letsencrypt", "website")


_published = runpy.run_path(str(REPOSITORY / "Tools" / "publish_templates.py"))["published"]


def path(name: str) -> Path:
    return TEMPLATES / f"{name}.yml"


def published(name: str) -> str:
    """The template's text as package.sh writes it to dist/templates, which is what users deploy."""
    return _published(path(name).read_text())


def imported(*resources: str) -> str:
    """The text of provider-import.yml, as package.sh writes it; or one of these resources only."""
    tool = REPOSITORY / "Tools" / "make_import_template.py"
    arguments = [sys.executable, str(tool), str(path("provider")), *resources]
    return subprocess.run(arguments, capture_output=True, check=True, text=True).stdout


def read(name: str) -> dict[str, Any]:
    """A template with its short tags written out."""
    return load(path(name).read_text(), by_url=True)


def policies(node: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """(place in the template, policy document) for every policy."""
    if isinstance(node, dict):
        if isinstance(node.get("Statement"), list):
            yield where, node
        for key, value in node.items():
            yield from policies(value, f"{where}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from policies(value, f"{where}/{index}")


def statements(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements of a document, those that depend on a condition included."""
    for statement in document["Statement"]:
        if "Fn::If" in statement:
            yield from (branch for branch in statement["Fn::If"][1:] if "Effect" in branch)
        else:
            yield statement


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def branch(node: Any) -> Any:
    """The branch of a condition that has something in it; anything else as it is."""
    if isinstance(node, dict) and "Fn::If" in node:
        _, first, second = node["Fn::If"]
        return second if first == {"Ref": "AWS::NoValue"} else first
    return node


def actions(statement: dict[str, Any]) -> list[str]:
    """All actions of a statement, those that depend on a condition included."""
    return [branch(action) for action in listed(statement["Action"])]
