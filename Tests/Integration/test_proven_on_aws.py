"""The local cloud answers what AWS answered (docs/proven-on-aws.json), and the README tells of it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError
from on_aws import __main__ as command
from on_aws import answers, place, runner
from on_aws.claims import Claim, Seen, claims, decided
from on_aws.probes import load_all
from support import gates
from support.paths import REPOSITORY, function_zip

load_all()
FOLDER = REPOSITORY / "Tests" / "OnAWS"


@pytest.fixture(scope="module")
def local(cloud):
    """The answers of the local cloud, all claims asked."""
    return runner.run(place.in_local_cloud(cloud, {"zip": str(function_zip())}), claims.values())


def test_the_local_cloud_answers_as_aws_did(local):
    rows = answers.read()
    print(runner.table(claims.values(), local))
    gates.counted(answers.recorded(rows))
    assert answers.differences(rows, local.seen) == []


def test_every_claim_is_asked_or_says_why_not(local):
    failed = {key: text for key, text in local.unanswered.items() if text.startswith("no answer")}
    assert failed == {}
    assert set(local.seen) | set(local.unanswered) == set(claims)
    assert len(local.seen) > len(claims) / 2


def test_nothing_is_left_behind(local, cloud):
    assert local.left_behind == []
    names = [b["Name"] for b in cloud.client("s3").list_buckets()["Buckets"]]
    roles = [r["RoleName"] for r in cloud.client("iam").list_roles()["Roles"]]
    assert [name for name in [*names, *roles] if local.name in name] == []


def test_asking_the_local_cloud_writes_no_answer(monkeypatch, capsys, cloud):
    monkeypatch.setattr("localcloud.LocalCloud", lambda **_: contextlib.nullcontext(cloud))
    monkeypatch.setattr(sys, "argv", ["on_aws", "--local", "--only", "s3-put-once"])
    before = answers.FILE.read_bytes()
    assert command.main() == 0
    assert "s3-put-once  yes  PutObject with" in capsys.readouterr().out
    assert answers.FILE.read_bytes() == before


def test_an_answer_of_aws_that_differs_is_reported(local, tmp_path):
    file = tmp_path / "answers.json"
    answers.write(answers.merged([], claims), file)
    right, wrong = claims["s3-put-once"], claims["s3-put-if-match-gone"]
    answers.record(right, local.seen[right.id], "eu-central-1", file)
    answers.record(wrong, Seen("no", "412 PreconditionFailed"), "eu-central-1", file)
    rows = answers.read(file)
    [difference] = answers.differences(rows, local.seen)
    assert difference.startswith("s3-put-if-match-gone: AWS answered 'no' (eu-central-1, ")
    assert "the local cloud 'yes' (404 NoSuchKey)" in difference
    assert answers.recorded(rows) == f"2 of {len(claims)} recorded"


def test_the_file_has_a_row_for_each_claim_and_the_readme_tells_of_them():
    rows = answers.read()
    assert [(row["id"], row["claim"]) for row in rows] == [(c.id, c.sentence) for c in claims.values()]
    readme = answers.README.read_text()
    assert answers.section_of(readme) == answers.section(rows, claims), "python -m on_aws --readme makes it anew"


def test_the_readme_tells_what_is_open_and_what_was_denied():
    rows = answers.merged([], claims)
    rows[0] |= {"answer": "yes", "evidence": "412"}
    rows[1] |= {"answer": "no", "evidence": "all of them succeeded"}
    text = answers.section(rows, claims)
    assert rows[0]["claim"] not in text
    assert f"**Answered with no**\n\n- {rows[1]['claim']} (all of them succeeded)" in text
    assert f"- {rows[2]['claim']}\n" in text


def test_an_answer_is_forgotten_when_its_claim_says_something_else():
    rows = answers.merged([], claims)
    rows[0] |= {"answer": "yes", "claim": "Something else."}
    rows[1] |= {"answer": "yes"}
    again = answers.merged(rows, claims)
    assert [row["answer"] for row in again[:3]] == [None, "yes", None]


def _interrupted(cloud, fault, made):
    """A run whose first probe ends so, after it made a bucket and a role."""

    def probe(bench):
        made.append(bench.bucket())
        bench.client("s3").put_object(Bucket=made[0], Key="k", Body=b"")
        made.append(bench.role())
        raise fault

    asked = [Claim("stopped", "It is stopped.", "Test", probe)]
    asked.append(Claim("after", "It comes after.", "Test", lambda _: decided(True, "")))
    return runner.run(place.in_local_cloud(cloud), asked)


def _remains(cloud, made):
    buckets = [b["Name"] for b in cloud.client("s3").list_buckets()["Buckets"]]
    roles = [r["Arn"] for r in cloud.client("iam").list_roles()["Roles"]]
    return set(made) & {*buckets, *roles}


def test_what_was_made_is_removed_after_ctrl_c(cloud):
    made = []
    with pytest.raises(KeyboardInterrupt):
        _interrupted(cloud, KeyboardInterrupt, made)
    assert len(made) == 2
    assert not _remains(cloud, made)


def test_a_mistake_in_a_probe_costs_its_own_answer_only(cloud):
    made = []
    result = _interrupted(cloud, IndexError("list index out of range"), made)
    assert result.unanswered == {"stopped": "no answer: IndexError: list index out of range"}
    assert result.seen["after"].answer == "yes"
    assert len(made) == 2
    assert not _remains(cloud, made)


def test_what_cannot_be_removed_is_named(cloud):
    def probe(bench):
        bench.undo("the moon", lambda: 1 / 0)
        # What was never made needs no removal.
        bench.undo("a bucket", lambda: bench.client("s3").delete_bucket(Bucket="never-made"))
        bench.undo("a queue", lambda: bench.client("sqs").get_queue_url(QueueName="never-made"))
        bench.undo("a stack", lambda: bench.client("cloudformation").describe_stacks(StackName="never-made"))
        return decided(True, "")

    result = runner.run(place.in_local_cloud(cloud), [Claim("stays", "It stays.", "Test", probe)])
    assert result.seen["stays"].answer == "yes"
    assert result.left_behind == ["the moon: division by zero"]


def _run(*arguments, **variables):
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true", **variables}
    return subprocess.run(
        [sys.executable, "-m", "on_aws", *arguments], cwd=FOLDER, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (["--region", "eu-central-1"], {}, "No AWS credentials were found: set AWS_PROFILE, or pass --profile."),
        ([], {}, "No region is chosen: pass --region, or set AWS_REGION."),
        (["--region", "eu-center-1"], {}, "There is no region 'eu-center-1': pass one such as eu-central-1."),
        (["--profile", "nobody"], {}, "The config profile (nobody) could not be found"),
        (["--only", "s4-"], {}, "No claim's id begins with s4-: --list shows them."),
        (["--region", "us-east-1"], {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "AWS_ENDPOINT_URL is set"),
    ],
)
def test_it_says_in_one_line_why_it_cannot_start(arguments, variables, message):
    result = _run(*arguments, **variables)
    assert result.returncode == 2
    assert result.stderr.startswith(f"on_aws: {message}")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ExpiredToken", "The AWS credentials have expired: sign in again"),
        ("InvalidClientTokenId", "AWS does not know these credentials, or the region eu-south-1 is not enabled"),
        ("ServiceUnavailable", "AWS does not say whose credentials these are"),
    ],
)
def test_credentials_that_are_of_no_use_are_told_apart(code, message):
    class Session:
        def client(self, service, region_name):
            assert (service, region_name) == ("sts", "eu-south-1")
            return self

        def get_caller_identity(self):
            raise ClientError({"Error": {"Code": code, "Message": "No."}}, "GetCallerIdentity")

    with pytest.raises(place.CannotStart, match=message):
        place._who(Session(), "eu-south-1")


@pytest.mark.parametrize(("alias", "marked"), [("acme-production", True), ("acme-sandbox", False)])
def test_it_shows_where_it_would_run_and_only_yes_is_yes(monkeypatch, capsys, alias, marked):
    here = place.Place("111122223333", "eu-central-1", "aws", "arn:aws:iam::111122223333:user/me", alias, lambda: None)
    for said, agreed in (("", False), ("y", False), ("yes", True)):
        monkeypatch.setattr("builtins.input", lambda _, said=said: said)
        assert command._agreed() is agreed
    command._show(here)
    shown = capsys.readouterr().out
    assert f"Account 111122223333 ({alias}), region eu-central-1" in shown
    assert "costs cents" in shown
    assert ("looks like one that customers depend on" in shown) is marked


def test_the_answers_that_are_recorded_say_when_and_where():
    for row in json.loads(answers.FILE.read_text())["claims"]:
        assert list(row) == ["id", "claim", "answer", "evidence", "date", "region"]
        if row["answer"] is None:
            assert row["evidence"] is row["date"] is row["region"] is None
        else:
            assert row["answer"] in ("yes", "no") and row["date"] and row["region"], row
