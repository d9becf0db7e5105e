"""The settings of the two pytest suites: what happens in a thread counts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
DYING = """
import threading

def test_something():
    thread = threading.Thread(target=lambda: 1 / {divisor})
    thread.start()
    thread.join()
"""


@pytest.mark.parametrize("settings", ["Integration/pytest.ini", "LocalCloud/pyproject.toml"])
@pytest.mark.parametrize(("divisor", "status"), [(0, 1), (1, 0)], ids=["dies", "ends"])
def test_a_thread_that_dies_fails_its_test(tmp_path: Path, settings: str, divisor: int, status: int):
    file = tmp_path / "test_thread.py"
    file.write_text(DYING.format(divisor=divisor))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", TESTS / settings, "--rootdir", tmp_path, file],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == status, done.stdout
    assert ("ZeroDivisionError" in done.stdout) == (divisor == 0)
