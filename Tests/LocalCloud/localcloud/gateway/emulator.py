"""moto, called in this process: its version is pinned, its state is dropped at each start."""

from __future__ import annotations

import logging
import threading
from typing import Any

import moto
from moto.moto_api._internal import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from localcloud.gateway import repairs
from localcloud.gateway.call import Answer, Call

SUPPORTED = "5.2.5"


def require_supported_version() -> None:
    """Internals of moto are used below and in authz: another version may answer falsely without an error."""
    if moto.__version__ != SUPPORTED:
        raise RuntimeError(f"localcloud works with moto {SUPPORTED} only; found {moto.__version__}")


class _Dispatcher(DomainDispatcherApplication):
    """The original looks for a host's service in the file system, at every request."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._found: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        if host not in self._found:
            self._found[host] = super().get_backend_for_host(host)
        return self._found[host]


class Emulator:
    """Runs one request through moto's WSGI application, in the account given."""

    def __init__(self) -> None:
        require_supported_version()
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        logging.getLogger("moto").setLevel(logging.ERROR)
        moto_api_backend.reset()
        repairs.apply()
        self._application = _Dispatcher()
        self._lock = threading.Lock()

    def answer(self, call: Call, account: str) -> Answer:
        environ = call.environ()
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
        if "HTTP_AUTHORIZATION" not in environ:
            # moto finds the service by the credential scope, and a presigned or anonymous request has none in a header.
            scope = f"AKIAANONYMOUS/20200101/{call.region}/{call.service}/aws4_request"
            environ["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"
        answer = Answer(500)

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info=None):
            answer.status, answer.headers = int(status.split(" ", 1)[0]), list(headers)

        # One at a time: the emulator checks and then writes, so that of two conditional writes both might win.
        with self._lock:
            chunks = self._application(environ, start_response)
            try:
                answer.body = b"".join(chunks)
            finally:
                close = getattr(chunks, "close", None)
                if close:
                    close()
        return answer
