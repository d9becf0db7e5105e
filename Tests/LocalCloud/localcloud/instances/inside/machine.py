"""Process 1 of an instance: prepares its namespaces, runs the user data, keeps its services.

It is started by `unshare` as a plain script, and so imports nothing but the standard library and its neighbours.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import forwarding  # noqa: E402
import services  # noqa: E402

METADATA_ADDRESS = "169.254.169.254"
STATE = "/run/localcloud"
# Each of these is empty at first, and the instance's own.
_EMPTY = ("/opt", "/usr/local/sbin", "/var/lib", "/run", "/srv")


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, stdout=subprocess.DEVNULL)


def _is_within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def private_directories(work: Path, kept: list[str]) -> None:
    """Mount the instance's own /etc (a copy), and empty directories, where `kept` paths are put back."""
    _mount("-t", "proc", "proc", "/proc")
    etc = work / "etc"
    with contextlib.suppress(shutil.Error):
        # Raised at the end, for files that only the real root may read.
        shutil.copytree("/etc", etc, symlinks=True, ignore_dangling_symlinks=True, dirs_exist_ok=True)
    (etc / "stunnel").mkdir(exist_ok=True)
    for leftover in (etc / "stunnel").iterdir():
        leftover.unlink()
    with open(etc / "group", "a") as group:
        # Amazon Linux has a group of this name; Debian calls it nogroup.
        group.write("nobody:x:65534:\n")
    back: list[tuple[str, str]] = []
    for number, path in enumerate(kept):
        if any(_is_within(path, directory) for directory in _EMPTY):
            held = work / f"kept-{number}"
            held.mkdir()
            _mount("--bind", path, str(held))
            back.append((str(held), path))
    state = work / "state"
    for directory in _EMPTY:
        own = work / directory.strip("/").replace("/", "-")
        own.mkdir()
        if directory == "/run":
            (own / "localcloud").mkdir()
            _mount("--bind", str(state), str(own / "localcloud"))
            _mount("--rbind", str(own), directory)
        else:
            _mount("--bind", str(own), directory)
    for held, path in back:
        os.makedirs(path, exist_ok=True)
        _mount("--bind", held, path)
    _mount("--bind", str(etc), "/etc")


def _interface(name: str, address: str | None, up: bool) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        if address:
            request = struct.pack(
                "16sH2s4s8s", name.encode(), socket.AF_INET, b"\0\0", socket.inet_aton(address), b"\0" * 8
            )
            fcntl.ioctl(control, 0x8916, request)  # SIOCSIFADDR
        if up:
            fcntl.ioctl(control, 0x8914, struct.pack("16sh14s", name.encode(), 0x1, b"\0" * 14))  # SIOCSIFFLAGS, IFF_UP


def network(endpoint_port: int) -> None:
    """Loopback with the cloud's endpoint at the port it has outside, the metadata service, and a way in."""
    _interface("lo", None, True)
    _interface("lo:0", METADATA_ADDRESS, True)
    forwarding.Forwarder(
        forwarding.listen_tcp("127.0.0.1", endpoint_port), lambda _: forwarding.connect_unix(f"{STATE}/endpoint.sock")
    )
    forwarding.Forwarder(
        forwarding.listen_tcp(METADATA_ADDRESS, 80), lambda _: forwarding.connect_unix(f"{STATE}/metadata.sock")
    )
    forwarding.Forwarder(
        forwarding.listen_unix(f"{STATE}/inside.sock"),
        lambda accepted: socket.create_connection(("127.0.0.1", int(forwarding.read_line(accepted)))),
    )


# Without real root there is one user in here: the others are that one under another name.
_USERADD = """for name in "$@"; do :; done
if [ "$(awk '{ print $3 }' /proc/self/uid_map)" = 1 ]; then
  echo "$name:x:0:0::/:/usr/sbin/nologin" >> /etc/passwd
  echo "$name:x:0:" >> /etc/group
else
  exec /usr/sbin/useradd "$@"
fi
"""


def shims(aws: str, python: str) -> None:
    """Commands of Amazon Linux that the boot script calls and this machine lacks."""
    commands = {
        f"{STATE}/bin/dnf": "#!/bin/sh\nexit 0\n",
        f"{STATE}/bin/yum": "#!/bin/sh\nexit 0\n",
        f"{STATE}/bin/aws": f'#!/bin/sh\nexec {aws} "$@"\n',
        f"{STATE}/bin/systemctl": f'#!/bin/sh\nexec {python} {os.path.dirname(__file__)}/systemctl.py "$@"\n',
        f"{STATE}/bin/useradd": f"#!/bin/sh\n{_USERADD}",
        "/opt/aws/bin/cfn-signal": f'#!/bin/sh\nexec {python} {os.path.dirname(__file__)}/cfn_signal.py "$@"\n',
    }
    for path, text in commands.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).write_text(text)
        os.chmod(path, 0o755)
    os.makedirs("/etc/systemd/system", exist_ok=True)


def serve_systemctl(manager: services.Manager) -> None:
    """Each connection is one command line as JSON; the answer is an exit code and a text."""
    listener = forwarding.listen_unix(f"{STATE}/manager.sock")

    def handle(connection: socket.socket) -> None:
        with connection, connection.makefile("rw") as stream:
            arguments = json.loads(stream.readline())
            try:
                code, text = perform(manager, arguments)
            except (services.UnitError, OSError, KeyError) as error:
                code, text = 1, str(error)
            stream.write(json.dumps([code, text]) + "\n")

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=handle, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def perform(manager: services.Manager, arguments: list[str]) -> tuple[int, str]:
    words = [word for word in arguments if not word.startswith("-")]
    now = "--now" in arguments
    if not words or words[0] == "daemon-reload":
        return 0, ""
    verb, names = words[0], words[1:]
    actions = {"start": manager.start, "stop": manager.stop, "restart": manager.restart, "reload": manager.reload}
    actions |= {"try-restart": manager.restart, "reload-or-restart": manager.restart}
    if verb in ("enable", "disable"):
        for name in names:
            services.read_unit(name)
            if now:
                (manager.start if verb == "enable" else manager.stop)(name)
        return 0, ""
    if verb == "is-active":
        active = all(manager.is_active(name) for name in names)
        return (0, "active") if active else (3, "inactive")
    if verb not in actions:
        return 1, f"systemctl {verb} is not covered locally"
    for name in names:
        actions[verb](name)
    return 0, ""


def end_with_the_cloud() -> None:
    """Process 1 ends, and with it every process in here, as soon as the cloud outside is gone."""

    def watch() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    end_with_the_cloud()
    settings = json.loads(Path(sys.argv[1]).read_text())
    work = Path(settings["work"])
    socket.sethostname(settings["hostname"])
    private_directories(work, settings["kept"])
    network(settings["endpoint_port"])
    shims(settings["aws"], settings["python"])
    environment = {
        "PATH": f"{STATE}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{settings['endpoint_port']}",
    }
    manager = services.Manager(environment)
    serve_systemctl(manager)
    script = Path(STATE) / "user-data"
    script.chmod(0o700)
    outcome = subprocess.run([str(script)], env=environment, cwd="/", stdin=subprocess.DEVNULL, check=False)
    (Path(STATE) / "user-data.exit").write_text(str(outcome.returncode))
    threading.Event().wait()


if __name__ == "__main__":
    main()
