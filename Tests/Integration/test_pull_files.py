"""`stackcert pull` and the files around it, beside a peer in the place of S3 and Parameter Store, without a cloud."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bundle_peer import BundlePeer, Pair
from support.paths import stackcert


@pytest.fixture
def peer() -> Iterator[BundlePeer]:
    with BundlePeer() as started:
        started.point_to("first", Pair.make())
        yield started


def pull_from(peer: BundlePeer, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    files = ["--certificate", f"{folder}/server.crt", "--private-key", f"{folder}/server.key"]
    arguments = ["pull", "--parameter", "/p", "--bucket", "bundles", *files, *more]
    environment = {"PATH": os.environ["PATH"], "AWS_SESSION_TOKEN": "s3cret-token", **peer.environment}
    return subprocess.run([stackcert(), *arguments], env=environment, capture_output=True, text=True, timeout=60)


def test_a_reload_command_inherits_no_connection_no_credentials_and_no_ignored_signal(peer: BundlePeer, tmp_path: Path):
    look = "ls -l /proc/self/fd; grep SigIgn /proc/self/status; env"
    done = pull_from(peer, tmp_path, "--reload", look)
    assert done.returncode == 0, done.stderr
    assert "0 -> /dev/null" in done.stderr
    assert "socket:" not in done.stderr and "anon_inode:" not in done.stderr
    [ignored] = [int(line.split()[1], 16) for line in done.stderr.splitlines() if line.startswith("SigIgn:")]
    assert not ignored & 1 << signal.SIGPIPE - 1
    assert "AWS_REGION=" in done.stderr
    for name in "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "s3cret-token":
        assert name not in done.stderr


def test_what_cannot_be_removed_is_a_warning_and_the_rotation_goes_on(peer: BundlePeer, tmp_path: Path):
    assert pull_from(peer, tmp_path).returncode == 0
    current = tmp_path / ".server.key.stackcert" / "current"
    first = current.resolve()
    # In front of the key, which is removed all the same.
    (first / "a").mkdir()
    second = Pair.make()
    peer.point_to("second", second)
    for change in "written", "unchanged":
        done = pull_from(peer, tmp_path)
        assert (done.returncode, done.stdout.split(":")[0]) == (0, change), done.stderr
        assert done.stderr.startswith(f"stackcert: warning: {first}/a could not be removed: ") and "\n" in done.stderr
    assert (tmp_path / "server.key").read_bytes() == second.key
    assert [path.name for path in first.iterdir()] == ["a"]


@pytest.mark.parametrize("path", ["./server.key", "/server.key", "self/server.key", ".server.key.stackcert/current"])
def test_a_path_that_is_given_already_or_is_its_own_folders_is_refused_however_it_is_written(
    peer: BundlePeer, tmp_path: Path, path: str
):
    (tmp_path / "self").symlink_to(".")
    (tmp_path / ".server.key.stackcert").mkdir()
    done = pull_from(peer, tmp_path, "--certificate", f"{tmp_path}/{path}")
    assert done.returncode == 64, done.stderr
    assert not (tmp_path / "server.key").exists()
    assert pull_from(peer, tmp_path).returncode == 0


def test_a_server_gets_a_certificate_that_has_ended_with_a_warning_each_time(peer: BundlePeer, tmp_path: Path):
    ended = Pair.make(days=-1)
    peer.point_to("late", ended)
    for change in "written", "unchanged":
        done = pull_from(peer, tmp_path)
        assert (done.returncode, done.stdout.split(":")[0]) == (0, change), done.stderr
        assert done.stderr.startswith("stackcert: warning: The certificate from late ended on ")
    assert (tmp_path / "server.key").read_bytes() == ended.key
    good = Pair.make()
    peer.point_to("good", good)
    done = pull_from(peer, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "server.key").read_bytes() == good.key
