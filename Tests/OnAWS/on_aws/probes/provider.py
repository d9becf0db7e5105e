"""The provider itself, installed from provider.yml; and Let's Encrypt's staging, by the command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from on_aws.answers import ROOT
from on_aws.bench import Bench, Inconclusive
from on_aws.claims import Seen, claim, decided

SERVICE = "StackCert itself"


def _published() -> str:
    """provider.yml without its comments: as it is, it is close to the limit of a template in a request."""
    with tempfile.TemporaryDirectory() as folder:
        source = ROOT / "templates" / "provider.yml"
        command = [sys.executable, str(ROOT / "Tools" / "publish_templates.py"), folder, str(source)]
        subprocess.run(command, check=True, capture_output=True)
        return (Path(folder) / "provider.yml").read_text()


def _install(bench: Bench) -> tuple[str, dict[str, str]]:
    """The stack's name and its outputs."""

    def make() -> tuple[str, dict[str, str]]:
        code, zip_file = bench.bucket("code"), Path(bench.place.options["zip"])
        if not zip_file.is_file():
            raise Inconclusive(f"there is no file {zip_file}: `make package` builds it")
        bench.client("s3").put_object(Bucket=code, Key="function.zip", Body=zip_file.read_bytes())
        architecture = "arm64" if "arm64" in zip_file.name else "x86_64"
        given = {
            "CodeS3Bucket": code,
            "CodeS3Key": "function.zip",
            "Architecture": architecture,
            "Renewal": "off",
            "AuditBundles": "false",
            "ExportPrefix": bench.name("export"),
        }
        name, cloudformation = f"proof-{bench.run}", bench.client("cloudformation")
        bench.undo(f"stack {name} and what it retains", lambda: _remove(bench, name))
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=_published(),
            Capabilities=["CAPABILITY_IAM"],
            Tags=bench.tags,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        )
        status = bench.settled(name)
        found = cloudformation.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])
        outputs = {each["OutputKey"]: each["OutputValue"] for each in found}
        return name, outputs | {"status": f"{status} {bench.reasons(name)}".strip()}

    return bench.shared("provider", make)


def _remove(bench: Bench, name: str) -> None:
    """The stack, and then what its deletion leaves: buckets with their policies, and the key."""
    cloudformation = bench.client("cloudformation")
    bench.settled(name)
    found = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    bench._remove_stack(name)
    for each in found:
        identifier = each.get("PhysicalResourceId", "")
        if each["ResourceType"] == "AWS::S3::Bucket" and identifier:
            bench._remove_bucket(identifier)
        elif each["ResourceType"] == "AWS::KMS::Key" and identifier:
            bench.client("kms").schedule_key_deletion(KeyId=identifier, PendingWindowInDays=7)


def _certificate(bench: Bench) -> tuple[str, str]:
    """A stack with a certificate, and how its creation ended."""

    def make() -> tuple[str, str]:
        _, outputs = _install(bench)
        if not outputs["status"].startswith("CREATE_COMPLETE"):
            raise Inconclusive(f"the provider could not be installed: {outputs['status']}")
        properties = {
            "ServiceToken": outputs["ProviderArn"],
            "ServiceTimeout": 1260,
            "AppDomain": "proof.example.com",
            "AppName": "proof",
            "AppS3Bucket": outputs["CertificateBucketName"],
            "Rotation": {"Ref": "Word"},
        }
        template = {
            "Parameters": {"Word": {"Type": "String", "Default": "1"}},
            "Resources": {"Certificate": {"Type": "Custom::ElbBackendCertificate", "Properties": properties}},
            "Outputs": {"Key": {"Value": {"Fn::GetAtt": "Certificate.CertificateS3Key"}}},
        }
        name = bench.stack(template, wait=False)
        return name, f"{bench.settled(name, 1800)} {bench.reasons(name)}".strip()

    return bench.shared("certificate", make)


