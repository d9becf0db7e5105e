"""`stackcert status`: one table for whoever is on call."""

from __future__ import annotations

import json
import os
import subprocess

from support import sweep
from support.paths import REPOSITORY
from support.renewal import renewable

COMMAND = REPOSITORY / ".build" / "debug" / "stackcert"


def status(cloud, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**kept, **cloud.environment_variables(), **variables}
    return subprocess.run([COMMAND, "status", *arguments], env=environment, capture_output=True, text=True, timeout=60)


def row(shown: subprocess.CompletedProcess, stack: str) -> list[str]:
    return next(line.split() for line in shown.stdout.splitlines() if line.startswith(f"{stack} "))


def test_a_certificate_is_shown_with_its_dates(cloud, provider, renewal, name):
    stack = renewable(provider, name)
    shown = status(cloud)
    assert shown.returncode == 0, shown.stderr
    attributes = stack.attributes
    cells = row(shown, name)
    assert cells[1:4] == ["Certificate", "EC_P256", attributes["NotAfter"][:10]]
    assert cells[4] == "364"
    assert cells[-1] == "ok"
    stack.delete()
    assert name not in status(cloud).stdout


def test_a_renewal_that_failed_is_shown_with_what_to_do(cloud, provider, renewal, name):
    stack = renewable(provider, name, with_role=False)
    renewal.make_due(stack)
    assert renewal.run(stack) == "NoRole"
    shown = status(cloud)
    assert shown.returncode == 1
    assert row(shown, name)[-1] == "failing"
    assert f"  NoRole: Stack {name} has no service role" in shown.stdout
    listed = json.loads(status(cloud, "--output", "json").stdout)
    (entry,) = [entry for entry in listed if entry["stack"] == name]
    assert entry["state"] == "failing"
    assert entry["stackId"] == stack.result.id
    stack.delete()
    renewal.forget(stack)


def test_what_the_state_bucket_holds_cannot_write_on_the_terminal(cloud, provider, renewal, name):
    stack = renewable(provider, name)
    [record] = provider.state(f"records/{stack.guid}/")
    body = cloud.client("s3", as_role=provider.role_arn).get_object(Bucket=provider.state_bucket, Key=record)
    told = json.loads(body["Body"].read())
    told["names"] = ["\x1b[2J\x07\r\nall is well\u202e"]
    told["logicalResourceID"] = "Certificate\x1b]0;title\x07"
    sweep.damage(provider, record, json.dumps(told).encode())
    arguments = [COMMAND, "show", name]
    environment = {**os.environ, **cloud.environment_variables()}
    sheet = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=60).stdout
    for shown in (status(cloud).stdout, sheet):
        assert name in shown
        assert "\\u{1B}" in shown
        assert not [character for character in "\x1b\x07\r\u202e" if character in shown]
    stack.delete()


def test_what_cannot_be_read_is_one_line_and_another_exit_code(cloud, provider):
    missing = status(cloud, "--provider", "nobodys")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr == (
        "stackcert: There is no stack nobodys in this region: name the provider's stack with --provider.\n"
    )
    other = status(cloud, AWS_ACCESS_KEY_ID="AKIDNOBODY")
    assert other.returncode == 2
    assert other.stderr.startswith("stackcert: CloudFormation DescribeStacks failed with InvalidClientTokenId")
    assert other.stderr.count("\n") == 1
    assert status(cloud, "--nonsense").returncode == 64


def test_region_and_keys_can_come_from_a_profile(cloud, provider, tmp_path):
    variables = cloud.environment_variables()
    (tmp_path / "config").write_text(
        f"[profile there]\nregion = {cloud.region}\n"
        f"aws_access_key_id = {variables['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {variables['AWS_SECRET_ACCESS_KEY']}\n"
    )
    environment = {"HOME": str(tmp_path), "AWS_CONFIG_FILE": str(tmp_path / "config")}
    shown = subprocess.run(
        [COMMAND, "status", "--profile", "there", "--endpoint-url", cloud.endpoint],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert shown.returncode in (0, 1), shown.stderr
    assert shown.stdout.startswith(("STACK ", "There are no certificates."))
