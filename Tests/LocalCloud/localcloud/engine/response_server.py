"""Where providers PUT their responses: it stands for CloudFormation's presigned S3 addresses."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from localcloud.faults import RESPONSE_URL, Faults
from localcloud.gateway.call import Answer, Call
from localcloud.gateway.server import ConnectionLost, LoopbackServer
from localcloud.recorder import CustomResourceExchange

_LIFETIME = 2 * 3600


def _error(status: int, code: str) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'
    return Answer(status, [("Content-Type", "application/xml")], body.encode())


@dataclass
class Slot:
    """One event's response: `body` is the last upload once `arrived` is set."""

    exchange: CustomResourceExchange
    kill: Callable[[], None]
    body: bytes = b""
    arrived: threading.Event = field(default_factory=threading.Event)
    expires: float = field(default_factory=lambda: time.time() + _LIFETIME)


class ResponseServer:
    """Loopback http. An upload with the wrong token, or with any content type (the signature has none), answers 403."""

    def __init__(self, faults: Faults):
        self._faults = faults
        self._slots: dict[str, Slot] = {}
        self._server = LoopbackServer(self._handle)

    def open(self, exchange: CustomResourceExchange, kill: Callable[[str], None], region: str) -> tuple[Slot, str]:
        """A slot for one event, and its address, shaped as the real ones are.

        `kill` ends the processes at work on an event that holds a given text: for faults.
        """
        token, request_id = secrets.token_urlsafe(32), exchange.request["RequestId"]
        slot = self._slots[token] = Slot(exchange, lambda: kill(request_id))
        bucket = f"cloudformation-custom-resource-response-{region.replace('-', '')}"
        query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
        query += f"&X-Amz-SignedHeaders=host&X-Amz-Expires={_LIFETIME}&X-Amz-Signature={token}"
        return slot, f"{self._server.url}/{bucket}/response%7C{secrets.token_hex(8)}?{query}"

    def _handle(self, call: Call) -> Answer:
        slot = self._slots.get(call.query.get("X-Amz-Signature", ""))
        if call.method != "PUT" or slot is None:
            return _error(403, "SignatureDoesNotMatch")
        headers = {name.lower(): value for name, value in call.headers}
        fault = self._faults.striking(RESPONSE_URL, slot.exchange.request["RequestType"], event=slot.exchange)
        effect = fault.effect if fault else ""
        if fault and effect == "hang":
            time.sleep(fault.seconds)
        if effect == "kill":
            slot.kill()
        if effect in ("reset", "kill"):
            slot.exchange.uploads.append((0, headers, call.body))
            raise ConnectionLost
        if fault and effect == "refuse":
            answer = _error(fault.status, fault.code)
        elif headers.get("content-type"):
            answer = _error(403, "SignatureDoesNotMatch")
        elif time.time() > slot.expires:
            answer = _error(403, "AccessDenied")
        else:
            answer = Answer(200, [("ETag", '"0"')])
        slot.exchange.uploads.append((answer.status, headers, call.body))
        if answer.status == 200 and effect != "refuse" and not slot.arrived.is_set():
            slot.body = call.body
            slot.arrived.set()
        if effect == "kill_after":
            slot.kill()
        if effect in ("lose_answer", "kill_after"):
            raise ConnectionLost
        return answer

    def stop(self) -> None:
        self._server.stop()
