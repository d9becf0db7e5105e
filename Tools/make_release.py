#!/usr/bin/env python3
"""Gathers a release: zips, published templates, a bill of materials, notes and hashes.

    make_release.py [--draft] DIST DIRECTORY

DIST has what package.sh left: stackcert-*.zip and templates/. DIRECTORY is made anew. A draft may be made of a changed
clone and of a version that the changelog has no date for; a release may not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import make_sbom

ROOT = Path(__file__).resolve().parents[1]
ARCHITECTURES = ("x86_64", "arm64")
HEADING = re.compile(r"^## (\S+)(?: \((.*)\))?$", re.MULTILINE)
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Refused(Exception):
    """One line: what is wrong, and what to do."""


def version(source: str) -> str:
    """As Sources/Diagnostics/ProductVersion.swift has it."""
    return re.findall(r'static let text = "(.*?)"', source)[0]


def changes(changelog: str, wanted: str, draft: bool) -> str:
    """The entries of one version, without its heading."""
    found = list(HEADING.finditer(changelog))
    for heading, following in zip(found, [*found[1:], None], strict=True):
        if heading[1] == wanted:
            if not draft and not DATE.fullmatch(heading[2] or ""):
                raise Refused(
                    f"CHANGELOG.md gives {wanted} no date: write `## {wanted} (YYYY-MM-DD)`, or make a draft."
                )
            return changelog[heading.end() : following.start() if following else None].strip()
    raise Refused(f"CHANGELOG.md has no section `## {wanted}`: the version in ProductVersion.swift is another one.")


def notes(wanted: str, entries: str, built: list[str], proven: list[dict]) -> str:
    lacking = [each for each in ARCHITECTURES if each not in built]
    answered = sum(row["answer"] is not None for row in proven)
    lines = [f"# StackCert {wanted}", "", entries, "", "## What is proven", ""]
    lines.append(f"- {', '.join(built)}: built here; `make test` runs on the zips that are attached.")
    if lacking:
        lines.append(
            f"- {', '.join(lacking)}: unproven. It is built from the same sources, but no zip was built or tested."
        )
    lines.append(f"- On AWS: {answered} of {len(proven)} claims have an answer (docs/proven-on-aws.json).")
    return "\n".join(lines) + "\n"


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def hashes(directory: Path) -> str:
    """As `sha256sum --check` reads them, by name."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return "".join(f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.relative_to(directory)}\n" for f in files)


def release(dist: Path, directory: Path, draft: bool) -> str:
    """Makes it; returns the version."""
    wanted = version((ROOT / "Sources/Diagnostics/ProductVersion.swift").read_text())
    if not draft and git("status", "--porcelain"):
        raise Refused("The clone has changes that are not committed: commit them, or make a draft.")
    entries = changes((ROOT / "CHANGELOG.md").read_text(), wanted, draft)
    zips = sorted(dist.glob("stackcert-*.zip"))
    built = [a for a in ARCHITECTURES if {f"stackcert-{a}.zip", f"stackcert-lambda-{a}.zip"} <= {z.name for z in zips}]
    templates = sorted((dist / "templates").glob("*.yml"))
    if not built or not templates:
        raise Refused(f"{dist} has no pair of zips, or no templates: `make package` builds them.")
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "templates").mkdir(parents=True)
    for path in zips:
        shutil.copyfile(path, directory / path.name)
    for path in templates:
        shutil.copyfile(path, directory / "templates" / path.name)
    materials = make_sbom.document(
        wanted,
        json.loads((ROOT / "Package.resolved").read_text()),
        make_sbom.works((ROOT / "NOTICE").read_text()),
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in zips},
        git("log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ"),
    )
    (directory / f"stackcert-{wanted}.spdx.json").write_text(json.dumps(materials, indent=1) + "\n")
    proven = json.loads((ROOT / "docs/proven-on-aws.json").read_text())["claims"]
    (directory / "RELEASE_NOTES.md").write_text(notes(wanted, entries, built, proven))
    (directory / "SHA256SUMS").write_text(hashes(directory))
    return wanted


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draft", action="store_true")
    parser.add_argument("dist", type=Path)
    parser.add_argument("directory", type=Path)
    given = parser.parse_args()
    try:
        wanted = release(given.dist, given.directory, given.draft)
    except Refused as error:
        print(f"make_release: {error}", file=sys.stderr)
        return 1
    print(f"StackCert {wanted}{' (draft)' if given.draft else ''}:")
    print((given.directory / "SHA256SUMS").read_text(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
