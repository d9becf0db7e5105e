"""The functions killed before and after each AWS request that changes something: the next delivery, or the next run of
the schedule, finishes what was begun, with the same key pair, and leaves nothing behind.

The requests are found in a run without a fault. A sample runs with the other tests; STACKCERT_KILL=all (`make kill`)
runs the whole table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from localcloud.faults import Fault
from support import tls
from support.application import Application, application
from support.gates import counted
from support.renewal import Renewable, Renewal, renewable
from support.tables import changes_something, chosen

pytestmark = [pytest.mark.kill, pytest.mark.timeout(900)]

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
        # Each killed process is followed by one whose code was fetched: what is recorded of that grows fast.
        self.cloud.recorder.clear()
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


class RenewalTable:
    """Certificates that are due, each renewed by runs of which one is killed at another request."""

    def __init__(self, renewal: Renewal, name: str, start: Callable[[RenewalTable, Renewable], None]):
        self.renewal, self.name, self.start = renewal, name, start
        self.role = renewal.provider.renewal_role_arn.rsplit("/", 1)[1]

    def run(self, stack: Renewable, effect: str, nth: int) -> Fault:
        """One run of the schedule. The test has the same role between the runs."""
        fault = self.renewal.cloud.faults.add(effect, nth=nth, where=changes_something, principal=self.role)
        self.renewal.run(stack)
        self.renewal.cloud.faults.remove(fault)
        stack.wait()
        return fault

    def play(self, effect: str = "kill", nth: int = 10**6) -> int:
        """How many changing requests there were, until nothing was left to do."""
        renewal, provider = self.renewal, self.renewal.provider
        stack = renewable(provider, f"{self.name}-{effect.replace('_', '-')}-{nth}")
        renewal.make_due(stack)
        rotations = {stack.rotation()}
        self.start(self, stack)
        point = f"{self.start.__name__}: {effect} at changing request {nth}"
        seen = struck = 0
        for _ in range(4):
            fault = self.run(stack, effect, nth - seen)
            seen, struck = seen + fault.seen, struck + fault.struck
            rotations.add(stack.rotation())
            renewal.let_time_pass(stack)
        assert nth == 10**6 or struck == 1, point
        assert stack.result.status == "UPDATE_COMPLETE", point
        assert len(rotations - {"1"}) == 1, point
        assert stack.requests().count("Update") == 1, point
        assert provider.state("renewals/") == [], point
        assert stack.delete().status == "DELETE_COMPLETE", point
        renewal.forget(stack)
        return seen


def clean(table: RenewalTable, stack: Renewable) -> None:
    pass


def lease_of_a_dead_run(table: RenewalTable, stack: Renewable) -> None:
    """A run died when it had taken its lease. Its hour has passed."""
    assert table.run(stack, "kill_after", 1).struck == 1
    table.renewal.let_time_pass(stack)


def change_set_of_a_dead_run(table: RenewalTable, stack: Renewable) -> None:
    """A run died when it had made its change set. Its hour has passed."""
    made = table.renewal.cloud.faults.add("kill_after", "cloudformation:CreateChangeSet", principal=table.role)
    table.renewal.run(stack)
    assert made.struck == 1
    table.renewal.cloud.faults.remove(made)
    table.renewal.let_time_pass(stack)


# Each start, and how many changing requests its run was found to have: fewer mean that not all of them are seen.
STARTS = {clean: 9, lease_of_a_dead_run: 9, change_set_of_a_dead_run: 11}


@pytest.mark.parametrize("start", STARTS, ids=lambda start: start.__name__)
def test_killed_at_any_request_of_a_renewal_the_next_run_finishes_it(renewal, name, start):
    table = RenewalTable(renewal, name, start)
    number = table.play()
    assert number >= STARTS[start], number
    points = list(chosen(number, list(STARTS).index(start), sample=9))
    for effect, nth in points:
        table.play(effect, nth)
    counted(f"kill points of a renewal, {start.__name__}: {len(points)} of {2 * number} killed")
