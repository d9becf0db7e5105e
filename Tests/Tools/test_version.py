"""One version: the code has it, and what repeats it says the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSION = re.compile(r'static let text = "(\d+\.\d+\.\d+)"')


def code_version() -> str:
    [found] = VERSION.findall((ROOT / "Sources/Diagnostics/ProductVersion.swift").read_text())
    return found


@pytest.mark.parametrize("template", ["provider", "lets-encrypt-provider"])
def test_the_providers_tell_the_codes_version(template):
    text = (ROOT / "templates" / f"{template}.yml").read_text()
    outputs = text.split("\nOutputs:\n", 1)[1]
    [found] = re.findall(r"^  Version:\n(?:    .*\n)*?    Value: (.*)$", outputs, re.MULTILINE)
    assert found.strip("'\"") == code_version()


def test_the_changelog_begins_with_the_codes_version():
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0].split(" ")[0] == code_version()


def test_no_other_source_repeats_the_version():
    sources = [*(ROOT / "Sources").rglob("*.swift"), *(ROOT / "Tools").glob("*.py"), ROOT / "package.sh"]
    assert len(sources) > 100
    repeating = [str(s.relative_to(ROOT)) for s in sources if f'"{code_version()}"' in s.read_text()]
    assert repeating == ["Sources/Diagnostics/ProductVersion.swift"]
