"""The tool `stackcert` as servers run it: `stackcert pull` beside a bundle that a stack of the tests made."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from localcloud import LocalCloud

from support import tls
from support.application import Application
from support.paths import stackcert
from support.provider import Provider


def server_role(provider: Provider, app: Application, parameter: str) -> str:
    """A role as automated.yml gives its servers: it may read its own pointer and its own bundles."""
    cloud = provider.cloud
    prefix = app.attributes["CertificateS3Prefix"]
    bundles = f"arn:aws:s3:::{provider.bucket}/{prefix}*"
    return cloud.create_role(
        app.name,
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": bundles},
        {
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": provider.key_arn,
            "Condition": {"StringLike": {"kms:EncryptionContext:aws:s3:arn": bundles}},
        },
        {
            "Effect": "Allow",
            "Action": "ssm:GetParameter",
            "Resource": f"arn:aws:ssm:{cloud.region}:{cloud.account}:parameter{parameter}",
        },
        path="/stackcert-app/",
    )


@dataclass
class Agent:
    """`stackcert pull` for one application, with its server's role and a folder for the server's files."""

    cloud: LocalCloud
    bucket: str
    parameter: str
    role: str
    folder: Path

    @property
    def key(self) -> Path:
        return self.folder / "server.key"

    @property
    def certificate(self) -> Path:
        return self.folder / "server.crt"

    def point_to(self, app: Application) -> None:
        """What CloudFormation does once the load balancer trusts the key."""
        self.cloud.client("ssm").put_parameter(
            Name=self.parameter, Type="String", Overwrite=True, Value=app.attributes["CertificateS3Key"]
        )

    def arguments(self, *more: str) -> list[str]:
        files = ("--certificate", str(self.certificate), "--private-key", str(self.key))
        return [str(stackcert()), "pull", "--parameter", self.parameter, "--bucket", self.bucket, *files, *more]

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], **self.cloud.environment_variables(self.cloud.session(self.role))}

    def pull(self, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.arguments(*more),
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self, *more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.arguments(*more),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def change(self, *more: str) -> str:
        """Pull once; what that did."""
        done = self.pull("--output", "json", *more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["change"]

    def served_key(self) -> str:
        """The public key of what a server reads that starts now, after OpenSSL found that its files match."""
        in_certificate = tls.openssl("x509", "-in", str(self.certificate), "-noout", "-pubkey")
        of_key = tls.openssl("pkey", "-in", str(self.key), "-pubout")
        assert in_certificate == of_key
        return tls.public_key_in(self.certificate.read_text())
