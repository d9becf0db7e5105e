"""Reads the cases of the contract, and the marks of the tests that prove them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CONTRACT = Path("docs/custom-resource-contract.md")


@dataclass(frozen=True)
class MarkedTest:
    case: int
    language: str
    path: Path
    line: int
    title: str
    # For `swift test --filter`, or pytest's node id.
    selector: str


def cases(root: Path) -> dict[int, str]:
    """Number and title of each case in the contract."""
    text = (root / CONTRACT).read_text()
    section = text.partition("\n## Cases\n")[2].partition("\n## ")[0]
    return {int(m[1]): m[2].rstrip(".") for m in re.finditer(r"(?m)^(\d+)\. \*\*(.+?)\*\*", section)}


def tests(root: Path) -> list[MarkedTest]:
    found: list[MarkedTest] = []
    for path in sorted((root / "Tests").rglob("*.swift")):
        found += _swift_tests(path, path.relative_to(root))
    for path in sorted((root / "Tests").rglob("test_*.py")):
        found += _python_tests(path, path.relative_to(root))
    return found


# ---------------------------------------------------------------------------------------------------------- Swift

_MARK = re.compile(r"\.contract\(([\d,\s]+)\)")
_SUITE = re.compile(r"@Suite\b[^\n]*?\b(?:struct|enum|class|actor)\s+(\w+)")
_FUNCTION = re.compile(r"\s*(?:@\w+\s*)*(?:(?:private|static|mutating|nonisolated)\s+)*func\s+(\w+)")


def _swift_tests(path: Path, name: Path) -> Iterator[MarkedTest]:
    text = path.read_text()
    suites = [(m.start(), m[1]) for m in _SUITE.finditer(text)]
    target = name.parts[1]
    for match in re.finditer(r"@Test\(", text):
        end = _closing(text, match.end())
        arguments = text[match.end() : end]
        # What the tables of arguments hold is text for the code under test, not marks.
        mark = _MARK.search(arguments.partition("arguments:")[0])
        function = _FUNCTION.match(text, end + 1)
        if not mark or not function:
            continue
        suite = next((s for at, s in reversed(suites) if at < match.start()), None)
        title = re.match(r'\s*"((?:[^"\\]|\\.)*)"', arguments)
        for number in re.findall(r"\d+", mark[1]):
            yield MarkedTest(
                case=int(number),
                language="swift",
                path=name,
                line=text.count("\n", 0, match.start()) + 1,
                title=title[1] if title else function[1],
                selector=f"{target}\\.{suite}/{function[1]}\\(" if suite else f"{target}\\.{function[1]}\\(",
            )


def _closing(text: str, start: int) -> int:
    """The place of the parenthesis that closes the one before `start`; those in strings do not count."""
    depth = 1
    at = start
    while at < len(text):
        raw = re.compile(r'(#+)"').match(text, at)
        if raw:
            at = text.index('"' + raw[1], raw.end()) + len(raw[1])
        elif text[at] == '"':
            at = re.compile(r'"(?:[^"\\]|\\.)*"').match(text, at).end() - 1
        elif text[at] == "(":
            depth += 1
        elif text[at] == ")":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    raise ValueError("a @Test( is not closed")


# ---------------------------------------------------------------------------------------------------------- Python


def _python_tests(path: Path, name: Path) -> Iterator[MarkedTest]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        for decorator in node.decorator_list:
            if not (isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.contract"):
                continue
            for argument in decorator.args:
                yield MarkedTest(
                    case=int(ast.literal_eval(argument)),
                    language="pytest",
                    path=name,
                    line=node.lineno,
                    title=node.name.removeprefix("test_").replace("_", " "),
                    selector=f"{name}::{node.name}",
                )
