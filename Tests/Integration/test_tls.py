"""The certificate at work: OpenSSL's opinion of it, and a real stunnel that a load balancer trusts by its key alone."""

from __future__ import annotations

import json
import subprocess

import pytest
from support import documents, servers, tls
from support.paths import TEMPLATES


@pytest.fixture
def served(app, provider, tmp_path):
    """A rotated application, its bundle, and stunnel serving it: (attributes, bundle, port)."""
    stack = app(KeyAlgorithm="RSA_2048", SubjectAlternativeNames="10.1.2.3,other.example.net")
    stack.create()
    stack.update(Rotation="2")
    bundle = provider.bundle(stack.attributes["CertificateS3Key"])
    (tmp_path / "certificate.pem").write_text(bundle["certificate"])
    (tmp_path / "key.pem").write_text(bundle["private_key"])
    port, plain = tls.free_port(), tls.free_port()
    application = tmp_path / "app.py"
    launch = documents.read("automated")["Resources"]["ServerTemplate"]["Properties"]["LaunchTemplateData"]
    files = servers.files_written(launch["UserData"]["Fn::Base64"]["Fn::Sub"])
    application.write_text(files["/opt/app/app.py"])
    (tmp_path / "stunnel.conf").write_text(
        f"foreground = yes\npid =\n[backend]\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:{plain}\n"
        f"cert = {tmp_path}/certificate.pem\nkey = {tmp_path}/key.pem\n"
    )
    (tmp_path / "generation").write_text(bundle["generation"])
    variables = {"PORT": str(plain), "GENERATION": str(tmp_path / "generation"), "PATH": "/usr/bin:/bin"}
    with (
        tls.running(["/usr/bin/python3", str(application)], plain, tmp_path / "app.log", env=variables),
        tls.running([tls.STUNNEL, str(tmp_path / "stunnel.conf")], port, tmp_path / "tls.log"),
    ):
        yield stack.attributes, bundle, port


def test_the_load_balancer_accepts_the_stacks_key_and_no_other(served):
    attributes, bundle, port = served
    trusted = {attributes["PublicKey"], attributes["PreviousPublicKey"]}
    assert tls.request_as_load_balancer(port, trusted) == "ok\n"
    assert bundle["generation"] in tls.request_as_load_balancer(port, {attributes["PublicKey"]}, "/")
    with pytest.raises(tls.Untrusted):
        tls.request_as_load_balancer(port, {attributes["PreviousPublicKey"]})


def test_openssl_agrees(app, provider, tmp_path):
    stack = app(SubjectAlternativeNames="10.1.2.3,other.example.net")
    stack.create()
    domain, certificate = stack.properties["AppDomain"], tmp_path / "certificate.pem"
    certificate.write_text(provider.bundle(stack.attributes["CertificateS3Key"])["certificate"])
    assert tls.openssl("verify", "-x509_strict", "-CAfile", str(certificate), str(certificate)).endswith("OK\n")
    for name in (domain, f"www.{domain}", "other.example.net"):
        verdict = tls.openssl("x509", "-in", str(certificate), "-noout", "-checkhost", name)
        assert "does match" in verdict
    assert "does match" in tls.openssl("x509", "-in", str(certificate), "-noout", "-checkip", "10.1.2.3")
    assert "NOT match" in tls.openssl("x509", "-in", str(certificate), "-noout", "-checkhost", "elsewhere.example.org")
    fingerprint = tls.openssl("x509", "-in", str(certificate), "-noout", "-fingerprint", "-sha256")
    assert fingerprint.strip().rsplit("=", 1)[1].replace(":", "").lower() == stack.attributes["CertificateFingerprint"]


def test_the_certificate_made_by_hand_is_what_step_three_describes(tmp_path):
    """The commands in the comments of backend-certificate.yml, run as they stand there."""
    comments = [
        line[4:] for line in (TEMPLATES / "backend-certificate.yml").read_text().splitlines() if line.startswith("#   ")
    ]
    script = "\n".join(line for line in comments if not line.startswith("aws s3 cp"))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("rm key.pem bundle.json", "cat bundle.json")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    public_key, members = done.stdout.split("{", 1)
    bundle = json.loads("{" + members)
    assert tls.public_key_of(bundle["private_key"]) == tls.public_key_in(bundle["certificate"]) == public_key.strip()
