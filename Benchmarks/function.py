"""A function's process and the Runtime API that it talks to."""

from __future__ import annotations

import os
import select
import signal
import time
from pathlib import Path

from peers import Connection, Listener


class Function:
    """Starts a program and plays Lambda for it. Times are in seconds of the monotonic clock."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.listener = Listener()
        self.listener.socket.settimeout(30)
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": self.listener.endpoint,
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "bench",
            **environment,
        }
        quiet = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
        started = time.perf_counter()
        self.process = os.posix_spawn(command[0], command, environment, file_actions=quiet)
        self.connections: list[Connection] = []
        self._next()
        self.start_time = time.perf_counter() - started
        self.counter = 0

    def _next(self) -> None:
        """Waits until the program asks for an event."""
        line = self._read()[0]
        if not line.startswith("GET /2018-06-01/runtime/invocation/next "):
            raise RuntimeError(f"expected a request for the next event, got {line}")

    def _read(self) -> tuple[str, dict[str, str], bytes]:
        while True:
            sockets = [connection.socket for connection in self.connections]
            ready, _, _ = select.select([self.listener.socket, *sockets], [], [], 60)
            if not ready:
                raise RuntimeError("the program said nothing for a minute")
            if self.listener.socket in ready:
                self.connections.append(self.listener.accept())
                continue
            self.current = next(one for one in self.connections if one.socket in ready)
            if request := self.current.read():
                return request
            self.connections.remove(self.current)

    def invoke(self, event: bytes) -> tuple[float, bytes]:
        """Delivers an event; returns how long the answer took, and the answer. Raises when it is an error."""
        self.counter += 1
        fields = {
            "Lambda-Runtime-Aws-Request-Id": f"00000000-0000-0000-0000-{self.counter:012d}",
            "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 120_000),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:111122223333:function:bench",
            "Content-Type": "application/json",
        }
        started = time.perf_counter()
        self.current.answer(200, fields, event)
        line, _, body = self._read()
        elapsed = time.perf_counter() - started
        self.current.answer(202)
        if "/response " not in line:
            raise RuntimeError(f"{line}: {body.decode()}")
        self._next()
        return elapsed, body

    @property
    def resident_bytes(self) -> int:
        return self._memory("VmRSS")

    @property
    def peak_resident_bytes(self) -> int:
        return self._memory("VmHWM")

    def _memory(self, name: str) -> int:
        status = Path(f"/proc/{self.process}/status").read_text()
        return int(status.split(f"{name}:")[1].split()[0]) * 1024

    def stop(self) -> None:
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        for connection in self.connections:
            connection.socket.close()
        self.listener.socket.close()
