"""The Runtime API (2018-06-01) for one sandbox: the function's process asks for events here and answers them."""

from __future__ import annotations

import json
import queue
import threading
import time
from dataclasses import dataclass, field

from localcloud.gateway.call import Answer, Call
from localcloud.gateway.server import ConnectionLost, LoopbackServer

_PREFIX = "/2018-06-01/runtime/"
_LARGEST_RESPONSE = 6 * 1024 * 1024 + 100 * 1024


@dataclass
class Event:
    """One invocation. `deadline` is in seconds since 1970; `done` is set once there is a result or an error."""

    request_id: str
    body: bytes
    deadline: float
    function_arn: str
    done: threading.Event = field(default_factory=threading.Event)
    result: bytes = b""
    error: bool = False

    def finish(self, result: bytes, error: bool) -> None:
        self.result, self.error = result, error
        self.done.set()


def _json(http_status: int, **members: str) -> Answer:
    return Answer(http_status, [("Content-Type", "application/json")], json.dumps(members).encode())


class RuntimeApi:
    """Serves one process. `asked` is set whenever the process has come back for the next event."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._current: Event | None = None
        self.asked = threading.Event()
        self.init_error: bytes | None = None
        self._server = LoopbackServer(self._handle)
        self.address = f"127.0.0.1:{self._server.port}"

    def offer(self, event: Event) -> None:
        self.asked.clear()
        self._current = event
        self._waiting.put(event)

    def _handle(self, call: Call) -> Answer:
        if not call.path.startswith(_PREFIX):
            return _json(404, errorType="NotFound", errorMessage=call.path)
        parts = call.path.removeprefix(_PREFIX).split("/")
        if call.method == "GET" and parts == ["invocation", "next"]:
            return self._next()
        if call.method == "POST" and parts == ["init", "error"]:
            self.init_error = call.body
            return _json(202, status="OK")
        if call.method == "POST" and len(parts) == 3 and parts[0] == "invocation" and parts[2] in ("response", "error"):
            return self._report(parts[1], parts[2] == "error", call.body)
        return _json(404, errorType="NotFound", errorMessage=call.path)

    def _next(self) -> Answer:
        self.asked.set()
        event = self._waiting.get()
        if event is None:
            raise ConnectionLost
        headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", event.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(int(event.deadline * 1000))),
            ("Lambda-Runtime-Invoked-Function-Arn", event.function_arn),
            (
                "Lambda-Runtime-Trace-Id",
                f"Root=1-{int(time.time()):08x}-{event.request_id.replace('-', '')[:24]};Sampled=0",
            ),
        ]
        return Answer(200, headers, event.body)

    def _report(self, request_id: str, error: bool, body: bytes) -> Answer:
        event = self._current
        if event is None or event.request_id != request_id or event.done.is_set():
            return _json(400, errorType="InvalidRequestID", errorMessage="Invalid request ID")
        if len(body) > _LARGEST_RESPONSE:
            message = f"Response payload size exceeded maximum allowed payload size ({_LARGEST_RESPONSE} bytes)."
            failure = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
            event.finish(json.dumps(failure).encode(), True)
            return _json(413, errorType="RequestEntityTooLarge", errorMessage="Exceeded maximum allowed payload size.")
        event.finish(body, error)
        return _json(202, status="OK")

    def close(self) -> None:
        self._waiting.put(None)
        self._server.stop()
