"""Custom::LetsEncryptCertificate killed before and after each request that changes something, at AWS, at the stack's
ResponseURL and at the certificate authority: the next delivery finishes what was begun and leaves nothing behind.

The requests are found in a run without a fault. A sample runs with the other tests, all of them in `make kill`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from support import tls
from support.application import await_next_second
from support.gates import counted
from support.lets_encrypt import Shop, end_leases, orders
from support.tables import changes_something, chosen

pytestmark = [pytest.mark.kill, pytest.mark.timeout(1800)]

NOWHERE = 10**6


@dataclass
class Operation:
    """One thing that a stack does, from a state of its own."""

    name: str
    prepare: Callable[[Shop], None]
    run: Callable[[Shop], str]
    """Starts it. Returns the stack's id."""
    status: str
    orders: int
    """How many the authority takes from the stack's beginning to the operation's end, when nothing is killed."""
    recorded: int
    """How many changing requests it was found to have: fewer mean that not all of them are seen."""


def nothing(stack: Shop) -> None:
    pass


def created(stack: Shop) -> None:
    assert stack.create(later="x").status == "CREATE_COMPLETE", stack.result.reasons()
    await_next_second()


def create(stack: Shop) -> str:
    return stack.cloud.stacks.start_create(stack.name, stack.template(stack.properties, "x"))


def rotate(stack: Shop, later: str = "x") -> str:
    wanted = stack.properties | {"Rotation": "2"}
    return stack.cloud.stacks.start_update(stack.name, stack.template(wanted, later))


def roll_back(stack: Shop) -> str:
    """An empty value is none that the parameter behind the certificate can have."""
    return rotate(stack, later="")


def delete(stack: Shop) -> str:
    return stack.cloud.stacks.start_delete(stack.name)


OPERATIONS = [
    Operation("create", nothing, create, "CREATE_COMPLETE", 1, 23),
    Operation("rotate", created, rotate, "UPDATE_COMPLETE", 2, 27),
    Operation("roll back", created, roll_back, "UPDATE_ROLLBACK_COMPLETE", 2, 33),
    Operation("delete", created, delete, "DELETE_COMPLETE", 1, 10),
]


class Table:
    """The stacks of one operation, each killed at another request."""

    def __init__(self, make: Callable[..., Shop], authority, operation: Operation):
        self.make, self.authority, self.operation = make, authority, operation
        self.number = 0
        self.sequence: list[str] = []

    def stack(self) -> Shop:
        self.number += 1
        stack = self.make(Import="ACM,IAM")
        name = f"{stack.name}-{self.operation.name.replace(' ', '-')}-{self.number}"
        stack.name = name
        # A contact of its own: each stack's first order makes an account first.
        stack.properties |= {"AppName": name, "DomainNames": [stack.domain], "Contact": f"{name}@example.com"}
        return stack

    def play(self, effect: str = "kill", nth: int = NOWHERE) -> int:
        """How many changing requests there were."""
        operation, stack = self.operation, self.stack()
        cloud = stack.cloud
        # Each killed process is followed by one whose code was fetched: what is recorded of that grows fast.
        cloud.recorder.clear()
        operation.prepare(stack)
        before = dict(stack.attributes) if stack.result else {}
        seen: list[str] = []

        def counts(event) -> bool:
            if changes_something(event):
                seen.append(getattr(event, "kind", None) or getattr(event, "name", "answer"))
                return True
            return False

        fault = cloud.faults.add(effect, kind="step", nth=nth, where=counts)
        identifier = operation.run(stack)
        cloud.stacks.wait_for(
            identifier, lambda: fault.struck or not cloud.stacks.status(identifier).endswith("IN_PROGRESS"), 60
        )
        point = f"{operation.name}: {effect} at changing request {nth}, {seen[nth - 1] if nth <= len(seen) else 'none'}"
        assert nth == NOWHERE or fault.struck == 1, point
        end_leases(stack.provider)
        stack.result = cloud.stacks.wait(identifier)
        cloud.asynchronous.wait_idle()
        cloud.faults.clear()
        if nth == NOWHERE:
            self.sequence = list(seen)
        assert stack.result.status == operation.status, f"{point}: {stack.result.status}: {stack.result.reasons()}"
        # An order that was taken and not written down yet is ordered again: nobody knows it.
        unknown = "newOrder" in self.sequence[max(nth - 2, 0) : nth] and nth != NOWHERE
        taken = orders(self.authority, stack.domain)
        assert operation.orders <= taken <= operation.orders + unknown, f"{point}: {taken} orders"
        assert stack.provider.answers(stack.domain).total() == 0, point
        if operation.status != "DELETE_COMPLETE":
            self.check_one(stack, before, point)
            assert stack.delete().status == "DELETE_COMPLETE", point
        assert stack.left_behind() == [], point
        return fault.seen

    def check_one(self, stack: Shop, before: dict[str, str], point: str) -> None:
        """One bundle and one copy in each store, which are what the stack shows."""
        shown = stack.attributes
        assert stack.bundles() == [shown["CertificateS3Key"]], point
        assert stack.copies() == [shown["CertificateArn"]], point
        assert tls.public_key_of(stack.bundle()["private_key"]) == shown["PublicKey"], point
        uploaded = stack.cloud.client("iam").list_server_certificates()["ServerCertificateMetadataList"]
        ours = [each["Arn"] for each in uploaded if f"stackcert-{stack.properties['AppName']}-" in each["Arn"]]
        assert ours == [shown["ServerCertificateArn"]], point
        if self.operation.name == "roll back":
            assert shown == before, point


@pytest.mark.contract(4)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
def test_killed_at_any_request_that_changes_something_the_next_delivery_finishes_it(shops, authority, operation):
    table = Table(shops, authority, operation)
    number = table.play()
    assert number >= operation.recorded
    played = 0
    for effect, nth in chosen(number, OPERATIONS.index(operation), sample=11):
        table.play(effect, nth)
        played += 1
    counted(f"kill points of Custom::LetsEncryptCertificate, {operation.name}: {played} of {2 * number} killed")
    assert played >= 2 * number // 11
