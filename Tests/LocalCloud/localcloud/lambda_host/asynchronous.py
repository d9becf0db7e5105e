"""Asynchronous invocation: accepted at once, redelivered when it fails, in the end sent to where failures go."""

from __future__ import annotations

import datetime
import json
import threading
import time
import uuid
from collections.abc import Callable

from localcloud.lambda_host.function import Function
from localcloud.lambda_host.host import LambdaHost
from localcloud.lambda_host.sandbox import Outcome

NOMINAL_DELAYS = (60.0, 120.0)
"""Seconds that Lambda waits before its first and second retry. `scale` shortens them here."""

SendAs = Callable[[Function, str, str], None]
"""Sends a message (text) to a queue, topic or function (ARN) with the function's own role."""


class AsynchronousInvoker:
    """One thread per accepted event. An event's age counts in unscaled seconds, as MaximumEventAge does."""

    def __init__(self, host: LambdaHost, send_as: SendAs, scale: float):
        self._host = host
        self._send_as = send_as
        self._scale = scale
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def submit(self, function: Function, body: bytes) -> str:
        """Accept an event. The request id is the same in all its deliveries, as on AWS."""
        request_id = str(uuid.uuid4())
        thread = threading.Thread(target=self._deliver, args=(function, body, request_id), daemon=True)
        self._threads = [t for t in self._threads if t.is_alive()] + [thread]
        thread.start()
        return request_id

    def _deliver(self, function: Function, body: bytes, request_id: str) -> None:
        age, attempt = 0.0, 0
        while True:
            attempt += 1
            outcome = self._host.invoke(function, body, request_id, attempt)
            if not outcome.error or self._stopped.is_set():
                return None
            age += outcome.seconds
            if attempt > function.max_retries:
                return self._give_up(function, body, request_id, attempt, outcome, "RetriesExhausted")
            delay = NOMINAL_DELAYS[min(attempt, len(NOMINAL_DELAYS)) - 1]
            if age + delay > function.max_age:
                return self._give_up(function, body, request_id, attempt, outcome, "EventAgeExceeded")
            age += delay
            if self._stopped.wait(delay * self._scale):
                return None

    def _give_up(
        self, function: Function, body: bytes, request_id: str, attempts: int, outcome: Outcome, why: str
    ) -> None:
        if function.dead_letter:
            self._send_as(function, function.dead_letter, body.decode("utf-8", "replace"))
        if function.on_failure:
            self._send_as(
                function, function.on_failure, self._record(function, body, request_id, attempts, outcome, why)
            )

    @staticmethod
    def _record(function: Function, body: bytes, request_id: str, attempts: int, outcome: Outcome, why: str) -> str:
        return json.dumps(
            {
                "version": "1.0",
                "timestamp": datetime.datetime.fromtimestamp(time.time(), datetime.UTC).isoformat(),
                "requestContext": {
                    "requestId": request_id,
                    "functionArn": function.arn + ":$LATEST",
                    "condition": why,
                    "approximateInvokeCount": attempts,
                },
                "requestPayload": json.loads(body),
                "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
                "responsePayload": json.loads(outcome.result) if outcome.result else None,
            }
        )

    def wait_idle(self, seconds: float = 30) -> bool:
        """True once no accepted event is still being delivered or waiting for a retry."""
        limit = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0, limit - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        self._stopped.set()
