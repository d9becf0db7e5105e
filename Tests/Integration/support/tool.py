"""The tool `stackcert` as people run it."""

from __future__ import annotations

import os
import subprocess

from localcloud import LocalCloud

from support.paths import stackcert


def environment(cloud: LocalCloud, **variables: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, **cloud.environment_variables(), **variables}


def run(cloud: LocalCloud, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs it to its end, with the rights of an administrator unless `variables` say otherwise."""
    return subprocess.run(
        [stackcert(), *arguments],
        env=environment(cloud, **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )
