"""Whole histories through the packaged function: the same in every run, and some that nobody has seen before."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from histories.history import History, generate
from histories.player import Player

FIXED = 40
RANDOM = int(os.environ.get("STACKCERT_BLACK_BOX_HISTORIES", "10"))
SEED = int(os.environ.get("STACKCERT_HISTORY_SEED", time.time_ns() // 1_000_000))
AT_ONCE = 6


def histories(rollback: str) -> list[History]:
    made = [generate(seed) for seed in [*range(FIXED), *range(SEED, SEED + RANDOM)]]
    return [history for history in made if history.rollback == rollback]


@pytest.mark.contract(3, 4, 7, 8)
@pytest.mark.parametrize("rollback", ["update", "delete"])
def test_histories_leave_one_bundle_while_the_stack_lives_and_none_afterwards(provider, cloud, rollback):
    before, cloud.environment.rollback = cloud.environment.rollback, rollback
    players = [Player(provider, history) for history in histories(rollback)]
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(Player.play, players))
        assert cloud.asynchronous.wait_idle()
    finally:
        cloud.environment.rollback = before
    for player in players:
        player.check_that_nothing_is_left()
    broken = [f"{player.history}\n" + "\n".join(player.broken) for player in players if player.broken]
    assert not broken, "\n\n".join(broken)
    assert sum(player.struck for player in players) > len(players) / 2
