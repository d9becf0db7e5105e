#!/usr/bin/env python3
"""Looks through the repository for what its rules forbid.

    check_sources.py [DIRECTORY]

A trap in the Lambda leaves somebody's stack hanging for an hour, so nothing in Sources may be written to trap. The
products are programs: nothing is `public`. Unfinished work is an issue, not a comment.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from swift_source import code_only, line_of

# In the code of Sources, comments and strings apart.
FORBIDDEN_CODE = [
    (re.compile(r"\bpublic\b"), "`public`: use `package`, the products are programs"),
    (re.compile(r"\bopen\s+class\b"), "`open`: use `package`, the products are programs"),
    (re.compile(r"\btry!"), "`try!` traps"),
    (re.compile(r"\bas!"), "`as!` traps"),
    (re.compile(r"\b(fatalError|preconditionFailure|precondition|assertionFailure|assert)\s*\("), "`{0}` traps"),
    (re.compile(r"(?<=[\w)\]}>\"?])!(?![=\w])"), "a force unwrap traps"),
    (re.compile(r"\bunowned\b"), "`unowned` traps"),
    (re.compile(r"\bString\(\s*format:"), "`String(format:)` brings in full Foundation"),
]

UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")
TYPE = r"\b(?:struct|class|enum|actor|protocol|typealias)\s+{name}\b"
TEXTS = {".swift", ".py", ".sh", ".c", ".h", ".yml", ".yaml", ".md", ".toml", ""}
SKIPPED = {".git", ".build", ".venv", ".cache", "dist", "Fixtures", "__pycache__"}


def check_swift(path: Path, name: str, module: str) -> list[str]:
    code = code_only(path.read_text())
    problems = []
    for pattern, why in FORBIDDEN_CODE:
        for match in pattern.finditer(code):
            groups = match.groups() or ("",)
            problems.append(f"{name}:{line_of(code, match.start())}: {why.format(*groups)}")
    for match in re.finditer(TYPE.format(name=re.escape(module)), code):
        problems.append(f"{name}:{line_of(code, match.start())}: a type carries its module's name, {module}")
    return problems


def texts(root: Path) -> list[Path]:
    found = []
    for path in sorted(root.iterdir()):
        if path.name in SKIPPED or path.name.endswith(".egg-info"):
            continue
        if path.is_dir() and not path.is_symlink():
            found += texts(path)
        elif path.is_file() and path.suffix in TEXTS:
            found.append(path)
    return found


def check(root: Path) -> list[str]:
    problems = []
    for path in texts(root):
        name = path.relative_to(root)
        if path.suffix == ".swift" and name.parts[0] == "Sources":
            problems += check_swift(path, str(name), name.parts[1])
        text = path.read_text(errors="replace")
        problems += [
            f"{name}:{line_of(text, match.start())}: {match[1]}: finish it or open an issue"
            for match in UNFINISHED.finditer(text)
        ]
    return problems


if __name__ == "__main__":
    found = check(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    sys.exit(1 if found else 0)
