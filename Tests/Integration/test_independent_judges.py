"""Requests and documents that nobody has seen before, judged by botocore and expat, and by us."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from support.paths import REPOSITORY
from support.swift_tests import run


@pytest.mark.parametrize(
    ("generator", "suite", "variable"),
    [
        ("Tests/SigV4Tests/Fixtures/generate.py", "RequestSignerTests", "STACKCERT_SIGV4_VECTORS"),
        ("Tests/AWSClientTests/Fixtures/generate.py", "XMLPullParserTests", "STACKCERT_XML_DOCUMENTS"),
    ],
)
def test_what_is_made_by_chance_is_read_alike(generator: str, suite: str, variable: str, tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    fresh = tmp_path / "fresh.json"
    command = [sys.executable, REPOSITORY / generator, f"--seed={seed}", "--count=1000", f"--output={fresh}"]
    subprocess.run(command, check=True)
    run(suite, {variable: str(fresh)})
