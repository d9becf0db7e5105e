"""The command line, as processes of their own."""

import json
import subprocess
import sys

from .support import standin_zip


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "localcloud", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_one_event_goes_through_a_zip(tmp_path):
    (tmp_path / "function.zip").write_bytes(standin_zip())
    (tmp_path / "event.json").write_text('{"hello": "world"}')
    (tmp_path / "failing.json").write_text('{"raise": true}')
    zip_and_mode = ("--plain", "--variable", "FLAVOUR=sweet", "--zip", str(tmp_path / "function.zip"))
    done = run("invoke", *zip_and_mode, str(tmp_path / "event.json"))
    assert done.returncode == 0, done.stderr
    log, result = done.stdout.split("--- the function's result\n")
    assert "START RequestId" in log
    assert json.loads(result)["echo"] == {"hello": "world"}
    assert json.loads(result)["variables"]["FLAVOUR"] == "sweet"
    failed = run("invoke", *zip_and_mode, str(tmp_path / "failing.json"))
    assert failed.returncode == 1 and "asked to raise" in failed.stdout


def test_a_command_is_served():
    script = "import boto3, sys\nprint(boto3.client('sts').get_caller_identity()['Arn'])\nsys.exit(7)\n"
    done = run("serve", "--", sys.executable, "-c", script)
    assert done.stdout.strip().endswith(":user/admin") and done.returncode == 7


def test_a_command_finds_an_authority_that_it_trusts():
    script = "import os, urllib.request as r\nprint(r.urlopen(os.environ['ACME_DIRECTORY']).read().decode())"
    done = run("serve", "--authority", "--", sys.executable, "-c", script)
    assert done.returncode == 0, done.stderr
    assert "newOrder" in json.loads(done.stdout)
