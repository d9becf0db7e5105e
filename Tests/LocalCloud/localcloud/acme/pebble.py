"""Debian's pebble as a process on loopback, and its management address."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.acme.loopback_tls import LoopbackTls

_PATIENCE = 30.0
_ATTEMPTS = 5


@dataclass(frozen=True)
class Settings:
    """How pebble behaves. The defaults are quick and predictable; pebble's own are neither.

    strict: `-strict`: refuses what a future version will refuse.
    rejected_nonces: how many of 100 good nonces are rejected with badNonce (pebble's own: 5).
    slow_validation: waits up to 15 seconds, at random, before it validates.
    reused_authorizations: in how many of 100 cases a valid authorization serves the next order (pebble's own: 50).
    alternate_roots: further roots, whose chains are offered as `Link: …;rel="alternate"`.
    chain_length: intermediates between a certificate and its root.
    external_accounts: key id → base64url HMAC key; a new account must then be bound to one of them.
    blocked_domains: names, with all below them, that are refused with rejectedIdentifier.
    validity: seconds that a certificate lasts (pebble's own: five years).
    """

    strict: bool = True
    rejected_nonces: int = 0
    slow_validation: bool = False
    reused_authorizations: int = 0
    alternate_roots: int = 0
    chain_length: int = 1
    external_accounts: dict[str, str] = field(default_factory=dict)
    blocked_domains: tuple[str, ...] = ()
    validity: int = 90 * 86400

    def variables(self) -> dict[str, str]:
        variables = {
            "PEBBLE_WFE_NONCEREJECT": str(self.rejected_nonces),
            "PEBBLE_AUTHZREUSE": str(self.reused_authorizations),
            "PEBBLE_ALTERNATE_ROOTS": str(self.alternate_roots),
            "PEBBLE_CHAIN_LENGTH": str(self.chain_length),
        }
        return variables if self.slow_validation else {**variables, "PEBBLE_VA_NOSLEEP": "1"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Pebble:
    """One process. `dns` is the address of the DNS server that it asks, `http_port` where it looks for HTTP-01."""

    def __init__(self, settings: Settings, directory: Path, tls: LoopbackTls, dns: str, http_port: int):
        program = shutil.which("pebble")
        if program is None:
            raise RuntimeError("pebble is missing: it is one of the Debian packages that `make setup` installs")
        self._log = directory / "pebble.log"
        self._trust = ssl.create_default_context(cafile=str(tls.trust))
        # The ports are free when they are looked for and may be taken a moment later.
        for attempt in range(_ATTEMPTS):
            self._start(program, settings, directory, tls, dns, http_port)
            if self._is_up():
                return
            self.stop()
            if attempt == _ATTEMPTS - 1:
                raise RuntimeError(f"pebble does not start:\n{self.log()[-2000:]}")

    def _start(
        self, program: str, settings: Settings, directory: Path, tls: LoopbackTls, dns: str, http_port: int
    ) -> None:
        self.port, management = free_port(), free_port()
        self.management = f"https://127.0.0.1:{management}"
        wanted: dict[str, Any] = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{management}",
            "certificate": str(tls.certificate),
            "privateKey": str(tls.key),
            "httpPort": http_port,
            "tlsPort": free_port(),
            "externalAccountBindingRequired": bool(settings.external_accounts),
            "externalAccountMACKeys": settings.external_accounts,
            "domainBlocklist": list(settings.blocked_domains),
            "certificateValidityPeriod": settings.validity,
        }
        configuration = directory / "pebble.json"
        configuration.write_text(json.dumps({"pebble": wanted}))
        command = [program, "-config", str(configuration), "-dnsserver", dns]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command + (["-strict"] if settings.strict else []),
                env={"PATH": os.environ.get("PATH", ""), **settings.variables()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _is_up(self) -> bool:
        limit = time.monotonic() + _PATIENCE
        while self._process.poll() is None and time.monotonic() < limit:
            with contextlib.suppress(OSError):
                self._get(f"https://127.0.0.1:{self.port}/dir")
                self._get(f"{self.management}/roots/0")
                return True
            time.sleep(0.02)
        return False

    def _get(self, url: str) -> bytes:
        with urllib.request.urlopen(url, timeout=10, context=self._trust) as answer:
            return answer.read()

    def root(self, number: int = 0) -> str:
        """The PEM of a root under which it issues; from 1 on those of the alternate chains."""
        return self._get(f"{self.management}/roots/{number}").decode()

    def intermediate(self, number: int = 0) -> str:
        return self._get(f"{self.management}/intermediates/{number}").decode()

    def status(self, serial: int) -> dict[str, Any]:
        """What it knows of a certificate: Certificate, Serial, Status (Valid or Revoked), Reason, RevokedAt; nothing of
        one that it has not issued."""
        try:
            return json.loads(self._get(f"{self.management}/cert-status-by-serial/{serial:x}"))
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return {}
            raise

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
