"""A server with a certificate for the right name and a key that nobody trusts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from support import tls
from support.surroundings import self_signed


@contextlib.contextmanager
def serving(domain: str, directory: Path) -> Iterator[int]:
    """The loopback port of a real stunnel with such a certificate."""
    certificate, key = self_signed(domain)
    (directory / "impostor.pem").write_bytes(key + certificate)
    (directory / "impostor.pem").chmod(0o600)
    port = tls.free_port()
    configuration = directory / "impostor.conf"
    configuration.write_text(
        f"foreground = yes\npid =\n[impostor]\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:9\n"
        f"cert = {directory}/impostor.pem\n"
    )
    with tls.running([tls.STUNNEL, str(configuration)], port, directory / "impostor.log"):
        yield port
