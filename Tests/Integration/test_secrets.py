"""Nothing secret comes out: not in logs, not in answers, not in errors, not in what S3 shows without decryption."""

from __future__ import annotations

import base64
import json

import pytest
from support.application import application
from support.provider import Provider

MARKER = "property-body-never-to-be-seen"


def secrets_of(provider: Provider, keys: list[str], requests: list[dict]) -> dict[str, str]:
    """Name to text of everything that must stay secret."""
    found = {"PEM armour of a private key": "PRIVATE KEY", "a body of a property": MARKER}
    for key in keys:
        lines = provider.bundle(key)["private_key"].splitlines()
        found[f"the private key of {key}"] = lines[2]
        found[f"the raw private key of {key}"] = base64.b64decode("".join(lines[1:-1])).hex()[64:96]
    for request in requests:
        url = request["ResponseURL"]
        found["a ResponseURL"] = url.split("?")[0]
        found["a ResponseURL's signature"] = url.split("X-Amz-Signature=")[-1]
    return {name: text for name, text in found.items() if text}


def shown(provider: Provider) -> dict[str, str]:
    """Where to name all that the function let out: place to text."""
    recorder = provider.cloud.recorder
    texts = {"the log": recorder.function_log()}
    groups = provider.cloud.client("logs")
    written = groups.filter_log_events(logGroupName=provider.log_group)["events"]
    texts["CloudWatch Logs"] = "\n".join(event["message"] for event in written)
    for number, invocation in enumerate(recorder.invocations):
        texts[f"result {number}"] = invocation.result.decode("utf-8", "replace")
    for number, exchange in enumerate(recorder.exchanges):
        for upload in exchange.uploads:
            texts[f"answer {number}"] = upload[2].decode()
    for number, call in enumerate(recorder.calls):
        if "FunctionRole" not in call.principal:
            continue
        texts[f"call {number}"] = json.dumps([call.target, call.headers])
        if call.params.get("Bucket") == provider.state_bucket:
            texts[f"state {number}"] = call.body.decode("utf-8", "replace")
    return texts


def leaks(secrets: dict[str, str], texts: dict[str, str]) -> list[str]:
    return [f"{name} in {place}" for place, text in texts.items() for name, secret in secrets.items() if secret in text]


@pytest.mark.contract(24)
def test_nothing_secret_comes_out(provider, name):
    cloud = provider.cloud
    stack = application(provider, name, KeyAlgorithm="RSA_2048")
    stack.create()
    stack.update(Rotation="2", CacheBuster=MARKER)
    stack.update(Rotation="3", later="")
    stack.update(AppName=f"{MARKER}/*")
    # S3 refuses, the ResponseURL refuses: errors tempt to quote.
    cloud.faults.add("refuse", "s3:HeadObject", status=403, code="AccessDenied", count=1)
    stack.update(Rotation="4")
    cloud.faults.add("refuse", kind="response-url", status=403, count=1)
    stack.update(Rotation="5")
    cloud.asynchronous.wait_idle()
    secrets = secrets_of(
        provider, [stack.attributes["CertificateS3Key"]], [e.request for e in cloud.recorder.exchanges]
    )
    found, texts = [], shown(provider)
    assert len(texts) > 40
    for exchange in cloud.recorder.exchanges:
        found += leaks({"its own ResponseURL": exchange.request["ResponseURL"]}, texts)
    assert found + leaks(secrets, texts) == []
    stack.delete()


def test_a_leak_would_be_found(provider, app):
    """The search above is only worth something if it finds what is there."""
    stack = app()
    stack.create()
    key = stack.attributes["CertificateS3Key"]
    request = provider.cloud.recorder.exchanges[0].request
    secrets = secrets_of(provider, [key], [request])
    bundle = json.dumps(provider.bundle(key)).replace("\\n", "\n")
    places = {"a log": f"{bundle} {request['ResponseURL']} {MARKER}"}
    assert {leak.split(" in ")[0] for leak in leaks(secrets, places)} >= set(secrets) - {
        f"the raw private key of {key}"
    }
