"""The other ends that a function talks to, as small as they can be: their time counts as the function's."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

Head = tuple[str, dict[str, str]]


@dataclass
class Connection:
    """One HTTP/1.1 connection, read request by request."""

    socket: socket.socket
    rest: bytes = b""

    def read(self) -> tuple[str, dict[str, str], bytes] | None:
        """Request line, fields by lower-case name, body; None when the peer has closed."""
        while b"\r\n\r\n" not in self.rest:
            part = self.socket.recv(65536)
            if not part:
                return None
            self.rest += part
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        line, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, value in (field.split(":", 1) for field in lines)}
        length = int(fields.get("content-length", 0))
        if fields.get("expect", "").lower() == "100-continue":
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(self.rest) < length:
            self.rest += self.socket.recv(65536)
        body, self.rest = self.rest[:length], self.rest[length:]
        return line, fields, body

    def answer(self, status: int, fields: dict[str, str] | None = None, body: bytes = b"", head_only=False) -> None:
        lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (fields or {}).items()]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if head_only else body))


class Listener:
    """A listening socket on the loopback interface."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def accept(self) -> Connection:
        peer, _ = self.socket.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Connection(peer)

    def serve(self, answer: Callable[[Connection, str, dict[str, str], bytes], None]) -> None:
        """Answers every request of every connection, in the background, until the program ends."""

        def talk(connection: Connection) -> None:
            try:
                while request := connection.read():
                    answer(connection, *request)
            except OSError:
                return

        def listen() -> None:
            while True:
                threading.Thread(target=talk, args=(self.accept(),), daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()


class ObjectStore:
    """As much of S3 as a Create needs: conditional PUT, HEAD, GET, DELETE and an empty LIST."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.requests: list[str] = []
        self.listener = Listener()
        self.listener.serve(self.answer)

    def answer(self, connection: Connection, line: str, fields: dict[str, str], body: bytes) -> None:
        method, target, _ = line.split(" ")
        path, _, query = target.partition("?")
        self.requests.append(f"{method} {path}")
        if method == "PUT":
            if fields.get("if-none-match") == "*" and path in self.objects:
                return connection.answer(412)
            kept = {name: value for name, value in fields.items() if name.startswith("x-amz-meta-")}
            kept |= {"ETag": '"0"', "x-amz-version-id": "v1"}
            self.objects[path] = (body, kept)
            return connection.answer(200, kept)
        if method == "DELETE":
            self.objects.pop(path, None)
            return connection.answer(204)
        if "list-type" in query:
            text = b'<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'
            return connection.answer(200, {"Content-Type": "application/xml"}, text)
        if path not in self.objects:
            text = b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>None</Message></Error>'
            return connection.answer(404, {"Content-Type": "application/xml"}, text, head_only=method == "HEAD")
        content, kept = self.objects[path]
        return connection.answer(200, kept, content, head_only=method == "HEAD")


class ReplyBox:
    """The place of a stack's pre-signed ResponseURL."""

    def __init__(self) -> None:
        self.replies: list[bytes] = []
        self.listener = Listener()
        self.listener.serve(self.answer)

    def answer(self, connection: Connection, line: str, fields: dict[str, str], body: bytes) -> None:
        self.replies.append(body)
        connection.answer(200)
