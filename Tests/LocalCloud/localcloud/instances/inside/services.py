"""As much of systemd as boot scripts need: unit files are read, their processes started, stopped and restarted."""

from __future__ import annotations

import os
import pwd
import shlex
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

UNITS = ("/etc/systemd/system", "/usr/lib/systemd/system")
_UNDERSTOOD = {
    "DynamicUser",
    "Environment",
    "EnvironmentFile",
    "ExecReload",
    "ExecStart",
    "ExecStartPre",
    "Group",
    "ListenStream",
    "RemainAfterExit",
    "Restart",
    "RestartSec",
    "Type",
    "User",
    "WorkingDirectory",
}
# These harden or bound a service; it runs the same without them.
_WITHOUT_EFFECT = {
    "AmbientCapabilities",
    "CapabilityBoundingSet",
    "LimitNOFILE",
    "MemoryMax",
    "NoNewPrivileges",
    "PrivateDevices",
    "PrivateTmp",
    "ProtectHome",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectSystem",
    "ReadWritePaths",
    "RestrictAddressFamilies",
    "RuntimeDirectory",
    "StandardError",
    "StandardOutput",
    "StateDirectory",
    "SyslogIdentifier",
    "TimeoutStartSec",
    "TimeoutStopSec",
    "UMask",
}


class UnitError(Exception):
    """A unit that is missing, or that asks for something not played here."""


@dataclass
class Unit:
    name: str
    settings: dict[str, list[str]]

    def one(self, key: str, default: str = "") -> str:
        return self.settings.get(key, [default])[-1]


def read_unit(name: str) -> Unit:
    name = _full(name)
    path = next((f"{d}/{name}" for d in UNITS if os.path.exists(f"{d}/{name}")), None)
    if path is None or not os.path.isfile(path):
        raise UnitError(f"Unit {name} could not be found.")
    settings: dict[str, list[str]] = {}
    section = ""
    with open(path) as file:
        text = file.read().replace("\\\n", " ")
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith(("#", ";")) and section in ("Service", "Socket"):
            key, _, value = line.partition("=")
            if key not in _UNDERSTOOD | _WITHOUT_EFFECT:
                raise UnitError(f"{name}: the setting {key} is not covered locally")
            settings.setdefault(key, []).append(value.strip())
    return Unit(name, settings)


def _full(name: str) -> str:
    return name if name.endswith((".service", ".socket")) else name + ".service"


@dataclass
class Service:
    unit: Unit
    process: subprocess.Popen[bytes] | None = None
    wanted: bool = True
    restarts: int = field(default=0)


