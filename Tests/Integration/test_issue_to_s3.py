"""`stackcert issue` with a bucket: bundles for many servers, each of which runs `stackcert pull`."""

from __future__ import annotations

import datetime
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from localcloud import LocalCloud
from localcloud.acme import CertificateAuthority
from support import tls
from support.agent import Agent
from support.issuing import Issuing, issuer_role
from support.lets_encrypt import hosted_zone

BUCKET = "bundles-of-many-servers"
DOMAIN = "servers.example.net"


@dataclass
class Shelf:
    """A bucket, a parameter, and the machine that issues."""

    issuing: Issuing
    parameter: str
    domain: str

    @property
    def cloud(self) -> LocalCloud:
        return self.issuing.cloud

    @property
    def command(self) -> list[str]:
        return [*self.issuing.order(self.domain), "--bucket", BUCKET, "--parameter", self.parameter]

    def issue(self, *more: str) -> dict[str, Any]:
        done = self.issuing.run(self.command, "--output", "json", *more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = self.issuing.run(list(arguments))
        assert done.returncode != 0
        return done

    def newest(self) -> str:
        return self.cloud.client("ssm").get_parameter(Name=self.parameter)["Parameter"]["Value"]

    def bundles(self) -> set[str]:
        found = self.cloud.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {each["Key"] for each in found}

    def server(self, folder: Path) -> Agent:
        rights = (
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/stackcert/*"},
            {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"},
        )
        role = self.cloud.create_role(f"server-of-{self.domain.split('.')[0]}", *rights)
        folder.mkdir(mode=0o755)
        return Agent(self.cloud, BUCKET, self.parameter, role, folder)


@pytest.fixture
def shelf(cloud: LocalCloud, authority: CertificateAuthority, name: str, tmp_path: Path) -> Shelf:
    s3 = cloud.client("s3")
    if BUCKET not in [each["Name"] for each in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=BUCKET)
    for key in [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]:
        s3.delete_object(Bucket=BUCKET, Key=key)
    parameter = f"/tls/{name}"
    objects = f"arn:aws:s3:::{BUCKET}/stackcert/*"
    in_parameter_store = f"arn:aws:ssm:*:*:parameter{parameter}"
    rights = (
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": objects},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{BUCKET}"},
        {"Effect": "Allow", "Action": ["ssm:GetParameter", "ssm:PutParameter"], "Resource": in_parameter_store},
    )
    role = issuer_role(cloud, name, hosted_zone(cloud, DOMAIN), *rights)
    authority.shim.requests.clear()
    return Shelf(Issuing(cloud, authority, role, tmp_path), parameter, f"{name}.{DOMAIN}")


def test_servers_pull_what_was_issued_and_follow_the_next(shelf: Shelf, tmp_path: Path):
    first = shelf.issue()
    assert (first["change"], first["bundle"]) == ("written", shelf.newest())
    server = shelf.server(tmp_path / "server")
    assert server.change() == "written"
    shown = server.certificate.read_text()
    assert tls.certificate_fingerprint(shown[: shown.index("-----END") + 25]) == first["fingerprint"]
    assert tls.public_key_of(server.key.read_text()) == tls.public_key_in(shown)
    second = shelf.issue("--force")
    assert server.change() == "written"
    assert tls.public_key_of(server.key.read_text()) != tls.public_key_in(shown)
    assert server.change() == "unchanged"
    assert second["bundle"] == shelf.newest() != first["bundle"]


def test_nothing_is_ordered_as_long_as_the_bundle_is_good(shelf: Shelf):
    first = shelf.issue()
    assert shelf.issue() == {**first, "change": "unchanged"}
    assert shelf.issuing.orders() == 1
    assert shelf.issue("--key-algorithm", "RSA_2048")["change"] == "written"
    assert shelf.issuing.orders() == 2


def test_a_bundle_that_the_authority_wants_renewed_is_renewed_before_its_time(shelf: Shelf):
    """As before a revocation (RFC 9773). Bundles of the first versions do not say how the authority calls them."""
    extensions = shelf.issuing.authority.shim.extensions
    renewals = extensions.advertise_renewal_information()
    try:
        first = shelf.issue()
        s3 = shelf.cloud.client("s3")
        metadata = s3.head_object(Bucket=BUCKET, Key=first["bundle"])["Metadata"]
        now = datetime.datetime.now(datetime.UTC)
        renewals.suggest(metadata["certificate-id"], now - datetime.timedelta(hours=2), now)
        second = shelf.issue()
        assert (second["change"], second["bundle"] != first["bundle"]) == ("written", True)
        assert shelf.issuing.authority.shim.named("newOrder")[-1].payload["replaces"] == metadata["certificate-id"]
        asked = list(renewals.asked)
        earlier = s3.head_object(Bucket=BUCKET, Key=second["bundle"])["Metadata"]
        del earlier["certificate-id"]
        where = {"Bucket": BUCKET, "Key": second["bundle"]}
        s3.copy_object(**where, CopySource=where, Metadata=earlier, MetadataDirective="REPLACE")
        assert shelf.issue()["change"] == "unchanged"
        assert renewals.asked == asked
    finally:
        extensions.reset()


def test_the_bundle_before_the_last_is_deleted(shelf: Shelf):
    """Servers may still be fetching the last."""
    keys = [shelf.issue("--force")["bundle"] for _ in range(3)]
    assert len(set(keys)) == 3
    assert shelf.bundles() == set(keys[1:])
    assert shelf.newest() == keys[2]


def test_a_run_that_could_not_change_the_parameter_is_gone_on_with(shelf: Shelf):
    role = shelf.issuing.role.rsplit("/", 1)[1]
    shelf.cloud.faults.add("refuse", "ssm:PutParameter", status=400, code="AccessDeniedException", principal=role)
    refused = shelf.refused(*shelf.command)
    assert refused.returncode == 77
    [stored] = shelf.bundles()
    with pytest.raises(ClientError, match="ParameterNotFound"):
        shelf.newest()
    shelf.cloud.faults.clear()
    assert shelf.issue()["bundle"] == stored == shelf.newest()
    assert shelf.issuing.orders() == 1


def test_a_parameter_of_something_else_is_left_alone(shelf: Shelf):
    shelf.cloud.client("ssm").put_parameter(Name=shelf.parameter, Value="ami-1", Type="String")
    refused = shelf.refused(*shelf.command)
    assert "does not name a bundle below stackcert/" in refused.stderr
    assert (shelf.newest(), shelf.bundles(), shelf.issuing.orders()) == ("ami-1", set(), 0)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--bucket", BUCKET), "--bucket and --parameter together"),
        (("--bucket", BUCKET, "--parameter", "/p", "--combined", "tls.pem"), "leave files"),
        (("--bucket", BUCKET, "--parameter", "/p", "--reload", "true"), "leave files"),
        (("--bucket", BUCKET, "--parameter", "/p", "--prefix", "x"), "--prefix must end with a slash"),
        (("--combined", "tls.pem", "--kms-key-id", "1"), "--kms-key-id goes with --bucket only"),
    ],
)
def test_options_that_do_not_go_together_are_told(shelf: Shelf, more: tuple[str, ...], said: str):
    refused = shelf.refused(*shelf.issuing.order(shelf.domain), *more)
    assert refused.returncode == 64
    assert said in refused.stderr
    assert shelf.issuing.orders() == 0