@claim("provider-installs", "provider.yml can be installed.", needs="zip")
def installs(bench: Bench) -> Seen:
    _, outputs = _install(bench)
    return decided(
        outputs["status"] == "CREATE_COMPLETE", f"{outputs['status']} in the partition {bench.place.partition}"
    )


@claim(
    "provider-makes-certificates",
    "A stack's certificate is made, rotated and removed, under the conditions of the roles, the buckets and the key.",
    needs="zip",
)
def makes_certificates(bench: Bench) -> Seen:
    name, created = _certificate(bench)
    if created != "CREATE_COMPLETE":
        return decided(False, f"create: {created}")
    bench.client("cloudformation").update_stack(
        StackName=name, UsePreviousTemplate=True, Parameters=[{"ParameterKey": "Word", "ParameterValue": "2"}]
    )
    rotated = f"{bench.settled(name, 1800)} {bench.reasons(name)}".strip()
    bench.client("cloudformation").delete_stack(StackName=name)
    removed = bench.settled(name, 1800)
    holds = (rotated, removed) == ("UPDATE_COMPLETE", "DELETE_COMPLETE")
    return decided(holds, f"create: {created}, rotation: {rotated}, delete: {removed}")


@claim(
    "provider-starts-within-a-second",
    "The function starts within a second and needs less than half of its 512 MB.",
    needs="zip",
    not_local="this machine is not Lambda; `make bench` measures here",
)
def starts_within_a_second(bench: Bench) -> Seen:
    provider, _ = _install(bench)
    _certificate(bench)
    logs, group = bench.client("logs"), f"/aws/lambda/{provider}-backend-certificate"

    def report() -> list[Any]:
        events = logs.filter_log_events(logGroupName=group)["events"]
        return [e["message"] for e in events if "initDurationMs" in e["message"] or "Init Duration" in e["message"]]

    line = bench.wait("the report of a start", report, 300)[0]
    if line.lstrip().startswith("{"):
        metrics = json.loads(line)["record"]["metrics"]
        start, memory = metrics["initDurationMs"], metrics["maxMemoryUsedMB"]
    else:
        start = float(re.findall(r"Init Duration: ([\d.]+) ms", line)[0])
        memory = float(re.findall(r"Max Memory Used: ([\d.]+) MB", line)[0])
    return decided(start < 1000 and memory < 256, f"started in {start:.0f} ms, used {memory:.0f} MB")


@claim(
    "partition-other-than-aws",
    "provider.yml can be installed in a partition other than `aws`.",
    needs="zip",
    not_local="the local cloud is one partition",
)
def partition_other(bench: Bench) -> Seen:
    if bench.place.partition == "aws":
        raise Inconclusive("needs credentials of another partition, such as aws-us-gov")
    return installs(bench)


@claim(
    "lets-encrypt-staging",
    "Let's Encrypt's staging issues a certificate to `stackcert issue`, proven by Route 53.",
    needs="domain",
    not_local="the local cloud has a test authority, not Let's Encrypt",
)
def lets_encrypt_staging(bench: Bench) -> Seen:
    command = ROOT / ".build" / "debug" / "stackcert"
    if not command.is_file():
        raise Inconclusive("the command is not built: `swift build --product stackcert`")
    name = f"proof-{bench.run}.{bench.place.options['domain']}"
    with tempfile.TemporaryDirectory() as folder:
        arguments = [
            "issue",
            "--domain",
            name,
            "--directory",
            "staging",
            "--agree-to-terms",
            "--challenge",
            "dns-01",
            "--private-key",
            f"{folder}/key.pem",
            "--certificate",
            f"{folder}/chain.pem",
            "--acme-folder",
            folder,
            "--region",
            bench.place.region,
        ]
        result = subprocess.run([str(command), *arguments], capture_output=True, text=True, timeout=900)
    if "No connection" in result.stderr or result.returncode not in (0, 76):
        raise Inconclusive(f"stackcert issue: exit status {result.returncode}: {result.stderr.strip()[-300:]}")
    return decided(result.returncode == 0, f"exit status {result.returncode}: {result.stderr.strip()[-300:]}")
