"""One instance: a machine in its own mount, network, process and host name namespaces."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from localcloud.gateway.server import LoopbackServer
from localcloud.instances.inside import forwarding
from localcloud.instances.metadata import MetadataService

_MACHINE = Path(__file__).parent / "inside" / "machine.py"


class Instance:
    """Boots at construction. `ports` maps a port inside (8443) to the loopback port outside that leads there."""

    def __init__(self, instance_id: str, user_data: bytes, endpoint_port: int, metadata: MetadataService):
        self.id = instance_id
        self.launched_at = time.time()
        self._work = Path(tempfile.mkdtemp(prefix="localcloud-instance-"))
        self._state = self._work / "state"
        self._state.mkdir()
        self._forwarders: dict[int, forwarding.Forwarder] = {}
        self.ports: dict[int, int] = {}
        self._metadata = LoopbackServer(metadata.handle)
        self._outside = [
            self._expose("endpoint.sock", endpoint_port),
            self._expose("metadata.sock", self._metadata.port),
        ]
        (self._state / "user-data").write_bytes(user_data)
        self._last_console = ""
        self._log_path = self._work / "console.log"
        self._process = self._start(endpoint_port)

    def _expose(self, name: str, port: int) -> forwarding.Forwarder:
        """A Unix socket that leads to a port of the machine outside."""
        listener = forwarding.listen_unix(str(self._state / name))
        return forwarding.Forwarder(listener, lambda _: socket.create_connection(("127.0.0.1", port)))

    def _start(self, endpoint_port: int) -> subprocess.Popen[bytes]:
        settings = {
            "work": str(self._work),
            "hostname": f"ip-{self.id[-8:]}",
            "endpoint_port": endpoint_port,
            "python": sys.executable,
            "aws": os.path.join(os.path.dirname(sys.executable), "aws"),
            "kept": sorted({sys.prefix, sys.base_prefix}),
        }
        (self._work / "settings.json").write_text(json.dumps(settings))
        namespaces = ["--mount", "--net", "--pid", "--uts", "--fork", "--kill-child=SIGKILL"]
        rootless = [] if os.geteuid() == 0 else ["--map-root-user"]
        with open(self._log_path, "wb") as log:
            return subprocess.Popen(
                ["unshare", *rootless, *namespaces, sys.executable, str(_MACHINE), str(self._work / "settings.json")],
                # Its end of file, should this process die, is what ends the instance.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def console(self) -> str:
        """All that the boot script and the services have written; kept when the instance has ended."""
        if self._log_path.exists():
            return self._log_path.read_text(errors="replace")
        return self._last_console

    @property
    def boot_exit_code(self) -> int | None:
        """The exit code of the user data, None while it runs."""
        path = self._state / "user-data.exit"
        text = path.read_text() if path.exists() else ""
        return int(text) if text else None

    def wait_booted(self, seconds: float = 60) -> int:
        """The exit code of the user data, once it has ended; the signal comes a moment before that."""
        limit = time.monotonic() + seconds
        while self.alive and time.monotonic() < limit:
            code = self.boot_exit_code
            if code is not None:
                return code
            time.sleep(0.02)
        raise TimeoutError(f"{self.id} did not end its boot script")

    def port(self, inside: int = 8443) -> int:
        """A loopback port of this machine that leads to a port inside the instance."""
        if inside not in self.ports:
            listener = forwarding.listen_tcp("127.0.0.1", 0)

            def enter(_: socket.socket) -> socket.socket:
                connection = forwarding.connect_unix(str(self._state / "inside.sock"))
                connection.sendall(f"{inside}\n".encode())
                return connection

            self._forwarders[inside] = forwarding.Forwarder(listener, enter)
            self.ports[inside] = listener.getsockname()[1]
        return self.ports[inside]

    def path(self, path: str) -> Path:
        """Where a file of the instance is outside. Below /etc, /opt, /run, /srv, /usr/local/sbin or /var/lib."""
        for top in ("/etc", "/opt", "/run", "/srv", "/usr/local/sbin", "/var/lib"):
            if path.startswith(top + "/"):
                return self._work / top.strip("/").replace("/", "-") / path.removeprefix(top + "/")
        raise FileNotFoundError(path)

    def terminate(self) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        for forwarder in [*self._outside, *self._forwarders.values()]:
            forwarder.stop()
        self._metadata.stop()
        self._last_console = self.console
        shutil.rmtree(self._work, ignore_errors=True)
