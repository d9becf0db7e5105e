"""The same sandbox on AWS's own Runtime Interface Emulator, which comes inside the wheel of aws-sam-cli."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
import zipfile
from pathlib import Path

from localcloud.lambda_host.function import Function, failure
from localcloud.lambda_host.sandbox import Outcome

SAM_VERSION = "1.170.0"
_MEMBERS = {"x86_64": "samcli/local/rapid/aws-lambda-rie-x86_64", "aarch64": "samcli/local/rapid/aws-lambda-rie-arm64"}


def _cache() -> Path:
    """`.cache/` of the repository that this package lies in, or of the working directory."""
    for parent in Path(__file__).resolve().parents:
        if (parent / ".git").exists():
            return parent / ".cache"
    return Path.cwd() / ".cache"


def executable() -> Path:
    """Path of the emulator's binary; fetched with pip once, then kept."""
    target = _cache() / f"aws-lambda-rie-{SAM_VERSION}"
    if target.exists():
        return target
    target.parent.mkdir(exist_ok=True)
    with open(target.parent / "rie.lock", "w") as lock, tempfile.TemporaryDirectory() as directory:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            return target
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--no-deps",
            "-q",
            "-d",
            directory,
            f"aws-sam-cli=={SAM_VERSION}",
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wheel = next(Path(directory).glob("aws_sam_cli*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            partial = target.with_suffix(".partial")
            partial.write_bytes(archive.read(_MEMBERS[os.uname().machine]))
        partial.chmod(partial.stat().st_mode | stat.S_IXUSR)
        partial.rename(target)
    return target


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RieSandbox:
    """One emulator process. It panics on a second event at a time, so it is given one at a time, like any sandbox."""

    def __init__(self, function: Function, environment: dict[str, str], directory: str):
        self.function = function
        self.access_key_id = environment["AWS_ACCESS_KEY_ID"]
        self._port = _free_port()
        self._log = tempfile.NamedTemporaryFile(prefix="localcloud-rie-", suffix=".log")  # noqa: SIM115 - lives on
        command = [
            str(executable()),
            # Without these two addresses it listens on every interface.
            *("--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"),
            *("--runtime-api-address", f"127.0.0.1:{_free_port()}"),
            os.path.join(directory, "bootstrap"),
        ]
        settings = {"AWS_LAMBDA_FUNCTION_TIMEOUT": str(max(1, int(function.timeout))), "LAMBDA_TASK_ROOT": directory}
        self._process = subprocess.Popen(
            command,
            cwd=directory,
            env={**environment, **settings},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.current: bytes | None = None
        self._await_listening()

    def _await_listening(self) -> None:
        limit = time.monotonic() + 10
        while self.alive and time.monotonic() < limit:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self._port), 0.2).close()
                return
            time.sleep(0.005)
        raise RuntimeError("the Runtime Interface Emulator did not start: " + self._read_log(0))

    def _read_log(self, start: int) -> str:
        with open(self._log.name, errors="replace") as log:
            log.seek(start)
            return log.read()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def invoke(
        self, body: bytes, told: float, request_id: str | None = None, kill_after: float | None = None
    ) -> Outcome:
        """Like Sandbox.invoke; the emulator chooses the request id, and the deadline by the function's timeout."""
        del request_id, kill_after
        self.current = body
        started, start = time.monotonic(), os.path.getsize(self._log.name)
        url = f"http://127.0.0.1:{self._port}/2015-03-31/functions/function/invocations"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=told + 10) as answer:
                status, result = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, result = error.code, error.read()
        except OSError as error:
            status, result = 599, failure("Runtime.ExitError", f"RequestId: {uuid.uuid4()} Error: {error}")
        if result.startswith(b"Task timed out"):
            result, status = failure("Sandbox.Timedout", result.decode("utf-8", "replace")), 599
        seconds, self.current = time.monotonic() - started, None
        time.sleep(0.01)
        return Outcome(result, status != 200 or _is_error(result), self._read_log(start), seconds)

    def kill(self) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(5)

    def close(self) -> None:
        self.kill()
        self._log.close()


def _is_error(result: bytes) -> bool:
    """The emulator answers 200 for a function's error too, and no header tells."""
    try:
        value = json.loads(result)
    except ValueError:
        return False
    return isinstance(value, dict) and "errorMessage" in value and "errorType" in value
