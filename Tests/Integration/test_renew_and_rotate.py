"""`stackcert renew` and `stackcert rotate`: what people do at once, beside the scheduled function."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import threading
from collections.abc import Callable

import pytest
from support import tool
from support.operators import session_of_an_operator
from support.paths import stackcert
from support.provider import Provider, install
from support.renewal import Renewable, eventually, renewable


@pytest.fixture(scope="module")
def provider(cloud) -> Provider:
    """One of its own, whose break-glass role is what a person takes to renew: it may write to the state bucket."""
    return install(cloud, "people", ExportPrefix="people")


@pytest.fixture(scope="module")
def operator(provider) -> dict[str, str]:
    return session_of_an_operator(provider)


@pytest.fixture
def run(cloud, provider, operator) -> Callable[..., subprocess.CompletedProcess]:
    def run(command: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
        return tool.run(cloud, command, "--provider", provider.stack, *arguments, **operator | variables)

    return run


@pytest.fixture
def start(cloud, provider, operator) -> Callable[..., subprocess.Popen]:
    def start(command: str, *arguments: str, **options) -> subprocess.Popen:
        return subprocess.Popen(
            [stackcert(), command, "--provider", provider.stack, *arguments],
            env=tool.environment(cloud, **operator),
            stdin=subprocess.DEVNULL,
            **options,
        )

    return start


def assert_rotated_once(stack: Renewable) -> None:
    stack.wait()
    assert stack.requests().count("Update") == 1
    assert stack.outputs()["PreviousPublicKey"] == stack.attributes["PublicKey"]


def test_rotate_replaces_a_certificate_that_is_not_due_and_shows_the_events(provider, renewal, shop, run):
    done = run("rotate", shop.name)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[-1] == f"{shop.name}: Renewed: Stack {shop.name} has its new certificate."
    events = [re.split(r"  +", line) for line in lines[:-1]]
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d", event[0]) and event[1] == shop.name for event in events)
    told = [tuple(event[2:4]) for event in events]
    assert told[0] == (shop.name, "UPDATE_IN_PROGRESS")
    assert told[-1] == (shop.name, "UPDATE_COMPLETE")
    assert told.index(("Certificate", "UPDATE_COMPLETE")) < told.index(("Pointer", "UPDATE_COMPLETE"))
    assert not any(status.startswith("CREATE") for _, status in told)
    assert len(set(told)) == len(told)
    assert_rotated_once(shop)
    after = shop.outputs()
    assert after["PublicKey"] != shop.attributes["PublicKey"]
    # The old key is gone, and the function has nothing to do.
    assert provider.keys(f"backend-certificate/{shop.name}/") == [after["CertificateS3Key"]]
    assert provider.state("renewals/") == []
    assert renewal.run(shop) is None


def test_rotate_once_more_makes_another_certificate(shop, run):
    assert run("rotate", shop.name).returncode == 0
    first, rotation = shop.outputs()["PublicKey"], shop.rotation()
    again = run("rotate", shop.result.id, "--output", "json")
    assert again.returncode == 0
    assert json.loads(again.stdout) == {
        "stack": shop.name,
        "stackId": shop.result.id,
        "outcome": "Renewed",
        "message": f"Stack {shop.name} has its new certificate.",
    }
    # Standard output is for the script, so the events go elsewhere.
    assert "UPDATE_COMPLETE" in again.stderr
    assert shop.outputs()["PublicKey"] != first
    assert shop.rotation() != rotation


def test_two_people_and_the_function_at_once_rotate_once(renewal, shop, run):
    renewal.make_due(shop)
    results: list[subprocess.CompletedProcess] = []
    threads = [
        threading.Thread(target=lambda: results.append(run("rotate", shop.name))),
        threading.Thread(target=lambda: results.append(run("renew", shop.name))),
        threading.Thread(target=renewal.invoke),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.returncode for result in results] == [0, 0], [result.stderr for result in results]
    assert_rotated_once(shop)


def test_renew_does_what_is_due_and_nothing_else(provider, renewal, shop, run):
    other = renewable(provider, f"{shop.name}-other")
    assert run("renew").stdout == "Nothing is due.\n"
    renewal.make_due(shop)
    done = run("renew")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"{shop.name}: Renewed: Stack {shop.name} has its new certificate."
    assert_rotated_once(shop)
    assert other.requests() == ["Create"]
    assert renewal.run(shop) is None
    named = run("renew", other.name)
    due = re.fullmatch(
        rf"{other.name}: NotDue: Not due yet\. Renewal: Certificate on (\S+) \(valid until (\S+)\)\.\n", named.stdout
    )
    assert named.returncode == 0
    assert due and due[1] < due[2] == other.attributes["NotAfter"][:10]
    assert other.requests() == ["Create"]
    other.delete()


def test_renew_waits_for_what_the_function_has_begun(renewal, shop, run):
    renewal.make_due(shop)
    assert renewal.run(shop) == "Started"
    done = run("renew", shop.name)
    assert done.returncode == 0, done.stderr
    assert f"{shop.name}: Renewed" in done.stdout
    assert_rotated_once(shop)
    assert renewal.provider.state("renewals/") == []


@pytest.mark.parametrize(("call", "nth"), [("CreateChangeSet", 1), ("ExecuteChangeSet", 1), ("DescribeStackEvents", 2)])
def test_a_command_that_is_killed_is_taken_up_by_the_function(cloud, provider, renewal, shop, start, call, nth):
    renewal.make_due(shop)
    fault = cloud.faults.add(
        "hang", f"cloudformation:{call}", nth=nth, seconds=5, principal=f"{provider.stack}-break-glass"
    )
    running = start("renew", shop.name, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually(lambda: fault.struck)
    assert running.poll() is None
    running.send_signal(signal.SIGKILL)
    running.wait()
    cloud.faults.clear()
    assert provider.state("renewals/") == [f"renewals/{shop.guid}.json"]
    # The lease of the dead command still counts.
    assert renewal.run(shop) == "Waiting"
    for _ in range(3):
        shop.wait()
        renewal.let_time_pass(shop)
        renewal.run(shop)
    assert_rotated_once(shop)
    assert provider.state("renewals/") == []


def test_a_dry_run_says_of_each_change_why_it_may_be_made_and_leaves_nothing(provider, renewal, shop, run):
    renewal.make_due(shop)
    done = run("renew", "--dry-run")
    assert done.returncode == 0, done.stderr
    changes = [line for line in done.stdout.splitlines() if line.startswith("  ")]
    assert changes[0].startswith("  yes  Modify Certificate (Custom::ElbBackendCertificate)")
    assert "Properties.Rotation by ParameterReference CertificateRotation" in changes[0]
    assert any(
        line.startswith("  yes  Modify Pointer") and "ResourceAttribute Certificate.CertificateS3Key" in line
        for line in changes
    )
    assert not any(line.startswith("  NO") for line in changes)
    assert f"{shop.name}: WouldRenew: The update with CertificateRotation=" in done.stdout
    assert renewal.change_sets(shop) == []
    assert provider.state("renewals/") == []
    assert shop.requests() == ["Create"]
    # Positive control: what was announced is what is done.
    announced = re.search(r"CertificateRotation=(\S+)", done.stdout)[1]
    assert run("renew").returncode == 0
    assert shop.rotation() == announced


def test_a_change_of_somebody_elses_is_shown_and_not_deployed(renewal, shop, run):
    shop.publish_image("ami-2")
    renewal.make_due(shop)
    dry = run("renew", shop.name, "--dry-run", "--output", "json")
    assert dry.returncode == 1
    (result,) = json.loads(dry.stdout)
    assert result["outcome"] == "ForeignChanges"
    allowed = {change["resource"]: change["allowed"] for change in result["changes"]}
    assert allowed == {"Certificate": True, "Pointer": True, "Image": False}
    assert renewal.change_sets(shop) == []
    for command in ("renew", "rotate"):
        refused = run(command, shop.name)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.startswith(
            f"stackcert: {shop.name}: ForeignChanges: The update would do more than rotate"
        )
        assert "Image (AWS::SSM::Parameter): Modify" in refused.stderr
        assert refused.stderr.count("\n") == 1
    assert shop.requests() == ["Create"]


def test_a_dry_run_tells_what_is_not_due_and_when_it_will_be(shop, run):
    done = run("renew", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert re.search(rf"^{shop.name}: NotDue: Not due yet\. Renewal: Certificate on \d{{4}}-", done.stdout, re.M)


def test_a_rollback_is_told_with_its_cause_and_changes_nothing_for_the_function(cloud, provider, renewal, shop, run):
    cloud.faults.add("refuse", "ssm:PutParameter", principal="deployer")
    done = run("rotate", shop.name)
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"stackcert: {shop.name}: RolledBack: The update of stack {shop.name} was rolled back"
    )
    assert "Pointer:" in done.stderr
    assert "tomorrow" not in done.stderr
    assert "  Pointer  UPDATE_FAILED  " in done.stdout
    assert shop.outputs()["PublicKey"] == shop.attributes["PublicKey"]
    assert provider.state("renewals/") == []
    assert renewal.run(shop) is None
    cloud.faults.clear()
    assert run("rotate", shop.name).returncode == 0


def test_a_stack_that_needs_a_person_is_told_what_to_do(provider, renewal, name, run):
    stack = renewable(provider, name, with_role=False)
    refused = run("rotate", name)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"stackcert: {name}: NoRole: Stack {name} has no service role")
    assert provider.state("renewals/") == []
    stack.delete()


def test_the_tag_holds_for_renew_and_not_for_rotate(provider, renewal, name, run):
    stack = renewable(provider, name, Tags=[{"Key": "stackcert:renew", "Value": "off"}])
    renewal.make_due(stack)
    left = run("renew", name)
    assert left.returncode == 0
    assert left.stdout == f"{name}: SwitchedOff: Stack {name} has the tag stackcert:renew=off.\n"
    assert stack.requests() == ["Create"]
    assert run("rotate", name).returncode == 0
    assert_rotated_once(stack)
    stack.delete()
    renewal.forget(stack)


def test_who_may_not_write_down_that_he_is_at_it_changes_nothing(cloud, provider, renewal, shop):
    """An administrator of everything but the state bucket, whose policy knows its writers."""
    renewal.make_due(shop)
    for command in ("renew", "rotate"):
        refused = tool.run(cloud, command, shop.name, "--provider", provider.stack)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.startswith(f"stackcert: {shop.name}: AccessDenied: Your credentials may not keep the")
        assert "BreakGlassRoleArn" in refused.stderr
        assert refused.stderr.count("\n") == 1
    assert shop.requests() == ["Create"]
    # To look is enough for a dry run.
    assert tool.run(cloud, "renew", shop.name, "--dry-run", "--provider", provider.stack).returncode == 0


def test_what_cannot_be_read_is_one_line_and_exit_code_2(provider, shop, run):
    for command in ("renew", "rotate"):
        missing = run(command, "nobodys")
        assert (missing.returncode, missing.stdout) == (2, "")
        assert missing.stderr == "stackcert: There is no stack nobodys in this region.\n"
        without = run(command, provider.stack)
        assert without.returncode == 2
        assert without.stderr.startswith(f"stackcert: Stack {provider.stack} has no certificate of this provider.")
        refused = run(command, shop.name, AWS_ACCESS_KEY_ID="AKIDNOBODY")
        assert refused.returncode == 2
        assert "InvalidClientTokenId" in refused.stderr
    assert run("rotate").returncode == 64
    assert shop.requests() == ["Create"]


def test_a_terminal_shows_what_is_waited_for_and_a_pipe_does_not(shop, start):
    leader, follower = pty.openpty()
    running = start("rotate", shop.name, stdout=subprocess.PIPE, stderr=follower, text=True)
    os.close(follower)
    shown = b""
    while True:
        try:
            part = os.read(leader, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(leader)
    output, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    assert re.search(rf"\dm\d+s  {shop.name}: UPDATE_".encode(), shown)
    # Taken away at the end.
    assert shown.endswith(b"\r\x1b[K")
    assert "\x1b" not in output and "UPDATE_COMPLETE" in output


@pytest.mark.parametrize("command", ["status", "renew", "rotate"])
def test_help_has_examples_and_exit_codes(command, run):
    shown = run(command, "--help")
    assert shown.returncode == 0
    assert "EXAMPLES" in shown.stdout and f"stackcert {command}" in shown.stdout
    assert "Exit code" in shown.stdout
    for option in ("--profile", "--region", "--endpoint-url", "--output"):
        assert option in shown.stdout
