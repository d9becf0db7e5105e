"""Where the repository keeps what is tested."""

from __future__ import annotations

import os
import platform
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
TEMPLATES = REPOSITORY / "templates"

_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def architecture() -> str:
    """This machine's, in Lambda's words."""
    return _ARCHITECTURES[platform.machine()]


def function_zip() -> Path:
    """The packaged function: $STACKCERT_ZIP, or what package.sh left in dist/."""
    named = os.environ.get("STACKCERT_ZIP")
    found = Path(named) if named else REPOSITORY / "dist" / f"stackcert-lambda-{architecture()}.zip"
    if not found.is_file():
        raise FileNotFoundError(f"{found} is missing: run ./package.sh, or set STACKCERT_ZIP")
    return found


def command_zip() -> Path:
    """The packaged command, which servers fetch: $STACKCERT_COMMAND_ZIP, or what package.sh left in dist/."""
    named = os.environ.get("STACKCERT_COMMAND_ZIP")
    found = Path(named) if named else REPOSITORY / "dist" / f"stackcert-{architecture()}.zip"
    if not found.is_file():
        raise FileNotFoundError(f"{found} is missing: run ./package.sh, or set STACKCERT_COMMAND_ZIP")
    return found


def stackcert() -> Path:
    """The tool for people and servers: $STACKCERT_TOOL, or what `swift build` left."""
    named = os.environ.get("STACKCERT_TOOL")
    found = Path(named) if named else REPOSITORY / ".build" / "debug" / "stackcert"
    if not found.is_file():
        raise FileNotFoundError(f"{found} is missing: run swift build --product stackcert, or set STACKCERT_TOOL")
    return found
