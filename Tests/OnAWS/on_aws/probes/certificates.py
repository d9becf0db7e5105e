"""ACM and IAM server certificates: tags as conditions, keys, and how long a certificate is in use."""

from __future__ import annotations

import time
from typing import Any

from on_aws.bench import Bench, Inconclusive, allow, outcome
from on_aws.certificate import Certificate
from on_aws.claims import Seen, claim, decided

SERVICE = "ACM and IAM"


def _import(bench: Bench, client: Any, certificate: Certificate, **more: Any) -> tuple[tuple[int, str], str]:
    """Outcome and ARN of an import."""
    seen: dict[str, str] = {}

    def call() -> dict[str, Any]:
        answer = client.import_certificate(
            Certificate=certificate.pem.encode(), PrivateKey=certificate.key.encode(), **more
        )
        arn = seen["arn"] = answer["CertificateArn"]
        remove = bench.client("acm").delete_certificate
        bench.undo(
            f"certificate {arn}",
            lambda: bench.remove_when_free("the certificate", remove, "ResourceInUseException", CertificateArn=arn),
        )
        return answer

    return outcome(call), seen.get("arn", "")


def _tagged(bench: Bench) -> Any:
    """A role that may import and remove certificates with one tag only."""

    def make() -> Any:
        asked = {"StringEquals": {"aws:RequestTag/stackcert-proof": bench.run}}
        kept = {"StringEquals": {"aws:ResourceTag/stackcert-proof": bench.run}}
        adding = allow(["acm:ImportCertificate", "acm:AddTagsToCertificate"], "*", **asked)
        changing = allow(["acm:ImportCertificate", "acm:DeleteCertificate"], bench.arn("acm", "certificate/*"), **kept)
        return bench.client("acm", bench.as_role(adding, changing))

    return bench.shared("tagging role", make)


@claim("acm-request-tag", "`aws:RequestTag` limits ImportCertificate to certificates with the tag.")
def request_tag(bench: Bench) -> Seen:
    certificate = Certificate("proof.example.com", elliptic=False)
    bare, _ = _import(bench, _tagged(bench), certificate)
    tagged, _ = _import(bench, _tagged(bench), certificate, Tags=bench.tags)
    return decided(bare[1].startswith("AccessDenied") and not tagged[1], f"without the tag {bare}, with it {tagged}")


@claim("acm-resource-tag", "`aws:ResourceTag` limits re-importing and deleting to certificates that have the tag.")
def resource_tag(bench: Bench) -> Seen:
    certificate = Certificate("proof.example.com", elliptic=False)
    _, mine = _import(bench, _tagged(bench), certificate, Tags=bench.tags)
    _, other = _import(bench, bench.client("acm"), certificate)
    again, _ = _import(bench, _tagged(bench), certificate, CertificateArn=mine)
    over, _ = _import(bench, _tagged(bench), certificate, CertificateArn=other)
    refused = outcome(_tagged(bench).delete_certificate, CertificateArn=other)
    removed = outcome(_tagged(bench).delete_certificate, CertificateArn=mine)
    holds = not again[1] and not removed[1] and all(each[1].startswith("AccessDenied") for each in (over, refused))
    return decided(holds, f"mine: {again}, {removed}; another's: {over}, {refused}")


@claim("acm-ec-import", "ACM imports a self-signed EC P-256 certificate.")
def ec_import(bench: Bench) -> Seen:
    seen, _ = _import(bench, bench.client("acm"), Certificate("proof.example.com", elliptic=True), Tags=bench.tags)
    return decided(not seen[1], seen)


@claim(
    "iam-request-tag",
    "`aws:RequestTag` and the path limit UploadServerCertificate to certificates with the tag, below the path.",
)
def iam_request_tag(bench: Bench) -> Seen:
    certificate = Certificate("proof.example.com", elliptic=False)
    path = f"/stackcert-proof-{bench.run}/"
    below = bench.arn("iam", f"server-certificate{path}*", region=False)
    asked = {"StringEquals": {"aws:RequestTag/stackcert-proof": bench.run}}
    role = bench.as_role(allow(["iam:UploadServerCertificate", "iam:TagServerCertificate"], below, **asked))
    client = bench.client("iam", role)

    def upload(where: str, **more: Any) -> tuple[int, str]:
        name, remove = bench.name("upload"), bench.client("iam").delete_server_certificate
        bench.undo(f"server certificate {name}", lambda: remove(ServerCertificateName=name))
        return outcome(
            client.upload_server_certificate,
            ServerCertificateName=name,
            Path=where,
            CertificateBody=certificate.pem,
            PrivateKey=certificate.key,
            **more,
        )

    tagged, bare, elsewhere = upload(path, Tags=bench.tags), upload(path), upload("/", Tags=bench.tags)
    holds = not tagged[1] and all(each[1].startswith("AccessDenied") for each in (bare, elsewhere))
    return decided(holds, f"with the tag {tagged}, without it {bare}, elsewhere {elsewhere}")


@claim(
    "acm-in-use-for",
    "ACM names a deleted listener's load balancer in `InUseBy` for less than two minutes.",
    not_local="the local cloud knows at once",
)
def in_use_for(bench: Bench) -> Seen:
    elb, acm = bench.client("elbv2"), bench.client("acm")
    subnets = bench.client("ec2").describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    if len(subnets) < 2:
        raise Inconclusive("there is no default VPC with two subnets in this region")
    _, arn = _import(bench, acm, Certificate("proof.example.com", elliptic=False), Tags=bench.tags)
    with_name = f"proof-{bench.run}-use"

    def remove() -> None:
        for found in elb.describe_load_balancers(Names=[with_name])["LoadBalancers"]:
            elb.delete_load_balancer(LoadBalancerArn=found["LoadBalancerArn"])

    bench.undo(f"load balancer {with_name}", remove)
    balancer = elb.create_load_balancer(
        Name=with_name, Subnets=[each["SubnetId"] for each in subnets[:2]], Scheme="internal", Tags=bench.tags
    )["LoadBalancers"][0]["LoadBalancerArn"]
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    listener = elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[answer],
    )["Listeners"][0]["ListenerArn"]

    def users() -> list[str]:
        return acm.describe_certificate(CertificateArn=arn)["Certificate"]["InUseBy"]

    bench.wait("that the certificate is in use", users, 600)
    elb.delete_listener(ListenerArn=listener)
    began = time.monotonic()
    bench.wait("that the certificate is no longer in use", lambda: not users(), 1800)
    seconds = time.monotonic() - began
    return decided(seconds < 120, f"{seconds:.0f} s (asked every 5 s)")
