"""The settings of the pytest suites: what happens in a thread, or in the end of an object, counts."""

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


ENDING = """
class Thing:
    def __del__(self):
        1 / {divisor}

def test_something():
    Thing()
"""


@pytest.mark.parametrize("program", [DYING, ENDING], ids=["thread", "object"])
@pytest.mark.parametrize("settings", ["Integration/pytest.ini", "LocalCloud/pyproject.toml", "Tools/pytest.ini"])
@pytest.mark.parametrize(("divisor", "status"), [(0, 1), (1, 0)], ids=["dies", "ends"])
def test_an_error_outside_a_tests_own_lines_fails_it(
    tmp_path: Path, program: str, settings: str, divisor: int, status: int
):
    file = tmp_path / "test_something.py"
    file.write_text(program.format(divisor=divisor))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", TESTS / settings, "--rootdir", tmp_path, file],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == status, done.stdout
    assert ("ZeroDivisionError" in done.stdout) == (divisor == 0)
