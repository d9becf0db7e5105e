"""The provider of Let's Encrypt certificates as a user installs it, and stacks that have one."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from localcloud import LocalCloud
from localcloud.accounts import trust
from localcloud.acme import CertificateAuthority
from localcloud.acme.renewal_information import RenewalInformation, certificate_id

from support import documents
from support.application import Application
from support.paths import architecture
from support.provider import CODE_BUCKET, CODE_KEY, Provider

ATTRIBUTES = (
    "PublicKey",
    "PublicKeyFingerprint",
    "CertificateS3Key",
    "CertificateS3Prefix",
    "CertificateFingerprint",
    "SerialNumber",
    "NotBefore",
    "NotAfter",
    "CertificateArn",
    "ServerCertificateArn",
    "ServerCertificateName",
)
# All tests' names are below it, each below one of its own.
DOMAIN = "shops.example"
# Website bucket that answers for every name below it.
WEBSITE = f"web.{DOMAIN}"
# Zone of another account.
ABROAD = "abroad.example"


@dataclass(frozen=True)
class LetsEncryptProvider:
    """An installed lets-encrypt-provider.yml, beside a provider.yml."""

    beside: Provider
    stack: str
    outputs: dict[str, str]
    zone: str

    @property
    def cloud(self) -> LocalCloud:
        return self.beside.cloud

    @property
    def arn(self) -> str:
        return self.outputs["LetsEncryptProviderArn"]

    @property
    def role_arn(self) -> str:
        return self.outputs["LetsEncryptRoleArn"]

    @property
    def queue_url(self) -> str:
        return self.outputs["FailureQueueUrl"]

    @property
    def function_name(self) -> str:
        return f"{self.stack}-lets-encrypt-certificate"

    @property
    def log_group(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    def answers(self, below: str = "") -> Counter[str]:
        """TXT records that are in the zone, at names that end so."""
        pages = self.cloud.client("route53").get_paginator("list_resource_record_sets")
        found = [record for page in pages.paginate(HostedZoneId=self.zone) for record in page["ResourceRecordSets"]]
        names = [record["Name"].rstrip(".") for record in found if record["Type"] == "TXT"]
        return Counter(name for name in names if name.endswith(below))


def hosted_zone(cloud: LocalCloud, name: str = DOMAIN) -> str:
    """A public zone's id; made once."""
    client = cloud.client("route53")
    for zone in client.list_hosted_zones()["HostedZones"]:
        if zone["Name"] == f"{name}.":
            return zone["Id"].rsplit("/", 1)[1]
    return client.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"].rsplit("/", 1)[1]


def website(cloud: LocalCloud) -> None:
    """A bucket that anybody may read as a website, and the address of all names."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=WEBSITE)
    s3.delete_public_access_block(Bucket=WEBSITE)
    s3.put_bucket_website(Bucket=WEBSITE, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    anybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{WEBSITE}/*"}
    s3.put_bucket_policy(Bucket=WEBSITE, Policy=json.dumps({"Version": "2012-10-17", "Statement": [anybody]}))
    address = {"Name": f"*.{DOMAIN}", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "127.0.0.1"}]}
    cloud.client("route53").change_resource_record_sets(
        HostedZoneId=hosted_zone(cloud),
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": address}]},
    )


def zone_keeper(cloud: LocalCloud) -> str:
    """A zone in another account, and a role there that may answer in it and trusts this account: its ARN."""
    abroad = cloud.client("route53", credentials=cloud.foreign_admin)
    abroad.create_hosted_zone(Name=ABROAD, CallerReference=ABROAD)
    actions = ["ListHostedZones", "GetHostedZone", "GetChange", "ListResourceRecordSets", "ChangeResourceRecordSets"]
    rights = {"Effect": "Allow", "Action": [f"route53:{action}" for action in actions], "Resource": "*"}
    role = cloud.create_role("zone-keeper", rights, foreign=True)
    cloud.client("iam", credentials=cloud.foreign_admin).update_assume_role_policy(
        RoleName="zone-keeper", PolicyDocument=trust(services=[], accounts=[cloud.account])
    )
    return role


def install(beside: Provider, stack: str = "letsencrypt", **parameters: str) -> LetsEncryptProvider:
    cloud = beside.cloud
    zone = hosted_zone(cloud)
    given = {
        "CodeS3Bucket": CODE_BUCKET,
        "CodeS3Key": CODE_KEY,
        "Architecture": architecture(),
        "HostedZoneIds": zone,
        "BreakGlassRoleArn": beside.break_glass_role,
        **parameters,
    }
    result = cloud.stacks.create(stack, documents.published("lets-encrypt-provider"), given)
    if result.status != "CREATE_COMPLETE":
        raise RuntimeError(f"lets-encrypt-provider.yml: {result.status}: {result.reasons()}")
    return LetsEncryptProvider(beside, stack, result.outputs, zone)


def listeners(cloud: LocalCloud, certificate: Any) -> dict[str, Any]:
    """Resources of a load balancer whose listener shows a certificate."""
    subnets = cloud.client("ec2").describe_subnets()["Subnets"]
    return {
        "LoadBalancer": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {"Subnets": [subnet["SubnetId"] for subnet in subnets[:2]]},
        },
        "Listener": {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {
                "LoadBalancerArn": {"Ref": "LoadBalancer"},
                "Port": 443,
                "Protocol": "HTTPS",
                "Certificates": [{"CertificateArn": certificate}],
                "DefaultActions": [
                    {
                        "Type": "fixed-response",
                        "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "hello"},
                    }
                ],
            },
        },
    }


@dataclass
class Shop(Application):
    """A stack with a Let's Encrypt certificate; on request with a listener that shows it."""

    provider: LetsEncryptProvider = None  # type: ignore[assignment]
    with_listener: bool = False

    @property
    def domain(self) -> str:
        return f"{self.name}.{DOMAIN}"

    def template(self, properties: dict[str, Any], later: str | None) -> str:
        resources: dict[str, Any] = {
            "Certificate": {"Type": "Custom::LetsEncryptCertificate", "Properties": properties},
        }
        if self.with_listener:
            resources |= listeners(self.cloud, {"Fn::GetAtt": ["Certificate", "CertificateArn"]})
        if later is not None:
            resources["Later"] = {
                "Type": "AWS::SSM::Parameter",
                "DependsOn": "Listener" if self.with_listener else "Certificate",
                "Properties": {"Type": "String", "Value": later},
            }
        outputs = {name: {"Value": {"Fn::GetAtt": ["Certificate", name]}} for name in ATTRIBUTES}
        outputs["PhysicalId"] = {"Value": {"Ref": "Certificate"}}
        if self.with_listener:
            outputs["Listener"] = {"Value": {"Ref": "Listener"}}
        return json.dumps({"Resources": resources, "Outputs": outputs}, indent=1)

    def create(self, later: str | None = None, **more: Any):
        self.result = self.cloud.stacks.create(self.name, self.template(self.properties, later), **more)
        return self.result

    def update(self, later: str | None = None, drop: tuple[str, ...] = (), **changes: Any):
        wanted = {k: v for k, v in {**self.properties, **changes}.items() if k not in drop}
        self.result = self.cloud.stacks.update(self.name, self.template(wanted, later))
        if self.result.status == "UPDATE_COMPLETE":
            self.properties = wanted
        return self.result

    # What there is of it.

    def bundles(self) -> list[str]:
        """Keys of all versions and delete markers."""
        return [key for key, _ in self.provider.beside.versions(f"lets-encrypt/{self.properties['AppName']}/")]

    def bundle(self) -> dict[str, Any]:
        return self.provider.beside.bundle(self.attributes["CertificateS3Key"])

    def copies(self, region: str = "us-east-1") -> list[str]:
        """ARNs in ACM that are tagged as this stack's."""
        client = self.cloud.client("acm", region=region)
        keys = {"keyTypes": ["RSA_2048", "EC_prime256v1", "EC_secp384r1"]}
        arns = [each["CertificateArn"] for each in client.list_certificates(Includes=keys)["CertificateSummaryList"]]
        assert self.result is not None
        return [arn for arn in arns if self.result.id in _tags(client, arn).values()]

    def left_behind(self) -> list[str]:
        """What should be gone with the stack."""
        assert self.result is not None
        facts = [key for key in self.provider.beside.state() if self.guid in key and not key.startswith("tombstones/")]
        uploaded = self.cloud.client("iam").list_server_certificates()["ServerCertificateMetadataList"]
        names = [each["Arn"] for each in uploaded if f"stackcert-{self.properties['AppName']}-" in each["Arn"]]
        regions = [arn for region in ("us-east-1", "eu-west-1") for arn in self.copies(region)]
        return [*self.bundles(), *facts, *names, *regions, *self.provider.answers(self.domain)]


