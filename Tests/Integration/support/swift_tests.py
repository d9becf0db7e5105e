"""The Swift tests, run with what only a cloud or another program can give them."""

from __future__ import annotations

import os
import re
import subprocess

from support.paths import REPOSITORY

BUILT = REPOSITORY / ".build" / "debug" / "StackCertPackageTests.xctest"


def run(suite: str, variables: dict[str, str], timeout: int = 120) -> None:
    """Runs one suite; none of its tests may be skipped."""
    if not BUILT.is_file():
        raise FileNotFoundError(f"{BUILT} is missing: run swift build --build-tests")
    done = subprocess.run(
        [BUILT, "--testing-library", "swift-testing", "--filter", suite],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    shown = done.stdout + done.stderr
    assert done.returncode == 0, shown
    assert re.search(r"[1-9]\d* tests? in [1-9]\d* suites? passed", shown), shown
    assert " skipped" not in shown, shown
