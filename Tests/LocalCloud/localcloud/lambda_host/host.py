"""Keeps sandboxes: starts them cold, reuses them warm, ends them."""

from __future__ import annotations

import tempfile
import threading
import uuid
from collections.abc import Callable
from typing import Protocol

from localcloud.errors import AwsError
from localcloud.faults import INVOCATION, Faults
from localcloud.lambda_host.environment import process_environment
from localcloud.lambda_host.function import CodeCache, Function, failure, find_function
from localcloud.lambda_host.sandbox import Outcome, Sandbox
from localcloud.recorder import Invocation, Recorder
from localcloud.services.sts import Sts


class AnySandbox(Protocol):
    access_key_id: str
    current: bytes | None

    @property
    def alive(self) -> bool: ...
    def invoke(self, body: bytes, told: float, request_id: str | None, kill_after: float | None) -> Outcome: ...
    def kill(self) -> None: ...
    def close(self) -> None: ...


class LambdaHost:
    """Invokes functions. `factory` makes a sandbox: on this package's Runtime API, or on AWS's emulator of it."""

    def __init__(
        self,
        sts: Sts,
        faults: Faults,
        recorder: Recorder,
        endpoint: Callable[[], str],
        factory: Callable[[Function, dict[str, str], str], AnySandbox] = Sandbox,
    ):
        self._sts = sts
        self._faults = faults
        self._recorder = recorder
        self._endpoint = endpoint
        self._factory = factory
        self._directory = tempfile.TemporaryDirectory(prefix="localcloud-functions-")
        self._code = CodeCache(self._directory.name)
        self._lock = threading.Lock()
        self._idle: dict[tuple, list[AnySandbox]] = {}
        self._all: dict[str, AnySandbox] = {}
        self._function_keys: set[str] = set()
        self.variables: dict[str, str] = {}
        self.on_log: Callable[[Function, str], None] = lambda _function, _log: None
        self.cold_starts = 0
        self.warm_starts = 0

    def is_function(self, access_key_id: str) -> bool:
        return access_key_id in self._function_keys

    def kill(self, access_key_id: str) -> None:
        """SIGKILL the process that holds these credentials."""
        sandbox = self._all.get(access_key_id)
        if sandbox:
            sandbox.kill()

    def kill_handling(self, marker: str) -> None:
        """SIGKILL the processes that are at work on an event with this text in it."""
        for sandbox in list(self._all.values()):
            if marker.encode() in (sandbox.current or b""):
                sandbox.kill()

    def kill_busy(self) -> None:
        """SIGKILL all processes that are at work on an event."""
        for sandbox in self._busy():
            sandbox.kill()

    @property
    def is_busy(self) -> bool:
        """Whether any process is at work on an event."""
        return bool(self._busy())

    def _busy(self) -> list[AnySandbox]:
        return [sandbox for sandbox in list(self._all.values()) if sandbox.current is not None]

    def retire(self, arn: str, keep: tuple | None = None) -> None:
        """End the idle sandboxes of a function that has been changed or deleted; `keep` is the current state's key."""
        with self._lock:
            stale = [key for key in self._idle if key[0] == arn and key != keep]
            idle = [sandbox for key in stale for sandbox in self._idle.pop(key)]
        for sandbox in idle:
            sandbox.close()

    def set_variables(self, variables: dict[str, str]) -> None:
        """What every process finds in its environment from now on. Those without it are ended: idle ones at once, the
        others when they have done their work."""
        with self._lock:
            self.variables = dict(variables)
            idle = [sandbox for pool in self._idle.values() for sandbox in pool]
            self._idle.clear()
        for sandbox in idle:
            sandbox.close()

    def _sandbox(self, function: Function) -> AnySandbox:
        self.retire(function.arn, function.sandbox_key)
        with self._lock:
            pool = self._idle.setdefault(function.sandbox_key, [])
            while pool:
                sandbox = pool.pop()
                if sandbox.alive:
                    self.warm_starts += 1
                    return sandbox
                sandbox.close()
            self.cold_starts += 1
        credentials = self._sts.for_service(
            function.role, "lambda.amazonaws.com", function.name, {"aws:sourceaccount": function.account}
        )
        environment = process_environment(function, credentials, self._endpoint(), self.variables)
        with self._lock:
            self._function_keys.add(credentials.access_key_id)
        sandbox = self._factory(function, environment, self._code.unpacked(function))
        with self._lock:
            self._all[credentials.access_key_id] = sandbox
        return sandbox

    def invoke(self, function: Function, body: bytes, request_id: str | None = None, attempt: int = 1) -> Outcome:
        """Run one event to its end. A role that Lambda may not assume is an AccessDeniedException of Lambda's."""
        request_id = request_id or str(uuid.uuid4())
        fault = self._faults.striking(INVOCATION, function.name, event=body)
        told = fault.seconds if fault and fault.effect == "deadline" else function.timeout
        kill_after = fault.seconds if fault and fault.effect == "kill" else None
        variables = self.variables
        try:
            sandbox = self._sandbox(function)
        except AwsError as error:
            message = f"The function's role cannot be assumed by Lambda: {error.message}"
            return Outcome(failure("AccessDeniedException", message), True, "", 0)
        outcome = sandbox.invoke(body, told, request_id, kill_after)
        self._recorder.add(
            Invocation(
                function.arn, request_id, body, outcome.result, outcome.error, outcome.log, attempt, outcome.seconds
            )
        )
        self.on_log(function, outcome.log)
        with self._lock:
            is_current = variables is self.variables
            if sandbox.alive and is_current:
                self._idle.setdefault(function.sandbox_key, []).append(sandbox)
        if not is_current:
            sandbox.close()
        return outcome

    def find(self, name_or_arn: str, account: str, region: str, qualifier: str | None = None) -> Function:
        return find_function(name_or_arn, account, region, qualifier)

    def close(self) -> None:
        with self._lock:
            sandboxes, self._all = list(self._all.values()), {}
            self._idle.clear()
        for sandbox in sandboxes:
            sandbox.close()
        self._directory.cleanup()
