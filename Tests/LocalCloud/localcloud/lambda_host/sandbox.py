"""One execution environment: one process of the function's bootstrap, one event at a time."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass

from localcloud.lambda_host.function import Function, failure
from localcloud.lambda_host.runtime_api import Event, RuntimeApi

_POLL = 0.002


@dataclass
class Outcome:
    """What an invocation gave: the response or the error's JSON, and all that the process wrote meanwhile."""

    result: bytes
    error: bool
    log: str
    seconds: float


def _has_news(pipe: int, milliseconds: int | None) -> bool:
    """Whether there is something to read, or the end. `select` refuses the numbers that a long run comes to."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    return bool(poll.poll(milliseconds))


class ProcessLog:
    """Collects a process's standard output and error while it runs."""

    def __init__(self, process: subprocess.Popen[bytes]):
        assert process.stdout is not None
        self._pipe = process.stdout.fileno()
        self._text = b""
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            _has_news(self._pipe, None)
            # What has left the pipe is in the text, for whoever holds the lock.
            with self._lock:
                chunk = os.read(self._pipe, 65536)
                self._text += chunk
            if not chunk:
                return

    def is_read(self) -> bool:
        """Whether all that the process has written so far is here."""
        with self._lock:
            return not _has_news(self._pipe, 0)

    def take(self) -> str:
        with self._lock:
            text, self._text = self._text.decode("utf-8", "replace").rstrip("\n"), b""
        return text

    def finish(self) -> None:
        self._thread.join(1)


class Sandbox:
    """Runs `bootstrap` against a Runtime API of its own. Not for use by two threads at once."""

    def __init__(self, function: Function, environment: dict[str, str], directory: str):
        self.function = function
        self.access_key_id = environment["AWS_ACCESS_KEY_ID"]
        self._api = RuntimeApi()
        self._log: ProcessLog | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._start_error: str | None = None
        self.current: bytes | None = None
        try:
            self._process = subprocess.Popen(
                [os.path.join(directory, "bootstrap")],
                cwd=directory,
                env={**environment, "AWS_LAMBDA_RUNTIME_API": self._api.address, "LAMBDA_TASK_ROOT": directory},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._log = ProcessLog(self._process)
        except OSError as error:
            self._start_error = str(error)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def process_id(self) -> int | None:
        return self._process.pid if self._process else None

    def invoke(
        self, body: bytes, told: float, request_id: str | None = None, kill_after: float | None = None
    ) -> Outcome:
        """Hand one event over and wait. `told` is the time in seconds that the function has and is told of."""
        started = time.monotonic()
        event = Event(request_id or str(uuid.uuid4()), body, time.time() + told, self.function.arn)
        if self._process is None:
            error = failure("Runtime.InvalidEntrypoint", f"RequestId: {event.request_id} Error: {self._start_error}")
            return Outcome(error, True, "", 0)
        self.current = body
        self._api.offer(event)
        while not event.done.wait(_POLL):
            elapsed = time.monotonic() - started
            if kill_after is not None and elapsed >= kill_after:
                self.kill()
                kill_after = None
            if elapsed >= told:
                message = f"RequestId: {event.request_id} Error: Task timed out after {told:.2f} seconds"
                event.finish(failure("Sandbox.Timedout", message), True)
                self.close()
            elif not self.alive and not event.done.wait(0.05):
                event.finish(self._exit_error(event.request_id), True)
                self.close()
        seconds = time.monotonic() - started
        self.current = None
        self._settle()
        return Outcome(event.result, event.error, self._report(event, seconds), seconds)

    def _exit_error(self, request_id: str) -> bytes:
        assert self._process is not None
        if self._api.init_error:
            return self._api.init_error
        code = self._process.wait()
        how = f"signal: {(signal.strsignal(-code) or str(-code)).lower()}" if code < 0 else f"exit status {code}"
        return failure("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {how}")

    def _settle(self) -> None:
        """Wait until the process is back for its next event, so that its log of this one is complete."""
        limit = time.monotonic() + 0.5
        while self.alive and not self._api.asked.is_set() and time.monotonic() < limit:
            time.sleep(_POLL)
        # On a busy machine the thread that reads may be far behind.
        while self._log is not None and self.alive and not self._log.is_read() and time.monotonic() < limit:
            time.sleep(_POLL)
        time.sleep(_POLL)

    def _report(self, event: Event, seconds: float) -> str:
        assert self._log is not None
        if not self.alive:
            self._log.finish()
        written = self._log.take()
        return "\n".join(
            [
                f"START RequestId: {event.request_id} Version: $LATEST",
                *([written] if written else []),
                f"END RequestId: {event.request_id}",
                f"REPORT RequestId: {event.request_id}\tDuration: {seconds * 1000:.2f} ms\t"
                f"Billed Duration: {int(seconds * 1000) + 1} ms\tMemory Size: {self.function.memory} MB",
            ]
        )

    def kill(self) -> None:
        """SIGKILL to the process and its children."""
        if self._process and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(5)

    def close(self) -> None:
        self.kill()
        self._api.close()
