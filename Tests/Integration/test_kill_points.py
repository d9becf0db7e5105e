"""`stackcert pull` killed before each system call that changes a file, from every state that a server may be in.

A sample runs with the other tests; STACKCERT_KILL=all (`make kill`) runs the whole table.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.bundle_peer import BundlePeer, Pair
from support.gates import counted
from support.kill_points import KillPoint, Traced
from support.paths import stackcert

# Who the files are for: another user where this one may give files away.
OWNER = (65534, 65534) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
Shown = tuple[bytes | None, bytes | None]


class Server:
    """A server's files: the key and the certificate in folders of their own, and the agent that looks after them."""

    def __init__(self, folder: Path, peer: BundlePeer):
        self.folder, self.peer = folder / "server", peer
        self.private, self.public = self.folder / "private", self.folder / "public"
        self.key, self.certificate = self.private / "server.key", self.public / "server.crt"
        self.store = self.private / ".server.key.stackcert"
        self.current = self.store / "current"
        self.snapshot = folder / "snapshot"
        for made in self.private, self.public:
            made.mkdir(parents=True, mode=0o755)
        self.environment = {"PATH": os.environ["PATH"], **peer.environment}
        self.traced = Traced(self.folder, folder / "log", self.environment)

    def arguments(self, reload: str = "true") -> list[str]:
        files = ["--certificate", str(self.certificate), "--private-key", str(self.key)]
        owner = ["--owner", f"{OWNER[0]}:{OWNER[1]}"]
        source = ["--parameter", "/p", "--bucket", "bundles"]
        return [str(stackcert()), "pull", *source, *files, *owner, "--reload", reload]

    def pull(self) -> None:
        done = subprocess.run(self.arguments(), env=self.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and not done.stderr, done.stderr

    def shown(self) -> Shown:
        """What a reader sees now."""

        def bytes_of(path: Path) -> bytes | None:
            return path.read_bytes() if path.exists() else None

        return bytes_of(self.key), bytes_of(self.certificate)

    def put(self, path: Path, content: bytes) -> None:
        """A plain file, as a restored backup has it."""
        path.unlink(missing_ok=True)
        path.touch(mode=0o600 if path == self.key else 0o644)
        path.write_bytes(content)

    def save(self) -> None:
        subprocess.run(["cp", "-a", str(self.folder), str(self.snapshot)], check=True)

    def restore(self) -> None:
        shutil.rmtree(self.folder)
        subprocess.run(["cp", "-a", str(self.snapshot), str(self.folder)], check=True)

    def check_permissions(self) -> None:
        for path in self.folder.rglob("*"):
            facts = path.lstat()
            if stat.S_ISREG(facts.st_mode) and b"PRIVATE KEY" in path.read_bytes():
                assert facts.st_mode & 0o077 == 0, path

    def check_new(self) -> None:
        for path, mode in (self.key, 0o400), (self.certificate, 0o444):
            facts = path.stat()
            assert (stat.S_IMODE(facts.st_mode), facts.st_uid, facts.st_gid) == (mode, *OWNER), path

    def left(self) -> set[str]:
        """What is there beside the names, the current version and the lock."""
        beside = {path.name for path in (*self.private.iterdir(), *self.public.iterdir())}
        inside = {path.name for path in self.store.iterdir()}
        return beside - {self.store.name, self.key.name, self.certificate.name} | inside - {
            "current",
            "lock",
            os.readlink(self.current),
        }


@dataclass
class Pairs:
    old: Pair
    restored: Pair
    new: Pair


def nothing(server: Server, pairs: Pairs) -> None:
    pass


def plain_files(server: Server, pairs: Pairs) -> None:
    server.put(server.key, pairs.old.key)
    server.put(server.certificate, pairs.old.certificate)


def earlier_version(server: Server, pairs: Pairs) -> None:
    server.peer.point_to("old", pairs.old)
    server.pull()


def plain_files_over_links(server: Server, pairs: Pairs) -> None:
    earlier_version(server, pairs)
    server.put(server.key, pairs.restored.key)
    server.put(server.certificate, pairs.restored.certificate)


def key_over_its_link(server: Server, pairs: Pairs) -> None:
    earlier_version(server, pairs)
    server.put(server.key, pairs.restored.key)


def certificate_over_its_link(server: Server, pairs: Pairs) -> None:
    earlier_version(server, pairs)
    server.put(server.certificate, pairs.restored.certificate)


def same_certificate_over_its_link(server: Server, pairs: Pairs) -> None:
    earlier_version(server, pairs)
    server.put(server.certificate, pairs.old.certificate)


def plain_files_and_no_current(server: Server, pairs: Pairs) -> None:
    plain_files_over_links(server, pairs)
    server.current.unlink()


def current_leads_to_nothing(server: Server, pairs: Pairs) -> None:
    earlier_version(server, pairs)
    shutil.rmtree(server.current.resolve())


def half_taken_over(server: Server, pairs: Pairs) -> None:
    """As a kill leaves it that came while plain files were being taken over."""
    plain_files_over_links(server, pairs)
    server.peer.point_to("new", pairs.new)
    server.save()
    points = server.traced.points(server.arguments())
    server.restore()
    shutil.rmtree(server.snapshot)
    [point] = [p for p in points if p.call == "renameat" and p.text.endswith('"server.crt"')]
    server.traced.kill(server.arguments(), point)


def leftovers(server: Server, pairs: Pairs) -> None:
    """All that kills may leave, and an old version."""
    earlier_version(server, pairs)
    (server.private / ".server.key.17.link").symlink_to(os.readlink(server.key))
    (server.public / ".server.crt.17.link").symlink_to(os.readlink(server.certificate))
    (server.store / ".current.17.link").symlink_to("half")
    for name in "half", "before-17":
        half = server.store / name
        half.mkdir(mode=0o700)
        (half / "private-key.pem").touch(mode=0o600)
        (half / "private-key.pem").write_bytes(pairs.restored.key)
    subprocess.run(["cp", "-a", str(server.current.resolve()), str(server.store / f"{'a' * 16}-17")], check=True)


# Each start, and how many points its run was found to have: fewer mean that not all of them are seen.
RECORDED: dict[Callable[[Server, Pairs], None], int] = {
    nothing: 35,
    plain_files: 58,
    earlier_version: 30,
    plain_files_over_links: 59,
    key_over_its_link: 56,
    certificate_over_its_link: 56,
    same_certificate_over_its_link: 56,
    plain_files_and_no_current: 59,
    current_leads_to_nothing: 25,
    half_taken_over: 60,
    leftovers: 42,
}
# Of the sample: these, and every so manieth of the others.
ALWAYS = {(plain_files_over_links, "renameat")}
STEP = 20


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    return Pairs(Pair.make(), Pair.make(), Pair.make())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with BundlePeer() as peer:
        yield Server(tmp_path, peer)


def chosen(points: list[KillPoint], start: Callable) -> list[KillPoint]:
    if os.environ.get("STACKCERT_KILL") == "all":
        return points
    offset = list(RECORDED).index(start)
    return [p for number, p in enumerate(points, offset) if number % STEP == 0 or (start, p.call) in ALWAYS]


def run_table(server: Server, pairs: Pairs, start: Callable, minimum: int, reload: str = "true") -> None:
    start(server, pairs)
    server.save()
    server.peer.point_to("new", pairs.new)
    before = server.shown()
    new = pairs.new.key, pairs.new.certificate
    assert before != new
    points = server.traced.points(server.arguments(reload))
    assert server.shown() == (new if reload == "true" else before)
    killed = chosen(points, start)
    problems = []
    for point in killed:
        server.restore()
        server.traced.kill(server.arguments(reload), point)
        shown = server.shown()
        if shown not in (before, new):
            problems.append(f"{point}: key and certificate do not match")
        if shown == new:
            server.check_new()
        server.check_permissions()
        server.pull()
        assert server.shown() == new, point
        server.check_new()
        server.check_permissions()
        if left := server.left():
            problems.append(f"{point}: the next run leaves {left}")
    counted(f"kill points of pull, {start.__name__}, reload {reload}: {len(killed)} of {len(points)} killed")
    assert problems == []
    assert len(points) >= minimum
    assert len(killed) >= len(points) // STEP


@pytest.mark.kill
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("start", RECORDED, ids=lambda start: start.__name__)
def test_killed_before_any_call_it_shows_what_was_there_or_the_new_pair_and_the_next_run_finishes(server, pairs, start):
    run_table(server, pairs, start, RECORDED[start])


@pytest.mark.kill
@pytest.mark.timeout(1200)
def test_killed_while_it_goes_back_it_shows_the_old_pair_or_the_new_one(server, pairs):
    run_table(server, pairs, earlier_version, 24, reload="false")
