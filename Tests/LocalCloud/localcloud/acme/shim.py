"""What stands between clients and pebble: records every request, strikes with faults, adds what pebble lacks."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localcloud.acme.extensions import Extensions
from localcloud.acme.loopback_tls import LoopbackTls
from localcloud.acme.pebble import Pebble
from localcloud.acme.problems import Problem
from localcloud.acme.requests import AcmeRequest, opened
from localcloud.faults import ACME, Fault, Faults
from localcloud.gateway.call import Answer, Call
from localcloud.gateway.server import AnswerCut, ConnectionLost, LoopbackServer

_PATIENCE = 60
_NOT_FORWARDED = ("connection", "content-length", "transfer-encoding")


class Shim:
    """A reverse proxy on loopback with a TLS certificate of its own. Its addresses are the ones that clients see,
    because pebble makes them of the Host header."""

    def __init__(self, pebble: Pebble, tls: LoopbackTls, faults: Faults, kill: Callable[[], None]):
        self._pebble = pebble
        self._faults = faults
        self._kill = kill
        self._trust = ssl.create_default_context(cafile=str(tls.trust))
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPSConnection] = []
        self.requests: list[AcmeRequest] = []
        shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        shown.load_cert_chain(Path(tls.certificate), Path(tls.key))
        self._server = LoopbackServer(self._answer, tls=shown)
        self.extensions = Extensions(pebble, self._server.url)
        self.directory = f"{self._server.url}/dir"

    def named(self, kind: str) -> list[AcmeRequest]:
        """The requests of one kind so far, in order."""
        return [request for request in list(self.requests) if request.kind == kind]

    def _answer(self, call: Call) -> Answer:
        agent = call.header("user-agent") or ""
        with self._lock:
            request = opened(len(self.requests) + 1, call.method, call.path, call.body, agent)
            self.requests.append(request)
        fault = self._faults.striking(ACME, request.kind, event=request)
        if fault:
            request.fault = fault.effect
        try:
            self._before(fault)
            answer = self.extensions.own_answer(request) or self._forward(call)
            answer = self.extensions.completed(request, answer)
        except Problem as problem:
            answer = problem.answer(self._nonce())
        # What pebble did counts, whether or not the client hears of it.
        request.status, request.answer = answer.status, answer.body
        answer = self._after(fault, answer)
        request.status, request.answer = answer.status, answer.body
        return answer

    def _before(self, fault: Fault | None) -> None:
        """Effects that come before pebble sees the request, which it then never does (but after a hang)."""
        if fault is None:
            return
        if fault.effect == "refuse":
            raise Problem(fault.code, f"A fault was asked for: {fault.code}", fault.status, fault.seconds)
        if fault.effect == "kill":
            (fault.victim or self._kill)()
        if fault.effect in ("reset", "kill"):
            raise ConnectionLost
        if fault.effect == "hang":
            time.sleep(fault.seconds)

    def _after(self, fault: Fault | None, answer: Answer) -> Answer:
        if fault is None:
            return answer
        if fault.effect == "kill_after":
            (fault.victim or self._kill)()
        if fault.effect in ("lose_answer", "kill_after"):
            raise ConnectionLost
        if fault.effect == "cut":
            raise AnswerCut(answer)
        if fault.effect == "alter" and fault.change:
            changed: Any = fault.change(json.loads(answer.body))
            return Answer(answer.status, answer.headers, json.dumps(changed).encode())
        return answer

    def _forward(self, call: Call) -> Answer:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        connection = connection or http.client.HTTPSConnection(
            "127.0.0.1", self._pebble.port, timeout=_PATIENCE, context=self._trust
        )
        headers = {name: value for name, value in call.headers if name.lower() not in _NOT_FORWARDED}
        try:
            connection.request(call.method, call.target, call.body or None, headers)
            got = connection.getresponse()
            answer = Answer(got.status, got.getheaders(), got.read())
        except (OSError, http.client.HTTPException):
            connection.close()
            raise ConnectionLost from None
        with self._lock:
            self._idle.append(connection)
        return answer

    def _nonce(self) -> str:
        answer = self._forward(Call("HEAD", "/nonce-plz", [("Host", f"127.0.0.1:{self._server.port}")], b""))
        return answer.header("replay-nonce") or ""

    def stop(self) -> None:
        self._server.stop()
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
