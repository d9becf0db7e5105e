"""A small, correct repository around a copy of the gates, for tests to break one thing in."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MANIFEST = """\
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Sample",
    dependencies: [
        .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2")
    ],
    targets: [
        .target(name: "Diagnostics"),
        .target(name: "Timekeeping"),
        .target(name: "PKI", dependencies: ["Diagnostics"]),
        .target(
            name: "HTTPTransport",
            dependencies: ["PKI", .product(name: "Logging", package: "swift-log")]
        ),
        .testTarget(name: "PKITests", dependencies: ["PKI"]),
    ]
)
"""

GOOD = {
    "Package.swift": MANIFEST,
    "Sources/Diagnostics/Reason.swift": "package struct Reason {}\n",
    "Sources/Timekeeping/Instant.swift": "package struct Instant {}\n",
    "Sources/PKI/Key.swift": "internal import Diagnostics\n\npackage struct Key {}\n",
    "Sources/HTTPTransport/Client.swift": "internal import Logging\ninternal import PKI\n\nstruct Client {}\n",
    "Tests/PKITests/KeyTests.swift": "import Foundation\nimport PKI\nimport Testing\n\nstruct KeyTests {}\n",
    "Tests/Tools/test_nothing.py": '"""Nothing."""\n',
    "Benchmarks/bench.py": '"""Nothing."""\n',
    "package.sh": "#!/bin/bash\nset -eu\necho good\n",
    "templates/provider.yml": "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Everything in it passes every gate."""
    shutil.copytree(ROOT / "Tools", tmp_path / "Tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".swift-format", tmp_path)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    shutil.copy(ROOT / "ruff.toml", tmp_path)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    for name, text in GOOD.items():
        write(tmp_path / name, text)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


@pytest.fixture
def lint(repository: Path) -> Callable[..., tuple[int, str]]:
    """Runs the named gates; returns the exit status and all that was printed."""

    def run(*gates: str) -> tuple[int, str]:
        result = subprocess.run([repository / "Tools/lint", *gates], capture_output=True, text=True)
        return result.returncode, result.stdout + result.stderr

    return run


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
