"""A history as a value: the operations on one stack, and what goes wrong in each."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass, field

# What the function and Lambda's redeliveries have to overcome when it comes once.
PASSING = ("slow-down", "internal-error", "conflict", "reset", "lose_answer", "kill", "kill_after")
# What makes the event fail that it strikes.
FAILING = ("access-denied",)
DELIVERIES = ("duplicate", "late")


@dataclass(frozen=True)
class Trouble:
    """One fault. `step` counts the function's requests from 1; it is not used by faults of deliveries."""

    effect: str
    step: int = 1


@dataclass(frozen=True)
class Operation:
    """`kind` is add, rotate, setting, back (to the rotation before the last) or remove. With `fails_later`, another
    resource cannot be made after the certificate, and CloudFormation takes everything back."""

    kind: str
    fails_later: bool = False
    trouble: Trouble | None = None


@dataclass(frozen=True)
class History:
    seed: int
    rollback: str
    """How CloudFormation takes a successful replacement back: update or delete."""
    operations: list[Operation] = field(default_factory=list)

    def __str__(self) -> str:
        return json.dumps(asdict(self))


def generate(seed: int) -> History:
    """The same seed, the same history."""
    chance = random.Random(seed)
    history = History(seed, ("update", "delete")[seed % 2])
    history.operations.append(Operation("add", False, _trouble(chance, "add")))
    for _ in range(chance.randint(1, 3)):
        kind = chance.choice(("rotate", "rotate", "rotate", "setting", "back", "remove"))
        history.operations.append(Operation(kind, kind == "rotate" and chance.random() < 0.5, _trouble(chance, kind)))
    return history


def _trouble(chance: random.Random, kind: str) -> Trouble | None:
    if chance.random() < 0.2:
        return None
    # A Delete that is refused in a stack's cleanup is not asked for again: it must only meet what passes.
    effects = PASSING + (FAILING + DELIVERIES if kind not in ("remove", "back") else DELIVERIES[:1])
    effect = chance.choice(effects)
    return Trouble(effect, chance.randint(1, 2 if effect in FAILING else 12))
