"""The command `stackcert` killed at each request by which it changes something, and `issue` at each system call that
changes a file: the next run finishes, and no certificate is ordered or rotated twice for it.

The points are found in a run without a fault. A sample runs with the other tests, all of them in `make kill`.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import pytest
from localcloud import LocalCloud
from localcloud.acme import CertificateAuthority
from localcloud.gateway.server import LoopbackServer
from localcloud.instances.metadata import MetadataService
from localcloud.recorder import CustomResourceExchange
from support import tls, tool
from support.agent import Agent, server_role
from support.gates import counted
from support.issuing import Issuing, issuer_role
from support.kill_points import Traced
from support.operators import session_of_an_operator
from support.paths import stackcert
from support.provider import Provider, install
from support.renewal import Renewable, Renewal, renewable, swept
from support.tables import changes_something, chosen

pytestmark = [pytest.mark.kill, pytest.mark.timeout(1800)]

NOWHERE = 10**6
ZONE = "killed.example.net"


@dataclass
class Struck:
    """How a command ended, and the requests by which it changed something, as far as it came."""

    returncode: int
    errors: str
    requests: list[str]


def struck(cloud: LocalCloud, role: str, start: Callable[[], subprocess.Popen], effect: str, nth: int) -> Struck:
    """Runs a command with the rights of a role, and kills it at its n-th request that changes something."""
    running: Future[subprocess.Popen] = Future()
    requests: list[str] = []

    def counts(event) -> bool:
        # Answers to stacks are the function's.
        if isinstance(event, CustomResourceExchange) or not changes_something(event):
            return False
        requests.append(getattr(event, "kind", None) or event.name)
        return True

    fault = cloud.faults.add(
        effect,
        kind="step",
        nth=nth,
        where=counts,
        principal=role.rsplit("/", 1)[1],
        victim=lambda: running.result(60).kill(),
    )
    running.set_result(start())
    _, errors = running.result().communicate(timeout=120)
    cloud.faults.remove(fault)
    if nth == NOWHERE:
        assert running.result().returncode == 0, errors
    else:
        assert (fault.struck, running.result().returncode) == (1, -signal.SIGKILL), f"{effect} at {nth}: {errors}"
    return Struck(running.result().returncode, errors or "", requests)


# ---- stackcert issue


@dataclass
class Machines:
    """Machines that issue, each with a folder of its own, for one name."""

    cloud: LocalCloud
    authority: CertificateAuthority
    role: str
    zone: str
    domain: str
    folder: Path
    number: int = 0

    def next(self) -> Issuing:
        self.number += 1
        folder = self.folder / str(self.number)
        folder.mkdir()
        return Issuing(self.cloud, self.authority, self.role, folder)


@pytest.fixture
def machines(cloud: LocalCloud, authority: CertificateAuthority, name: str, tmp_path: Path) -> Machines:
    domain = f"{name}.{ZONE}"
    made = cloud.client("route53").create_hosted_zone(Name=domain, CallerReference=domain)
    zone = made["HostedZone"]["Id"].removeprefix("/hostedzone/")
    return Machines(cloud, authority, issuer_role(cloud, name, zone), zone, domain, tmp_path)


def end_leases(issuing: Issuing) -> None:
    """As the minute does for which a dead process keeps others from ordering for the same names."""
    for lock in (issuing.folder / ".stackcert" / "locks").glob("*.json"):
        lock.unlink()


def shown(issuing: Issuing) -> tuple[bytes | None, bytes | None]:
    return tuple(path.read_bytes() if path.exists() else None for path in (issuing.certificate, issuing.key))


def matches(issuing: Issuing) -> bool:
    """Whether a server that starts now can serve: both files of one pair, or the old state without any."""
    certificate, key = shown(issuing)
    if certificate is None or key is None:
        return certificate is key is None
    return tls.public_key_in(certificate.decode()) == tls.public_key_of(key.decode())


def verified(issuing: Issuing, domain: str) -> None:
    root = issuing.folder / "root.pem"
    root.write_text(issuing.authority.root())
    tls.openssl(
        *("verify", "-CAfile", str(root), "-untrusted", str(issuing.certificate)),
        *("-verify_hostname", domain, str(issuing.certificate)),
    )


def nothing(issuing: Issuing, domain: str) -> None:
    pass


def issued_before(issuing: Issuing, domain: str) -> None:
    issuing.issued(domain)
    # It would count as an issuance of the same names.
    for book in (issuing.folder / ".stackcert" / "orders").glob("*.json"):
        book.unlink()


def killed_before(issuing: Issuing, domain: str) -> None:
    """Leftovers: an order that a process made and did not live to answer, its TXT record and its lease."""
    cloud = issuing.cloud
    found = struck(cloud, issuing.role, lambda: issuing.start(issuing.issue(domain)), "kill_after", 3)
    assert found.requests[-1] == "route53:ChangeResourceRecordSets"
    end_leases(issuing)


# Each start, and how many changing requests its run was found to have: fewer mean that not all of them are seen.
STARTS = {nothing: 6, issued_before: 5, killed_before: 5}


@pytest.mark.parametrize("start", STARTS, ids=lambda start: start.__name__)
def test_issue_killed_at_any_request_is_finished_by_its_next_run(machines: Machines, start: Callable):
    def play(effect: str, nth: int) -> list[str]:
        issuing = machines.next()
        start(issuing, machines.domain)
        before, orders = shown(issuing), issuing.orders()
        command = [*issuing.issue(machines.domain), "--force"]
        found = struck(machines.cloud, machines.role, lambda: issuing.start(command), effect, nth)
        point = f"{effect} at {found.requests[-1]}, changing request {nth}"
        if nth != NOWHERE:
            assert shown(issuing) == before, point
            end_leases(issuing)
            issuing.issued(machines.domain, more=("--force",))
        verified(issuing, machines.domain)
        assert shown(issuing) != before and matches(issuing), point
        # What the authority told is resumed. An order that it took without being heard is ordered again.
        fresh = 0 if start is killed_before else 1
        unheard = (effect, found.requests[-1]) == ("kill_after", "newOrder")
        assert issuing.orders() - orders == fresh + unheard, point
        assert issuing.left_behind(machines.zone).total() == 0, point
        return found.requests

    number = len(play("kill", NOWHERE))
    assert number >= STARTS[start]
    points = list(chosen(number, list(STARTS).index(start)))
    for effect, nth in points:
        play(effect, nth)
    counted(f"kill points of stackcert issue, {start.__name__}, requests: {len(points)} of {2 * number} killed")


@pytest.mark.parametrize(("start", "recorded"), [(nothing, 74), (issued_before, 61)], ids=["nothing", "issued_before"])
def test_issue_killed_at_any_change_of_a_file_is_finished_by_its_next_run(
    machines: Machines, tmp_path: Path, start: Callable, recorded: int
):
    issuing = machines.next()
    start(issuing, machines.domain)
    saved = tmp_path / "saved"
    subprocess.run(["cp", "-a", str(issuing.folder), str(saved)], check=True)
    before = shown(issuing)
    command = [*issuing.issue(machines.domain), "--force"]
    traced = Traced(issuing.folder, tmp_path / "log", issuing.environment)
    points = traced.points(command)
    killed = list(chosen_calls(points))
    for point in killed:
        shutil.rmtree(issuing.folder)
        subprocess.run(["cp", "-a", str(saved), str(issuing.folder)], check=True)
        orders = issuing.orders()
        traced.kill(command, point)
        assert matches(issuing), point
        finished = shown(issuing) != before
        end_leases(issuing)
        issuing.issued(machines.domain, more=() if finished else ("--force",))
        verified(issuing, machines.domain)
        assert matches(issuing), point
        # An order of which nothing was written down yet is ordered again.
        assert issuing.orders() - orders <= 2, point
        assert issuing.left_behind(machines.zone).total() == 0, point
        assert list(issuing.folder.rglob("*.new")) == [], point
    counted(f"kill points of stackcert issue, {start.__name__}, files: {len(killed)} of {len(points)} killed")
    assert len(points) >= recorded


def chosen_calls(points: list) -> Iterator:
    numbers = {2 * (nth - 1) + (effect == "kill_after") for effect, nth in chosen((len(points) + 1) // 2, 3, sample=25)}
    yield from (point for number, point in enumerate(points) if number in numbers)


# ---- stackcert renew and rotate


@pytest.fixture(scope="module")
def killers(cloud: LocalCloud) -> Provider:
    return install(cloud, "killers", ExportPrefix="killers")


@pytest.fixture(scope="module")
def operator(killers: Provider) -> dict[str, str]:
    return session_of_an_operator(killers)


@pytest.fixture(scope="module")
def renewal(killers: Provider) -> Renewal:
    return swept(Renewal(killers))


def waiting_change_sets(stack: Renewable) -> list[str]:
    found = stack.cloud.client("cloudformation").list_change_sets(StackName=stack.name)["Summaries"]
    return [each["ChangeSetName"] for each in found if each["ExecutionStatus"] == "AVAILABLE"]


@pytest.mark.parametrize("command", ["rotate", "renew"])
def test_a_rotation_by_hand_that_is_killed_at_any_request_is_finished_by_the_next_run(
    killers: Provider, renewal, operator, name: str, command: str
):
    cloud = killers.cloud

    def start(stack: Renewable) -> subprocess.Popen:
        return subprocess.Popen(
            [stackcert(), command, "--provider", killers.stack, stack.name],
            env=tool.environment(cloud, **operator),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def play(effect: str, nth: int) -> list[str]:
        stack = renewable(killers, f"{name}-{command}-{effect.replace('_', '-')}-{nth}")
        renewal.make_due(stack)
        found = struck(cloud, killers.break_glass_role, lambda: start(stack), effect, nth)
        point = f"{effect} at {found.requests[-1]}, changing request {nth}"
        stack.wait()
        if nth != NOWHERE:
            # The schedule's next runs: one takes the rotation up, one sees that it is complete.
            for _ in range(2):
                renewal.let_time_pass(stack)
                renewal.run(stack)
                stack.wait()
        assert stack.result.status == "UPDATE_COMPLETE", point
        assert stack.requests().count("Update") == 1, point
        assert stack.outputs()["PreviousPublicKey"] == stack.attributes["PublicKey"], point
        assert waiting_change_sets(stack) == [], point
        assert killers.state("renewals/") == [], point
        assert stack.delete().status == "DELETE_COMPLETE", point
        renewal.forget(stack)
        return found.requests

    number = len(play("kill", NOWHERE))
    assert number >= 5
    points = list(chosen(number, 1))
    for effect, nth in points:
        play(effect, nth)
    counted(f"kill points of stackcert {command}: {len(points)} of {2 * number} killed")


# ---- stackcert pull --acknowledge


@pytest.fixture
def instance(cloud: LocalCloud) -> Iterator[dict[str, str]]:
    """The variables of a process on an instance. Its credentials come from the test."""
    metadata = MetadataService(
        "i-1", cloud.region, cloud.account, None, lambda: pytest.fail("not asked for"), lambda *_: None
    )
    server = LoopbackServer(metadata.handle)
    yield {"AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url, "AWS_EC2_METADATA_DISABLED": "false"}
    server.stop()


@pytest.mark.parametrize("effect", ["kill", "kill_after"])
def test_an_acknowledgement_that_is_killed_is_said_by_the_next_pull(provider, cloud, app, tmp_path, instance, effect):
    stack = app()
    assert stack.create().status == "CREATE_COMPLETE"
    parameter = f"/stackcert/{stack.name}/certificate"
    role = server_role(provider, stack, parameter)
    place = f"acknowledgements/{stack.guid}/"
    said = {
        "Effect": "Allow",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{provider.state_bucket}/{place}*",
    }
    status = {"Effect": "Allow", "Action": "cloudformation:DescribeStacks", "Resource": stack.result.id}
    cloud.client("iam").put_role_policy(
        RoleName=role.rsplit("/", 1)[1],
        PolicyName="acknowledge",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [said, status]}),
    )
    agent = Agent(cloud, provider.bucket, parameter, role, tmp_path)
    agent.point_to(stack)
    arguments = agent.arguments("--stack", stack.result.id, "--acknowledge", provider.state_bucket)

    def start() -> subprocess.Popen:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(arguments, env=agent.environment | instance, **pipes)

    found = struck(cloud, role, start, effect, 1)
    assert found.requests == ["s3:PutObject"]
    served = agent.served_key()
    assert served == stack.attributes["PublicKey"]
    assert len(provider.state(place)) == (1 if effect == "kill_after" else 0)
    running = start()
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 0, errors
    assert agent.served_key() == served
    [key] = provider.state(place)
    body = cloud.client("s3").get_object(Bucket=provider.state_bucket, Key=key)["Body"].read()
    assert json.loads(body)["bundle"] == stack.attributes["CertificateS3Key"]
