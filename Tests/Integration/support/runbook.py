"""docs/runbook.md, whose commands tests run as they are written."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from localcloud import LocalCloud

from support import documents
from support.paths import REPOSITORY, architecture
from support.provider import CODE_BUCKET, CODE_KEY, COMMAND_KEY

PAGE = REPOSITORY / "docs" / "runbook.md"
VENV = REPOSITORY / ".venv" / "bin"


def sections() -> dict[str, list[str]]:
    """The page's bash blocks by the heading that stands above them; headings without one are left out."""
    found: dict[str, list[str]] = {}
    heading, block = "", None
    for line in PAGE.read_text().splitlines():
        if block is not None:
            if line == "```":
                found.setdefault(heading, []).append("\n".join(block))
                block = None
            else:
                block.append(line)
        elif line.startswith("#"):
            heading = line.lstrip("# ")
        elif line == "```bash":
            block = []
    return found


def commands(*headings: str) -> str:
    """What these sections have the operator run, as one script."""
    page = sections()
    return "\n".join(text for name in headings for text in page[name])


@dataclass
class Runbook:
    """An operator with the page, a clone after `./package.sh` (`folder`), and the AWS CLI."""

    cloud: LocalCloud
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        published = self.folder / "dist" / "templates"
        published.mkdir(parents=True)
        for name in ("Tools", "templates"):
            (self.folder / name).symlink_to(REPOSITORY / name)
        (published / "provider.yml").write_text(documents.published("provider"))
        (published / "provider-import.yml").write_text(documents.imported())
        self.variables = {
            "code_bucket": CODE_BUCKET,
            "code_key": CODE_KEY,
            "command_key": COMMAND_KEY,
            "more": f"Architecture={architecture()}",
            **self.variables,
        }

    def run(self, *headings: str, fails: bool = False, **variables: str) -> str:
        """Runs these sections in one shell that stops at the first failure. Returns what they print."""
        environment = {
            "HOME": str(self.folder),
            "PATH": f"{VENV}:{os.environ['PATH']}",
            "AWS_PAGER": "",
            **self.cloud.environment_variables(),
            **self.variables,
            **variables,
        }
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands(*headings)],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr
