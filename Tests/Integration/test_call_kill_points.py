"""The functions killed before and after each AWS request that changes something: the next delivery, or the next run of
the schedule, finishes what was begun, with the same key pair, and leaves nothing behind.

The requests are found in a run without a fault. A sample runs with the other tests; STACKCERT_KILL=all (`make kill`)
runs the whole table.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from support import tls
from support.application import Application, application
from support.gates import counted
from support.renewal import Renewal, renewable

pytestmark = [pytest.mark.kill, pytest.mark.timeout(900)]

EFFECTS = ("kill", "kill_after")
"""Before the request is carried out, and when it was carried out and not answered."""


def changes_something(call) -> bool:
    return not call.name.split(":")[1].startswith(("Get", "Head", "List", "Describe"))


@dataclass
class Operation:
    """One thing that a stack does, from a state of its own."""

    name: str
    prepare: Callable[[Application], None]
    run: Callable[[Application], object]
    status: str
    recorded: int
    """How many changing requests it was found to have: fewer mean that not all of them are seen."""


def nothing(stack: Application) -> None:
    pass


def created(stack: Application) -> None:
    assert stack.create(later="x").status == "CREATE_COMPLETE"


def tombstone(stack: Application) -> None:
    """The note of an earlier stack's Delete, as a stack of the same name finds it."""
    created(stack)
    deleted(stack)


def deleted(stack: Application) -> None:
    assert stack.delete().status == "DELETE_COMPLETE"


def rotated(stack: Application) -> None:
    created(stack)
    assert stack.update(Rotation="2", later="x").status == "UPDATE_COMPLETE"


OPERATIONS = [
    Operation("create", nothing, lambda s: s.create(later="x"), "CREATE_COMPLETE", 4),
    Operation("create again", tombstone, lambda s: s.create(later="x"), "CREATE_COMPLETE", 4),
    Operation("update", created, lambda s: s.update(later="x", RotationParameter="Other"), "UPDATE_COMPLETE", 1),
    Operation("rotate", created, lambda s: s.update(later="x", Rotation="2"), "UPDATE_COMPLETE", 9),
    Operation("rotate again", rotated, lambda s: s.update(later="x", Rotation="3"), "UPDATE_COMPLETE", 9),
    Operation("roll back", created, lambda s: s.update(later="", Rotation="2"), "UPDATE_ROLLBACK_COMPLETE", 10),
    Operation("delete", rotated, lambda s: s.delete(), "DELETE_COMPLETE", 5),
]


class Table:
    """The stacks of one operation, each killed at another request."""

    def __init__(self, provider, name: str, operation: Operation):
        self.provider, self.cloud, self.name, self.operation = provider, provider.cloud, name, operation
        self.number = 0

    def stack(self) -> Application:
        self.number += 1
        return application(self.provider, f"{self.name}-{self.number}", StableS3Key="true")

    def play(self, effect: str = "kill", nth: int = 10**6) -> int:
        """How many changing requests there were."""
        stack = self.stack()
        self.operation.prepare(stack)
        before = dict(stack.attributes) if stack.result and stack.result.outputs else {}
        fault = self.cloud.faults.add(effect, nth=nth, where=changes_something)
        self.operation.run(stack)
        self.cloud.asynchronous.wait_idle()
        self.cloud.faults.clear()
        point = f"{self.operation.name}: {effect} at changing request {nth}"
        assert nth == 10**6 or fault.struck == 1, point
        status = self.cloud.stacks.wait(stack.name).status if self.operation.name != "delete" else "DELETE_COMPLETE"
        assert status == self.operation.status, f"{point}: {status}"
        if self.operation.name == "delete":
            self.check_gone(stack, point)
        else:
            self.check_one(stack, before, point)
            deleted(stack)
            self.check_gone(stack, point)
        return fault.seen

    def check_one(self, stack: Application, before: dict[str, str], point: str) -> None:
        """One bundle, which is what the stack shows, also where the templates of the earlier system look."""
        [(key, _)] = self.provider.versions(f"backend-certificate/{stack.name}/")
        attributes = self.cloud.stacks.describe(stack.name).outputs
        assert key == attributes["CertificateS3Key"], point
        assert tls.public_key_of(self.provider.bundle(key)["private_key"]) == attributes["PublicKey"], point
        copy = self.provider.bundle(f"backend-certificate-{stack.name}.json")
        assert tls.public_key_of(copy["private_key"]) == attributes["PublicKey"], point
        if self.operation.name in ("update", "roll back"):
            assert attributes["PublicKey"] == before["PublicKey"], point
            assert attributes["CertificateS3Key"] == before["CertificateS3Key"], point

    def check_gone(self, stack: Application, point: str) -> None:
        left = self.provider.versions(f"backend-certificate/{stack.name}/")
        left += self.provider.versions(f"backend-certificate-{stack.name}.json")
        state = [k for k in self.provider.state() if stack.guid in k and not k.startswith("tombstones/")]
        assert (left, state) == ([], []), point


def chosen(number: int, offset: int) -> Iterator[tuple[str, int]]:
    """The points of a table of `number` requests: all of them, or every fifth."""
    points = [(effect, nth) for nth in range(1, number + 1) for effect in EFFECTS]
    step = 1 if os.environ.get("STACKCERT_KILL") == "all" else 5
    yield from points[offset % min(step, len(points)) :: step]


@pytest.mark.contract(4, 8)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
def test_killed_at_any_request_of_a_stacks_operation_the_next_delivery_finishes_it(provider, name, operation):
    table = Table(provider, name, operation)
    number = table.play()
    assert number >= operation.recorded
    played = 0
    for effect, nth in chosen(number, OPERATIONS.index(operation)):
        table.play(effect, nth)
        played += 1
    counted(f"kill points of the provider, {operation.name}: {played} of {2 * number} killed")
    assert played >= 2 * number // 5


def renew(renewal: Renewal, name: str, effect: str = "kill", nth: int = 10**6) -> int:
    """A certificate that is due, and runs until nothing is left to do. How many changing requests there were."""
    provider, cloud = renewal.provider, renewal.cloud
    stack = renewable(provider, name)
    renewal.make_due(stack)
    role = provider.renewal_role_arn.rsplit("/", 1)[1]
    # The test has the same role between the runs.
    runs = threading.Event()
    fault = cloud.faults.add(
        effect, nth=nth, where=lambda call: runs.is_set() and changes_something(call), principal=role
    )
    rotations = {stack.rotation()}
    point = f"{effect} at changing request {nth}"
    for _ in range(4):
        runs.set()
        renewal.run(stack)
        runs.clear()
        stack.wait()
        rotations.add(stack.rotation())
        renewal.let_time_pass(stack)
    cloud.faults.clear()
    assert nth == 10**6 or fault.struck == 1, point
    assert stack.result.status == "UPDATE_COMPLETE", point
    assert len(rotations - {"1"}) == 1, point
    assert stack.requests().count("Update") == 1, point
    assert provider.state("renewals/") == [], point
    assert stack.delete().status == "DELETE_COMPLETE", point
    renewal.forget(stack)
    return fault.seen


def test_killed_at_any_request_of_a_renewal_the_next_run_finishes_it(renewal, name):
    number = renew(renewal, f"{name}-clean")
    assert number >= 8
    points = list(chosen(number, 0))
    for effect, nth in points:
        renew(renewal, f"{name}-{effect.replace('_', '-')}-{nth}", effect, nth)
    counted(f"kill points of a renewal: {len(points)} of {2 * number} killed")
