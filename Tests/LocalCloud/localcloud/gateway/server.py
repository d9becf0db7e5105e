"""A small threaded HTTP/1.1 server on loopback. It hands whole requests to a function and can break a connection."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from localcloud.gateway.call import Answer, Call

_POLL = 0.5


class ConnectionLost(Exception):
    """Raised by a handler to end the connection with a TCP reset instead of an answer."""


class AnswerCut(ConnectionLost):
    """Raised by a handler to send the head of `answer`, half of its body, and then a reset."""

    def __init__(self, answer: Answer):
        super().__init__()
        self.answer = answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address) -> None:
        """A client that went away is no news: clients here are killed on purpose."""


def reset(connection: socket.socket) -> None:
    """Close so that the peer sees RST and not an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RD)
    connection.close()


class LoopbackServer:
    """Listens on 127.0.0.1 at a port the system chooses (or `port`), answers each request with `handle`; over TLS when
    `tls` has a certificate to show."""

    def __init__(self, handle: Callable[[Call], Answer], port: int = 0, tls: ssl.SSLContext | None = None):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_args) -> None:
                pass

            def _body(self) -> bytes:
                if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
                    parts = []
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        parts.append(self.rfile.read(size))
                        self.rfile.readline()
                    while self.rfile.readline().strip():
                        pass
                    return b"".join(parts)
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))

            def _answer(self) -> None:
                call = Call(self.command, self.path, list(self.headers.items()), self._body())
                try:
                    answer = handle(call)
                except ConnectionLost as lost:
                    self.close_connection = True
                    if isinstance(lost, AnswerCut):
                        self._send(lost.answer, len(lost.answer.body) // 2)
                    reset(self.connection)
                    return
                except (
                    Exception
                ) as error:  # a defect of this package: told aloud, and to the client as a server's error
                    traceback.print_exc(limit=-3)
                    answer = Answer(500, [("Content-Type", "text/plain")], repr(error).encode())
                self._send(answer)

            def _send(self, answer: Answer, limit: int | None = None) -> None:
                self.send_response_only(answer.status)
                for name, value in answer.headers:
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                if self.command == "HEAD":
                    self.send_header("Content-Length", answer.header("content-length") or "0")
                elif answer.status not in (204, 304):
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if self.command != "HEAD" and answer.status not in (204, 304):
                    self.wfile.write(answer.body[:limit])

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _answer

        self._server = _Server(("127.0.0.1", port), Handler)
        self.port: int = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        if tls:
            # Each connection's own thread does the handshake: one that is slow must not keep others waiting.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": _POLL}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        ending = threading.Thread(target=self._server.shutdown, daemon=True)
        ending.start()
        # A connection wakes the server, which otherwise looks up only now and then: there are many, mostly idle.
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        ending.join()
        self._server.server_close()
        self._thread.join(5)
