#!/usr/bin/env python3
"""Writes templates as they are published: without comments, and lists no deeper than their keys, so that CloudFormation
takes them inline.

    publish_templates.py DIRECTORY TEMPLATE...

Each TEMPLATE is written to DIRECTORY under its own name. Comments inside a block scalar (the scripts in user data) are
part of the template and stay.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

# A key alone on its line, also as the first of a list's item: what follows may be its list.
KEY = re.compile(r"^( *(?:- +)*)[A-Za-z0-9:_.'\"-]+:$")
# The line before a block scalar: `Key: |`, `- >-`, `Key: !Sub |`.
BLOCK_SCALAR = re.compile(r"[:\-]\s+(?:!\S+\s+)*[|>][-+\d]*$")


def indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def published(text: str) -> str:
    """The template without comments and blank lines. It parses to the same document."""
    kept: list[str] = []
    scalar: int | None = None
    for line in text.splitlines():
        blank = not line.strip()
        if scalar is not None and (blank or indentation(line) > scalar):
            kept.append(line)
            continue
        scalar = None
        if blank or line.lstrip().startswith("#"):
            continue
        kept.append(line)
        if BLOCK_SCALAR.search(line.rstrip()):
            scalar = indentation(line)
    return "\n".join(narrowed(kept)).rstrip("\n") + "\n"


def narrowed(lines: list[str]) -> list[str]:
    """Moves each list below a plain key to the key's own column, which YAML reads alike, with all that is in it."""
    made: list[str] = []
    # Of the lists that a line is in: their columns, and by how much they move.
    lists: list[tuple[int, int]] = []
    key: int | None = None
    scalar: int | None = None
    for line in lines:
        column = indentation(line)
        if scalar is not None and (not line.strip() or column > scalar):
            made.append(line[min(column, sum(move for _, move in lists)) :])
            continue
        scalar = None
        while lists and column < lists[-1][0]:
            lists.pop()
        item = line.lstrip().startswith("- ")
        if lists and column == lists[-1][0] and not item:
            lists.pop()
        if item and key is not None and column > key:
            lists.append((column, column - key))
        made.append(line[sum(move for _, move in lists) :])
        found = KEY.match(line)
        key = len(found[1]) if found else None
        if BLOCK_SCALAR.search(line.rstrip()):
            scalar = column
    return made


def main(directory: Path, templates: list[Path]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for template in templates:
        (directory / template.name).write_text(published(template.read_text()))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
