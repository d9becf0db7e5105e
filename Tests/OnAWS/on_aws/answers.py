"""docs/proven-on-aws.json: what AWS answered, and nothing else. The section of the README is made from it."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from on_aws.claims import Claim, Seen

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "docs" / "proven-on-aws.json"
README = ROOT / "README.md"
HEADING, NEXT = "## Not yet proven on AWS\n", "\n## "
_INTRODUCTION = """
Everything above runs in the local cloud, whose limits are listed in
[Tests/LocalCloud/README.md](Tests/LocalCloud/README.md). `make prove-on-aws` asks an AWS account the following, for a
few cents, and writes what it answers to [docs/proven-on-aws.json](docs/proven-on-aws.json)."""


def empty(claim: Claim) -> dict[str, Any]:
    return {
        "id": claim.id,
        "claim": claim.sentence,
        "answer": None,
        "evidence": None,
        "date": None,
        "region": None,
    }


def read(file: Path = FILE) -> list[dict[str, Any]]:
    return json.loads(file.read_text())["claims"] if file.exists() else []


def merged(known: list[dict[str, Any]], claims: dict[str, Claim]) -> list[dict[str, Any]]:
    """One row for each claim that there is, in their order. A row whose sentence changed has no answer any more."""
    rows = {row["id"]: row for row in known}
    kept = {i: rows[i] for i, c in claims.items() if i in rows and rows[i]["claim"] == c.sentence}
    return [kept.get(claim.id) or empty(claim) for claim in claims.values()]


def write(rows: list[dict[str, Any]], file: Path = FILE) -> None:
    file.write_text(json.dumps({"claims": rows}, indent=1, ensure_ascii=False) + "\n")


def record(claim: Claim, seen: Seen, region: str, file: Path = FILE) -> None:
    """Writes one answer of AWS down, at once: a run may be interrupted."""
    rows = read(file)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    for row in rows:
        if row["id"] == claim.id:
            row |= {"answer": seen.answer, "evidence": seen.evidence or None, "date": today, "region": region}
    write(rows, file)


def differences(rows: list[dict[str, Any]], local: dict[str, Seen]) -> list[str]:
    """Where the local cloud answers otherwise than AWS did."""
    return [
        f"{row['id']}: AWS answered {row['answer']!r} ({row['region']}, {row['date']}), the local cloud "
        f"{local[row['id']].answer!r} ({local[row['id']].evidence})"
        for row in rows
        if row["answer"] is not None and row["id"] in local and row["answer"] != local[row["id"]].answer
    ]


def recorded(rows: list[dict[str, Any]]) -> str:
    return f"{sum(row['answer'] is not None for row in rows)} of {len(rows)} recorded"


def section(rows: list[dict[str, Any]], claims: dict[str, Claim]) -> str:
    """The README's section: what is still open, by service, and what AWS denied."""
    lines = [_INTRODUCTION]
    services = dict.fromkeys(claim.service for claim in claims.values())
    for service in services:
        found = [row for row in rows if claims[row["id"]].service == service and row["answer"] is None]
        if found:
            lines += ["", f"**{service}**", "", *(f"- {row['claim']}" for row in found)]
    denied = [row for row in rows if row["answer"] == "no"]
    if denied:
        lines += ["", "**Answered with no**", "", *(f"- {row['claim']} ({row['evidence']})" for row in denied)]
    return "\n".join(lines) + "\n"


def section_of(readme: str) -> str:
    """The section as the README has it, without its heading."""
    return readme.split(HEADING, 1)[1].split(NEXT, 1)[0]


def with_section(readme: str, text: str) -> str:
    before, after = readme.split(HEADING, 1)
    return before + HEADING + text + NEXT + after.split(NEXT, 1)[1]
