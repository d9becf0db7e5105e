"""OpenSSL's opinion of the certificates. (test_automated.py has them served.)"""

from __future__ import annotations

import json
import subprocess

from support import tls
from support.paths import TEMPLATES


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