class Manager:
    """Starts services and keeps those running that ask for it. `environment` is what every process inherits."""

    def __init__(self, environment: dict[str, str]):
        self._environment = environment
        self._services: dict[str, Service] = {}
        # By the name of the service that gets it. It stays open whatever becomes of the service.
        self._sockets: dict[str, socket.socket] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._keep, daemon=True).start()

    def _account(self, unit: Unit) -> dict[str, int]:
        user = unit.one("User") or ("nobody" if unit.one("DynamicUser").lower() in ("yes", "true", "1") else "")
        if not user or user == "root" or not self._can_change_user():
            return {}
        entry = pwd.getpwnam(user)
        return {"user": entry.pw_uid, "group": entry.pw_gid}

    @staticmethod
    def _can_change_user() -> bool:
        """Without real root only one user exists in here."""
        with open("/proc/self/uid_map") as file:
            return int(file.read().split()[2]) > 1

    def _variables(self, unit: Unit) -> dict[str, str]:
        variables = dict(self._environment)
        for path in unit.settings.get("EnvironmentFile", []):
            if os.path.exists(path.lstrip("-")):
                with open(path.lstrip("-")) as file:
                    variables.update(line.strip().split("=", 1) for line in file if "=" in line)
        for entry in unit.settings.get("Environment", []):
            variables.update(part.split("=", 1) for part in shlex.split(entry) if "=" in part)
        return variables

    def _arguments(self, command: str) -> list[str]:
        """The words of a command. stunnel's own change of user is left out where there is only one user."""
        words = shlex.split(command.lstrip("-@+!"))
        if os.path.basename(words[0]).startswith("stunnel") and not self._can_change_user():
            for position, path in enumerate(words[1:], 1):
                if os.path.isfile(path):
                    with open(path) as file:
                        lines = [x for x in file if not x.strip().startswith(("setuid", "setgid"))]
                    words[position] = path + ".one-user"
                    with open(words[position], "w") as file:
                        file.writelines(lines)
        return words

    def _spawn_main(self, unit: Unit) -> subprocess.Popen[bytes]:
        """The service itself, with the socket that is kept open for it."""
        command, listener = unit.one("ExecStart"), self._sockets.get(unit.name)
        if listener is None:
            return self._spawn(unit, command)
        # See sd_listen_fds(3): sockets begin at 3, and are meant for the process that has this id.
        script = f'export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@" 3<&{listener.fileno()}'
        return self._spawn(unit, command, prefix=["/bin/bash", "-c", script, "bash"], inherited=[listener.fileno()])

    def _spawn(
        self, unit: Unit, command: str, prefix: Sequence[str] = (), inherited: Sequence[int] = ()
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*prefix, *self._arguments(command)],
            pass_fds=inherited,
            env=self._variables(unit),
            cwd=unit.one("WorkingDirectory", "/"),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            **self._account(unit),
        )

    def _listen(self, unit: Unit) -> None:
        service = unit.name.removesuffix(".socket") + ".service"
        if service not in self._sockets:
            self._sockets[service] = socket.create_server(("", int(unit.one("ListenStream"))), backlog=128)

    def start(self, name: str) -> None:
        unit = read_unit(name)
        with self._lock:
            if unit.name.endswith(".socket"):
                self._listen(unit)
                return
            running = self._services.get(unit.name)
            if running and running.process and running.process.poll() is None:
                return
            for command in unit.settings.get("ExecStartPre", []):
                if self._spawn(unit, command).wait() != 0 and not command.startswith("-"):
                    raise UnitError(f"{unit.name}: {command} failed")
            process = self._spawn_main(unit)
            oneshot = unit.one("Type") == "oneshot"
            if oneshot and process.wait() != 0:
                raise UnitError(f"{unit.name} failed")
            self._services[unit.name] = Service(unit, process, wanted=not oneshot)

    def stop(self, name: str) -> None:
        service = self._find(name)
        if service and service.process:
            service.wanted = False
            if service.process.poll() is None:
                os.killpg(service.process.pid, signal.SIGTERM)
                try:
                    service.process.wait(5)
                except subprocess.TimeoutExpired:
                    os.killpg(service.process.pid, signal.SIGKILL)

    def restart(self, name: str) -> None:
        self.stop(name)
        self.start(name)

    def reload(self, name: str) -> None:
        service = self._find(name)
        if not service or not service.process or service.process.poll() is not None:
            raise UnitError(f"{name} is not active")
        command = service.unit.one("ExecReload")
        if not command:
            raise UnitError(f"{name} cannot be reloaded")
        if self._spawn(service.unit, command.replace("$MAINPID", str(service.process.pid))).wait() != 0:
            raise UnitError(f"{name}: {command} failed")

    def is_active(self, name: str) -> bool:
        service = self._find(name)
        return bool(service and service.process and service.process.poll() is None)

    def _find(self, name: str) -> Service | None:
        return self._services.get(_full(name))

    def _keep(self) -> None:
        while True:
            time.sleep(0.1)
            with self._lock:
                for service in self._services.values():
                    ended = service.process is not None and service.process.poll() is not None
                    if ended and service.wanted and service.unit.one("Restart") in ("always", "on-failure"):
                        service.restarts += 1
                        if service.restarts < 50:
                            service.process = self._spawn_main(service.unit)
