"""Least privilege for what issues certificates: records, imports and server certificates."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from localcloud import LocalCloud

from .certificates import Authority
from .support import allow

PREFIX = "route53:ChangeResourceRecordSets"


def refused(function, **arguments) -> bool:
    try:
        function(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException"), error
        return True
    return False


@pytest.fixture(scope="module")
def ca() -> Authority:
    return Authority()


def changes(*wanted: tuple[str, str, str]) -> dict:
    return {
        "Changes": [
            {
                "Action": action,
                "ResourceRecordSet": {
                    "Name": name,
                    "Type": kind,
                    "TTL": 10,
                    "ResourceRecords": [{"Value": f'"{name}"'}],
                },
            }
            for action, kind, name in wanted
        ]
    }


def test_a_role_may_change_records_of_one_name_and_type_only(cloud: LocalCloud):
    admin = cloud.client("route53")
    zone = admin.create_hosted_zone(Name="narrow.test", CallerReference="narrow")["HostedZone"]["Id"].split("/")[-1]
    condition = {
        "ForAllValues:StringEquals": {
            PREFIX + "NormalizedRecordNames": ["_acme-challenge.narrow.test", "\\052.narrow.test"],
            PREFIX + "RecordTypes": ["TXT"],
            PREFIX + "Actions": ["UPSERT"],
        }
    }
    role = cloud.create_role(
        "narrow",
        allow(PREFIX, f"arn:aws:route53:::hostedzone/{zone}", **condition),
        allow("route53:GetChange", "arn:aws:route53:::change/*"),
        allow("route53:ListHostedZonesByName", "*"),
    )
    client = cloud.client("route53", as_role=role)
    name = "_acme-challenge.narrow.test"

    def refuses(*wanted: tuple[str, str, str]) -> bool:
        return refused(client.change_resource_record_sets, HostedZoneId=zone, ChangeBatch=changes(*wanted))

    assert not refuses(("UPSERT", "TXT", name), ("UPSERT", "TXT", "*.NARROW.test."))
    assert refuses(("UPSERT", "TXT", name), ("UPSERT", "TXT", "www.narrow.test"))
    assert refuses(("UPSERT", "CAA", name))
    assert refuses(("DELETE", "TXT", name))
    made = client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes(("UPSERT", "TXT", name)))
    assert client.get_change(Id=made["ChangeInfo"]["Id"])
    assert client.list_hosted_zones_by_name(DNSName="narrow.test")
    assert refused(client.list_hosted_zones)
    assert refused(client.list_resource_record_sets, HostedZoneId=zone)


def test_a_role_may_import_and_delete_only_what_carries_its_tag(cloud: LocalCloud, ca: Authority):
    mine = [{"Key": "Owner", "Value": "stackcert"}]
    everything = f"arn:aws:acm:us-east-1:{cloud.account}:certificate/*"
    role = cloud.create_role(
        "importer",
        allow(
            ["acm:ImportCertificate", "acm:AddTagsToCertificate"],
            everything,
            StringEquals={"aws:RequestTag/Owner": "stackcert"},
        ),
        allow(
            ["acm:DeleteCertificate", "acm:DescribeCertificate"],
            everything,
            StringEquals={"aws:ResourceTag/Owner": "stackcert"},
        ),
    )
    client, admin = cloud.client("acm", as_role=role), cloud.client("acm")

    def parts() -> dict:
        issued = ca.issue()
        return {"Certificate": issued.certificate, "PrivateKey": issued.key, "CertificateChain": issued.chain}

    assert refused(client.import_certificate, **parts())
    assert refused(client.import_certificate, **parts(), Tags=[{"Key": "Owner", "Value": "other"}])
    tagless = cloud.create_role("tagless", allow("acm:ImportCertificate", everything))
    assert refused(cloud.client("acm", as_role=tagless).import_certificate, **parts(), Tags=mine)
    assert not refused(cloud.client("acm", as_role=tagless).import_certificate, **parts())
    own = client.import_certificate(**parts(), Tags=mine)["CertificateArn"]
    foreign = admin.import_certificate(**parts())["CertificateArn"]
    assert refused(client.describe_certificate, CertificateArn=foreign)
    assert refused(client.delete_certificate, CertificateArn=foreign)
    assert refused(client.list_certificates)
    assert client.describe_certificate(CertificateArn=own) and client.delete_certificate(CertificateArn=own)


def test_a_role_may_upload_server_certificates_below_its_path(cloud: LocalCloud, ca: Authority):
    below = f"arn:aws:iam::{cloud.account}:server-certificate/stackcert/*"
    role = cloud.create_role(
        "uploader",
        allow(["iam:UploadServerCertificate", "iam:GetServerCertificate", "iam:DeleteServerCertificate"], below),
    )
    client = cloud.client("iam", as_role=role)

    def parts(name: str, path: str) -> dict:
        issued = ca.issue()
        return {
            "ServerCertificateName": name,
            "Path": path,
            "CertificateBody": issued.certificate.decode(),
            "PrivateKey": issued.key.decode(),
            "CertificateChain": issued.chain.decode(),
        }

    assert refused(client.upload_server_certificate, **parts("outside", "/"))
    assert not refused(client.upload_server_certificate, **parts("inside", "/stackcert/"))
    assert refused(
        client.upload_server_certificate, **parts("tagged", "/stackcert/"), Tags=[{"Key": "a", "Value": "b"}]
    )
    cloud.client("iam").upload_server_certificate(**parts("elsewhere", "/other/"))
    assert refused(client.delete_server_certificate, ServerCertificateName="elsewhere")
    assert client.get_server_certificate(ServerCertificateName="inside")
    client.delete_server_certificate(ServerCertificateName="inside")
