"""Every system call by which a program changes files, found with strace, and the program killed before and after each.

Killed after a call is killed before the next one: nothing else is written in between. Each such state is made once.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

# Those at which a process is killed. strace counts them by thread and kills whichever thread comes first, so that what
# other threads call, or one as often as it likes (write, to wake another), cannot be among them.
CALLS = (
    *("mkdir", "mkdirat", "pwrite64", "fchown", "fchmod", "fsync", "symlinkat"),
    *("rename", "renameat", "unlinkat"),
)
# It makes files, and libraries are loaded with it: killed before it is killed after the call in front of it.
MAKING = "openat"
# Others that would change files, as strace is to be asked for them: not each architecture has them all.
OTHERS = (
    "?open,?creat,?openat2,?write,?writev,?pwritev,?pwritev2,?sendfile,?copy_file_range,?truncate,?ftruncate,"
    "?fallocate,?fdatasync,?rmdir,?mknod,?mknodat,?link,?linkat,?symlink,?unlink,?renameat2,?chmod,"
    "?fchmodat,?fchmodat2,?chown,?lchown,?fchownat"
)
# One thread for all work: as often as it made a call in one run it makes it in the next.
ONE_THREAD = {"LIBDISPATCH_COOPERATIVE_POOL_STRICT": "1"}

_LINE = re.compile(r"(?P<thread>\d+)\s+(?P<call>\w+)\((?P<text>.*?)(?:\)\s+= |\s*<unfinished)")
_RANDOM = [(r"[0-9a-f]{16}-\d+|before-\d+", "VERSION"), (r"\d{5,}", "NUMBER"), (r"\b\d+<", "<"), (r"\.\.\., .*", "")]


@dataclass(frozen=True)
class KillPoint:
    call: str
    text: str
    """Its arguments without what differs from run to run."""
    when: int
    """The how manieth call of this name of its thread it is."""
    is_after: bool = False

    def __str__(self) -> str:
        return f"{'after' if self.is_after else 'before'} {self.call}({self.text})"

    @property
    def signal(self) -> signal.Signals:
        """With SIGKILL a traced process does not make the call. Another one, which no thread blocks, ends it after."""
        return signal.SIGPROF if self.is_after else signal.SIGKILL


class Traced:
    """Runs of a program under strace; only files below a folder count."""

    def __init__(self, folder: Path, log: Path, environment: dict[str, str]):
        self.folder, self.log, self.environment = folder, log, environment | ONE_THREAD

    def points(self, arguments: list[str]) -> list[KillPoint]:
        """Where the program can be killed, from a run that succeeds or fails by itself."""
        done = self._run(arguments)
        assert done.returncode >= 0 and self.log.stat().st_size, done.stderr
        seen: Counter[tuple[str, str]] = Counter()
        calls: list[KillPoint] = []
        for thread, call, text in self._calls():
            seen[thread, call] += 1
            if str(self.folder) not in text or (call == MAKING and "O_CREAT" not in text):
                continue
            assert call in (*CALLS, MAKING), f"{call} changes a file: teach kill_points.py to kill at it"
            calls.append(KillPoint(call, self._plain(text), seen[thread, call]))
        points = []
        for point, following in zip(calls, [*calls[1:], None], strict=True):
            if point.call == MAKING:
                # An empty file to lock is not a state of anything.
                is_lock = 'lock"' in point.text
                assert following and (is_lock or following.call != MAKING), f"{point}, {following}: one state here"
                continue
            points.append(point)
            if following is None or following.call == MAKING:
                points.append(replace(point, is_after=True))
        return points

    def kill(self, arguments: list[str], point: KillPoint) -> None:
        """Runs the program up to the point, which it does not get over."""
        done = self._run(arguments, f"--inject={point.call}:signal={point.signal.name}:when={point.when}")
        assert done.returncode == -point.signal, f"{point}: it was not killed: {done.stderr}"
        last = [(call, self._plain(text)) for _, call, text in self._calls() if call == point.call][-1]
        assert last == (point.call, point.text), f"{point}: it was killed elsewhere, in {last}"

    def _run(self, arguments: list[str], *more: str) -> subprocess.CompletedProcess[str]:
        processor = random.choice(sorted(os.sched_getaffinity(0)))
        # Not each architecture has them all.
        traced = ",".join(["?" + call for call in (*CALLS, MAKING)] + [OTHERS])
        # -s 0: the log shows no byte of a key.
        strace = ["strace", "-f", "-y", "-s", "0", "-o", str(self.log), "-e", f"trace={traced}", *more]
        return subprocess.run(
            ["taskset", "-c", str(processor), *strace, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def _calls(self) -> list[tuple[str, str, str]]:
        lines = map(_LINE.match, self.log.read_text().splitlines())
        return [(found["thread"], found["call"], found["text"]) for found in lines if found]

    def _plain(self, text: str) -> str:
        text = text.replace(str(self.folder), "…")
        for pattern, word in _RANDOM:
            text = re.sub(pattern, word, text)
        return text
