"""Problem documents (RFC 7807) as an ACME server answers with them."""

from __future__ import annotations

import json

from localcloud.gateway.call import Answer


class Problem(Exception):
    """`kind` is the last part of `urn:ietf:params:acme:error:…`."""

    def __init__(self, kind: str, detail: str, status: int = 400, retry_after: float = 0):
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail
        self.status = status
        self.retry_after = retry_after

    def answer(self, nonce: str) -> Answer:
        """Errors bring a nonce, as every answer to a POST does."""
        problem = {"type": f"urn:ietf:params:acme:error:{self.kind}", "detail": self.detail, "status": self.status}
        headers = [("Content-Type", "application/problem+json"), ("Replay-Nonce", nonce)]
        if self.retry_after:
            headers.append(("Retry-After", str(int(self.retry_after))))
        return Answer(self.status, headers, json.dumps(problem).encode())
