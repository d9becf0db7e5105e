"""Runs one action per resource, side by side as far as dependencies allow."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

_WORKERS = 8


class Failures(Exception):
    """The first failure, with all of them by name."""

    def __init__(self, by_name: dict[str, Exception]):
        super().__init__(str(next(iter(by_name.values()))))
        self.by_name = by_name


def run(
    graph: dict[str, set[str]],
    action: Callable[[str], None],
    cancel: threading.Event,
    keep_going: bool = False,
) -> None:
    """Call `action` for every name after all it depends on. Raises Failures at the end if any failed.

    A failure sets `cancel` and starts nothing more; with `keep_going` only what depends on the failed one is skipped.
    """
    waiting = {name: set(needed) & set(graph) for name, needed in graph.items()}
    running: dict[Future[None], str] = {}
    failures: dict[str, Exception] = {}
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="cloudformation") as pool:
        while True:
            if not cancel.is_set() or keep_going:
                for name in [name for name, needed in waiting.items() if not needed]:
                    del waiting[name]
                    running[pool.submit(action, name)] = name
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                error = future.exception()
                if error is None:
                    for needed in waiting.values():
                        needed.discard(name)
                elif isinstance(error, Exception):
                    failures[name] = error
                    if not keep_going:
                        cancel.set()
    if failures:
        raise Failures(failures)