def _tags(client: Any, arn: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in client.list_tags_for_certificate(CertificateArn=arn)["Tags"]}


def shop(
    provider: LetsEncryptProvider, authority: CertificateAuthority, name: str, with_listener: bool = False, **more: Any
) -> Shop:
    """A stack that is not created yet."""
    defaults = {
        "ServiceToken": provider.arn,
        "ServiceTimeout": "60",
        "AppName": name,
        "AppS3Bucket": provider.beside.bucket,
        "DomainNames": [f"{name}.{DOMAIN}"],
        "Contact": "ops@example.com",
        "Directory": authority.directory,
        "TermsOfServiceAgreed": "true",
        "HostedZoneId": provider.zone,
        "Import": "ACM",
        "Rotation": "1",
    }
    properties = {key: value for key, value in {**defaults, **more}.items() if value is not None}
    return Shop(provider.cloud, name, properties, provider=provider, with_listener=with_listener)


def wanted_at_once(cloud: LocalCloud, renewals: RenewalInformation, arn: str) -> None:
    """The authority wants a certificate in ACM renewed before now (RFC 9773)."""
    body = cloud.client("acm", region=arn.split(":")[3]).get_certificate(CertificateArn=arn)["Certificate"]
    now = datetime.datetime.now(datetime.UTC)
    identifier = certificate_id(x509.load_pem_x509_certificate(body.encode()))
    renewals.suggest(identifier, now - datetime.timedelta(hours=2), now - datetime.timedelta(hours=1))


def end_leases(provider: LetsEncryptProvider) -> None:
    """As the minute does for which a dead process keeps others from ordering for the same names."""
    s3 = provider.cloud.client("s3", as_role=provider.role_arn)
    where = {"Bucket": provider.beside.bucket}
    for key in provider.beside.keys("acme/locks/"):
        lease = json.loads(s3.get_object(**where, Key=key)["Body"].read())
        lease["until"] = type(lease["until"])(0) if not isinstance(lease["until"], str) else "2020-01-01T00:00:00Z"
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": provider.beside.key_arn}
        s3.put_object(**where, **encryption, Key=key, Body=json.dumps(lease).encode())


def orders(authority: CertificateAuthority, name: str = "") -> int:
    """How many orders the authority took for names that end so."""
    taken = [request for request in authority.shim.named("newOrder") if request.status == 201]
    return sum(1 for request in taken if any(i["value"].endswith(name) for i in request.payload["identifiers"]))


def names_in(certificate: str) -> set[str]:
    parsed = x509.load_pem_x509_certificate(certificate.encode())
    return set(
        parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    )
