"""`stackcert issue` and its companions beside a certificate authority, with a folder of their own."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from localcloud import LocalCloud
from localcloud.acme import CertificateAuthority
from localcloud.acme.second_authority import SecondAuthority

from support.paths import stackcert


@dataclass
class Issuing:
    """The command line of one machine: its role, its folder, an authority that it knows."""

    cloud: LocalCloud
    authority: CertificateAuthority | SecondAuthority
    role: str
    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "tls.crt"

    @property
    def key(self) -> Path:
        return self.folder / "tls.key"

    @property
    def environment(self) -> dict[str, str]:
        variables = self.cloud.environment_variables(self.cloud.session(self.role))
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), **variables, **self.authority.variables}

    def command(self, name: str, *more: str) -> list[str]:
        return [str(stackcert()), name, *more]

    def order(self, *names: str) -> list[str]:
        """`issue` without a place for the certificate."""
        domains = [word for name in names for word in ("--domain", name)]
        return self.command(
            "issue",
            *domains,
            *("--directory", self.authority.directory, "--contact", "ops@example.com", "--agree-to-terms"),
        )

    def issue(self, *names: str) -> list[str]:
        return [*self.order(*names), "--certificate", str(self.certificate), "--private-key", str(self.key)]

    def run(self, arguments: list[str], *more: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*arguments, *more], env=self.environment, capture_output=True, text=True, timeout=timeout
        )

    def start(self, arguments: list[str], *more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*arguments, *more], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def issued(self, *names: str, more: tuple[str, ...] = ()) -> dict[str, Any]:
        """The JSON that a successful `issue` prints."""
        done = self.run(self.issue(*names), "--output", "json", *more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def account_file(self) -> Path:
        """The document of the one account that there is."""
        [found] = (self.folder / ".stackcert" / "accounts").glob("*.json")
        return found

    def chain(self) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates(self.certificate.read_bytes())

    def names(self) -> set[str]:
        extension = self.chain()[0].extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return set(extension.value.get_values_for_type(x509.DNSName))

    def orders(self) -> int:
        """How many orders the authority took."""
        return sum(1 for request in self.authority.shim.named("newOrder") if request.status == 201)

    def left_behind(self, zone: str) -> Counter[str]:
        """TXT records that are still in a zone."""
        records = self.cloud.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return Counter(record["Name"] for record in records if record["Type"] == "TXT")


def issuer_role(cloud: LocalCloud, name: str, zone: str, *more: dict[str, Any]) -> str:
    """A role that may look for zones, and change the challenges' records of one; `more` are further statements."""
    return cloud.create_role(
        name,
        {
            "Effect": "Allow",
            "Action": ["route53:ListHostedZones", "route53:GetChange"],
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Action": ["route53:ListResourceRecordSets", "route53:GetHostedZone"],
            "Resource": f"arn:aws:route53:::hostedzone/{zone}",
        },
        {
            "Effect": "Allow",
            "Action": "route53:ChangeResourceRecordSets",
            "Resource": f"arn:aws:route53:::hostedzone/{zone}",
            "Condition": {
                "ForAllValues:StringLike": {
                    "route53:ChangeResourceRecordSetsNormalizedRecordNames": "_acme-challenge.*"
                },
                "ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": "TXT"},
            },
        },
        *more,
    )
