"""The weekly sweep: it mends what renewal needs and reports bundles that no stack names, and deletes no bundle."""

from __future__ import annotations

import json
import subprocess

import pytest
from support import sweep
from support.application import application, template
from support.renewal import Renewal, renewable, swept
from test_status import row, status


@pytest.fixture(scope="module")
def renewal(cloud):
    """A provider of its own: what other tests leave behind is no concern here."""
    renewal = swept(Renewal.with_topic(cloud, "sweeping"))
    yield renewal
    cloud.stacks.delete(renewal.provider.stack)


@pytest.fixture
def provider(renewal):
    return renewal.provider


def shown(renewal) -> subprocess.CompletedProcess:
    return status(renewal.cloud, "--provider", renewal.provider.stack)


def test_the_schedule_wakes_the_sweep_every_week(renewal):
    rule = renewal.rule("SweepSchedule")
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(7 days)", "ENABLED")
    renewal.fire("SweepSchedule")
    assert sweep.latest(renewal.provider)["tally"]["unreadable"] == 0


def test_a_lost_marker_and_a_lost_record_come_back(provider, renewal, name):
    stack = renewable(provider, name)
    markers = [key for key in provider.state("actions/") if stack.guid in key]
    [record] = provider.state(f"records/{stack.guid}/")
    sweep.age(provider, days=2)
    for key in [*markers, record]:
        sweep.lose(provider, key)
    assert renewal.sweep()["Sweep"] == "Complete"
    assert [key for key in provider.state("actions/") if stack.guid in key] == markers
    assert provider.state(f"records/{stack.guid}/") == [record]
    tally = sweep.latest(provider)["tally"]
    assert (tally["recordsWritten"], tally["markersWritten"]) == (1, 1)
    # What came back is enough for a renewal, and for a removal that leaves nothing.
    renewal.make_due(stack)
    assert renewal.run(stack) == "Started"
    assert stack.wait().status == "UPDATE_COMPLETE"
    assert renewal.run(stack) == "Renewed"
    stack.delete()
    assert provider.state(f"records/{stack.guid}/") == []
    assert provider.keys(f"backend-certificate/{name}/") == []


@pytest.mark.contract(34)
def test_a_record_that_cannot_be_read_is_told_and_written_again(provider, renewal, name):
    stack = renewable(provider, name)
    other = renewable(provider, f"{name}-other")
    for one in (stack, other):
        renewal.make_due(one)
    [record] = provider.state(f"records/{stack.guid}/")
    sweep.damage(provider, record, b"{}")
    renewal.messages()
    renewal.outcomes(other)
    assert renewal.invoke() == {"Due": 2, "Stacks": {"Started": 1, "RecordUnreadable": 1}}
    assert renewal.outcomes(other) == ["Started"]
    assert renewal.metrics()["RenewalsFailed"] == 1
    (message,) = renewal.messages()
    assert stack.guid in message["Subject"]
    assert f"s3://{provider.state_bucket}/{record}" in message["Message"]
    other.wait()
    assert renewal.invoke()["Stacks"] == {"Renewed": 1, "RecordUnreadable": 1}
    assert renewal.messages() == []
    assert renewal.sweep()["Sweep"] == "Complete"
    tally = sweep.latest(provider)["tally"]
    assert (tally["unreadable"], tally["recordsWritten"]) == (1, 1)
    assert renewal.run(stack) == "Started"
    assert stack.wait().status == "UPDATE_COMPLETE"
    assert renewal.run(stack) == "Renewed"
    for one in (stack, other):
        one.delete()
    assert provider.state(f"records/{stack.guid}/") == []


def test_a_sweep_whose_place_cannot_be_read_begins_anew(provider, renewal):
    sweep.damage(provider, "sweep/progress.json", b"{")
    assert "Due" in renewal.invoke()
    assert "sweep/progress.json" not in provider.state("sweep/")
    assert sweep.latest(provider)["tally"]["unreadable"] == 0


def test_over_bundles_that_were_there_before_a_sweep_runs_within_the_hour(provider, renewal, name):
    """A provider is installed over the bundles of another one, with a state bucket that knows nothing."""
    stack = renewable(provider, name)
    markers = [key for key in provider.state("actions/") if stack.guid in key]
    [record] = provider.state(f"records/{stack.guid}/")
    sweep.age(provider, days=2)
    sweep.lose_all(provider)
    renewal.fire()
    assert provider.state(f"records/{stack.guid}/") == [record]
    assert [key for key in provider.state("actions/") if stack.guid in key] == markers
    first = sweep.latest(provider)
    assert first["tally"]["recordsWritten"] == 1
    # The next hour has no sweep, until its week is over.
    renewal.fire()
    assert sweep.latest(provider) == first
    renewal.make_due(stack)
    assert renewal.run(stack) == "Started"
    assert stack.wait().status == "UPDATE_COMPLETE"
    assert renewal.run(stack) == "Renewed"
    stack.delete()


def test_an_orphan_is_shown_and_stays(cloud, provider, renewal, name):
    """The stack is deleted, and its template said to keep the certificate."""
    wanted = json.loads(template(application(provider, name).properties))
    wanted["Resources"]["Certificate"]["DeletionPolicy"] = "Retain"
    stack = cloud.stacks.create(name, json.dumps(wanted))
    guid, key = stack.id.rsplit("/", 1)[1], stack.outputs["CertificateS3Key"]
    assert cloud.stacks.delete(name).status == "DELETE_COMPLETE"
    assert renewal.sweep() == {"Sweep": "Complete", "Orphans": 0}
    assert shown(renewal).returncode == 0
    sweep.age(provider, days=8)
    assert renewal.sweep() == {"Sweep": "Complete", "Orphans": 1}
    assert renewal.metrics()["Orphans"] == 1
    assert provider.keys(f"backend-certificate/{name}/") == [key]
    assert not [marker for marker in provider.state("actions/") if guid in marker]
    told = shown(renewal)
    assert told.returncode == 1
    assert row(told, name)[-1] == "ORPHAN"
    assert f"delete s3://{provider.bucket}/{key}" in told.stdout
    assert told.stdout.rstrip().endswith("The last sweep was less than a day ago.")
    for version in provider.versions(key):
        sweep.remove_version(provider, *version)
    assert renewal.sweep() == {"Sweep": "Complete", "Orphans": 0}
    assert provider.state(f"records/{guid}/") == []
    assert shown(renewal).returncode == 0


def test_markers_of_nothing_are_removed(provider, renewal, name):
    stack = renewable(provider, name)
    marker = renewal.make_due(stack)
    stack.delete()
    assert marker in provider.state("actions/")
    sweep.age(provider, days=2)
    renewal.sweep()
    assert marker not in provider.state("actions/")


def test_the_sweep_reads_no_private_key(cloud, provider, renewal, name):
    """It may look at a bundle from outside, as the function does; the content needs kms:Decrypt."""
    stack = renewable(provider, name)
    key = stack.outputs()["CertificateS3Key"]
    client = cloud.client("s3", as_role=provider.renewal_role_arn)
    assert client.head_object(Bucket=provider.bucket, Key=key)["Metadata"]["public-key"]
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        client.get_object(Bucket=provider.bucket, Key=key)
    cloud.recorder.clear()
    renewal.sweep()
    read = [call for call in cloud.recorder.calls if "RenewalRole" in call.principal and call.method == "GET"]
    assert not [call for call in read if key in call.target]
    assert row(shown(renewal), name)[-1] == "ok"
    stack.delete()
