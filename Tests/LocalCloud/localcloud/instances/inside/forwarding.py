"""Carries bytes between TCP ports and Unix sockets: so a network namespace is reached without any privilege."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def join(first: socket.socket, second: socket.socket) -> None:
    """Copy both ways until both sides have ended."""
    back = threading.Thread(target=_copy, args=(second, first), daemon=True)
    back.start()
    _copy(first, second)
    back.join()
    first.close()
    second.close()


def connect_unix(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(path)
    return connection


class Forwarder:
    """Accepts connections and joins each with a new one that `connect` makes from it."""

    def __init__(self, listener: socket.socket, connect: Callable[[socket.socket], socket.socket]):
        self._listener = listener
        self._connect = connect
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        try:
            other = self._connect(accepted)
        except OSError:
            accepted.close()
            return
        join(accepted, other)

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def listen_tcp(address: str, port: int) -> socket.socket:
    return socket.create_server((address, port), backlog=64)


def listen_unix(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    os.chmod(path, 0o600)
    listener.listen(64)
    return listener


def read_line(connection: socket.socket) -> str:
    """The first line, taken byte by byte so that nothing behind it is consumed."""
    line = b""
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            break
        line += byte
    return line.decode().strip()
