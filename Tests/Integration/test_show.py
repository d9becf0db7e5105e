"""`stackcert show`: everything that is known of a certificate, and never its key."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode

import pytest
from support import tool
from support.renewal import renewable


@pytest.fixture(scope="module")
def reader(cloud, provider) -> dict[str, str]:
    """The variables of a session that may read the state bucket and no bundle, nor use the key."""
    state = f"arn:aws:s3:::{provider.state_bucket}"
    role = cloud.create_role(
        "certificate-reader",
        {"Effect": "Allow", "Action": "cloudformation:DescribeStacks", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": state},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{state}/*"},
    )
    return cloud.environment_variables(cloud.session(role))


def facts(text: str) -> dict[str, str]:
    """The indented lines of one certificate."""
    return dict(re.findall(r"^  (\S+(?: \S+)*)  +(.*)$", text, re.M))


def sha256(public_key: str) -> str:
    return hashlib.sha256(b64decode(public_key)).hexdigest()


def test_everything_public_is_shown_without_a_look_at_the_bundle(cloud, provider, reader, name):
    stack = renewable(provider, name)
    cloud.recorder.clear()
    shown = tool.run(cloud, "show", name, **reader)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.splitlines()[0] == f"{name}  Certificate  ok"
    attributes, found = stack.attributes, facts(shown.stdout)
    assert found["Stack"] == stack.result.id
    assert found["Names"] == f"{name}.example.com, *.{name}.example.com"
    assert found["Algorithm"] == "EC_P256"
    assert found["Valid"] == f"{attributes['NotBefore']} to {attributes['NotAfter']} (364 days left)"
    assert attributes["NotBefore"] < found["Renewal"].split(",")[0] < attributes["NotAfter"]
    assert found["Renewal"].endswith(", by the parameter CertificateRotation")
    assert found["Last attempt"] == "none is under way, and none has failed"
    assert found["Serial number"] == attributes["SerialNumber"]
    assert found["Certificate"] == f"SHA-256 {attributes['CertificateFingerprint']}"
    assert found["Public key"] == f"SHA-256 {sha256(attributes['PublicKey'])}"
    previous = sha256(attributes["PreviousPublicKey"])
    assert found["Previous key"] == f"SHA-256 {previous}, whose private key was thrown away"
    assert found["Bundle"] == f"s3://{provider.bucket}/{attributes['CertificateS3Key']}"
    calls = [call for call in cloud.recorder.calls if "certificate-reader" in call.principal]
    assert len(calls) >= 4
    assert not any(provider.bucket in call.target for call in calls)
    assert not any(call.name.startswith("kms:") for call in calls)
    private_key = provider.bundle(attributes["CertificateS3Key"])["private_key"]
    body = "".join(private_key.splitlines()[1:-1])
    as_json = tool.run(cloud, "show", name, "--output", "json", **reader).stdout
    for text in (shown.stdout, as_json):
        assert body[:40] not in text and "PRIVATE KEY" not in text
    stack.delete()


def test_as_json_it_can_be_asked_for_one_resource(cloud, provider, reader, name):
    stack = renewable(provider, name)
    (entry,) = json.loads(tool.run(cloud, "show", name, "Certificate", "--output", "json", **reader).stdout)
    attributes = stack.attributes
    assert entry["publicKey"] == attributes["PublicKey"]
    assert entry["certificateFingerprint"] == attributes["CertificateFingerprint"]
    assert entry["key"] == attributes["CertificateS3Key"]
    assert entry["isCurrent"] is True
    assert "lastAttempt" not in entry
    other = tool.run(cloud, "show", name, "Pointer", **reader)
    assert (other.returncode, other.stdout) == (2, "")
    assert other.stderr == f"stackcert: Stack {name} has no certificate Pointer: it has Certificate.\n"
    stack.delete()


def test_the_last_attempt_is_shown_with_its_outcome(cloud, provider, renewal, reader, name):
    stack = renewable(provider, name, with_role=False)
    renewal.make_due(stack)
    assert renewal.run(stack) == "NoRole"
    found = tool.run(cloud, "show", name, **reader)
    assert found.stdout.splitlines()[0] == f"{name}  Certificate  failing"
    attempt = facts(found.stdout)["Last attempt"]
    assert attempt.startswith(f"NoRole: Stack {name} has no service role")
    assert re.search(r"\(failures: 1; next try \d{4}-\d\d-\d\dT[\d:]+Z\)$", attempt)
    stack.delete()
    renewal.forget(stack)


def test_while_an_update_goes_on_it_says_since_when(cloud, provider, renewal, reader, name):
    stack = renewable(provider, name)
    renewal.make_due(stack)
    assert renewal.run(stack) == "Started"
    found = facts(tool.run(cloud, "show", name, **reader).stdout)
    assert found["Last attempt"].startswith("under way since 20")
    stack.wait()
    assert renewal.run(stack) == "Renewed"
    shown = tool.run(cloud, "show", name, **reader).stdout
    after = facts(shown)
    assert after["Last attempt"] == "none is under way, and none has failed"
    assert after["Previous key"] == f"SHA-256 {sha256(stack.attributes['PublicKey'])}, trusted beside it"
    assert "being replaced" not in shown
    stack.delete()


def test_what_is_not_there_is_one_line_and_exit_code_2(cloud, provider, reader, name):
    missing = tool.run(cloud, "show", "nobodys", **reader)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr == "stackcert: There is no stack nobodys in this region.\n"
    without = tool.run(cloud, "show", provider.stack, **reader)
    assert without.returncode == 2
    assert without.stderr == f"stackcert: Stack {provider.stack} has no certificate that this provider has made.\n"
    shown = tool.run(cloud, "show", "--help")
    assert "EXAMPLES" in shown.stdout and "never read" in shown.stdout
