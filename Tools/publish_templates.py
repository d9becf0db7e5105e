#!/usr/bin/env python3
"""Writes templates as they are published: without comments, so that CloudFormation takes them inline.

    publish_templates.py DIRECTORY TEMPLATE...

Each TEMPLATE is written to DIRECTORY under its own name. Comments inside a block scalar (the scripts in user data) are
part of the template and stay.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

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
    return "\n".join(kept).rstrip("\n") + "\n"


def main(directory: Path, templates: list[Path]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for template in templates:
        (directory / template.name).write_text(published(template.read_text()))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
