"""What the audience sees: headings, commands with their answers, stack events as they come, and what was proven."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from localcloud import LocalCloud
from localcloud.authz.principals import Credentials
from support.paths import command_zip

_COLOURS = {"bold": "1", "green": "32", "red": "31", "grey": "90"}


def _coloured(text: str, colour: str) -> str:
    return f"\033[{_COLOURS[colour]}m{text}\033[0m" if sys.stdout.isatty() else text


def _on_lines(arguments: tuple[str, ...]) -> str:
    """A command, continued on further lines when it is long: each option and each parameter on its own."""
    text = shlex.join(arguments)
    if len(text) <= 110:
        return text
    lines = [""]
    for word in map(shlex.quote, arguments):
        if lines[-1] and word.startswith(("--", "ParameterKey=")):
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return " \\\n        ".join(lines)


class Stage:
    """Prints, runs AWS CLI commands, and keeps count of what was shown."""

    def __init__(self, cloud: LocalCloud, repository: Path):
        self._cloud = cloud
        self._repository = repository
        self._began = time.monotonic()
        self._shown: list[tuple[bool, str]] = []

    def heading(self, text: str) -> None:
        print(f"\n{_coloured(text, 'bold')}", flush=True)

    def say(self, text: str) -> None:
        """Print lines, the long ones cut."""
        lines = (line if len(line) <= 150 else line[:149] + "…" for line in text.splitlines())
        print("".join(f"  {line}\n" for line in lines), end="", flush=True)

    def aws(self, *arguments: str, role: str = "", credentials: Credentials | None = None) -> tuple[int, str]:
        """Run the AWS CLI as the administrator, or with a session's credentials. Shows the command; returns its exit
        code and what it wrote. `role` says to the audience who is calling."""
        caller = _coloured(f"   # {role}", "grey") if role else ""
        print(f"  $ aws {_on_lines(arguments)}{caller}", flush=True)
        return self._run(Path(sys.executable).with_name("aws"), arguments, credentials)

    def stackcert(self, *arguments: str) -> tuple[int, str]:
        """Run our own command as the administrator."""
        print(f"  $ stackcert {_on_lines(arguments)}", flush=True)
        with tempfile.TemporaryDirectory(prefix="stackcert-") as folder, zipfile.ZipFile(command_zip()) as packed:
            program = Path(packed.extract("stackcert", folder))
            program.chmod(0o755)
            return self._run(program, arguments, None)

    def _run(self, program: Path, arguments: tuple[str, ...], credentials: Credentials | None) -> tuple[int, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done = subprocess.run(
            [program, *arguments],
            cwd=self._repository,
            env={**kept, **self._cloud.environment_variables(credentials), "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"},
            capture_output=True,
            text=True,
        )
        return done.returncode, (done.stdout + done.stderr).strip()

    def follow(self, stack: str, after: int = 0) -> int:
        """Show the stack's events as they come, those up to number `after` left out, until its operation has ended.
        Returns the number of events."""
        count = 0
        for event in self._cloud.stacks.follow(stack):
            count += 1
            if count <= after:
                continue
            reason = event.get("ResourceStatusReason", "")
            line = f"{event['LogicalResourceId']:<26} {event['ResourceStatus']:<36} {reason}"
            colour = "red" if "FAILED" in event["ResourceStatus"] else "grey"
            print("    " + _coloured(line.rstrip()[:150], colour), flush=True)
        return count

    def check(self, holds: bool, what: str, detail: str = "") -> None:
        """Note that something was shown, or that it was not."""
        self._shown.append((holds, what))
        mark = _coloured("ok", "green") if holds else _coloured("FAILED", "red")
        print(f"  {mark}  {what}" + (f"\n      {detail}" if detail and not holds else ""), flush=True)

    def summary(self) -> int:
        """The list of what was shown; the exit code."""
        seconds = time.monotonic() - self._began
        self.heading(f"What was shown, in {seconds:.0f} seconds")
        for holds, what in self._shown:
            print(f"  {_coloured('ok    ', 'green') if holds else _coloured('FAILED', 'red')}  {what}")
        return 0 if self._shown and all(holds for holds, _ in self._shown) else 1
