"""What ACM, IAM, load balancers and CloudFront refuse of certificates."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from cryptography.x509.oid import ExtendedKeyUsageOID

from localcloud import LocalCloud

from .certificates import Authority, Issued, key_of, listener, pem, pem_key


@pytest.fixture(scope="module")
def ca() -> Authority:
    return Authority()


def import_to_acm(cloud: LocalCloud, issued: Issued, region: str = "us-east-1", **more) -> str:
    parts = {"Certificate": issued.certificate, "PrivateKey": issued.key, "CertificateChain": issued.chain, **more}
    parts = {name: value for name, value in parts.items() if value is not None}
    return cloud.client("acm", region=region).import_certificate(**parts)["CertificateArn"]


def upload_to_iam(cloud: LocalCloud, issued: Issued, name: str, **more) -> dict:
    return cloud.client("iam").upload_server_certificate(
        ServerCertificateName=name,
        CertificateBody=issued.certificate.decode(),
        PrivateKey=issued.key.decode(),
        **{"CertificateChain": issued.chain.decode(), **more},
    )["ServerCertificateMetadata"]


def code(function, *arguments, **named) -> str:
    with pytest.raises(ClientError) as error:
        function(*arguments, **named)
    return error.value.response["Error"]["Code"]


def distribution(reference: str, **viewer) -> dict:
    return {
        "CallerReference": reference,
        "Comment": "",
        "Enabled": True,
        "Origins": {
            "Quantity": 1,
            "Items": [{"Id": "o", "DomainName": "b.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}],
        },
        "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "redirect-to-https"},
        "ViewerCertificate": viewer or {"CloudFrontDefaultCertificate": True},
    }


def test_acm_takes_a_certificate_with_its_key_and_chain(cloud, ca):
    issued = ca.issue()
    arn = import_to_acm(cloud, issued)
    kept = cloud.client("acm").get_certificate(CertificateArn=arn)
    assert kept["CertificateChain"].strip() == issued.chain.decode().strip()
    shown = cloud.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    assert (shown["KeyAlgorithm"], shown["InUseBy"], shown["Status"]) == ("EC_prime256v1", [], "ISSUED")


def test_acm_refuses_what_does_not_belong_together_or_is_not_valid_now(cloud, ca):
    issued, other = ca.issue(), ca.issue()
    expired, early = ca.issue(days=(-2, -1)), ca.issue(days=(1, 2))
    stranger = Authority()
    for wrong in (
        Issued(issued.certificate, other.key, issued.chain),
        Issued(issued.certificate, b"no key", issued.chain),
        Issued(issued.certificate + issued.chain, issued.key, issued.chain),
        Issued(issued.certificate, issued.key, pem(stranger.intermediate)),
        Issued(issued.certificate, issued.key, pem(ca.root) + issued.chain),
        expired,
        early,
    ):
        assert code(import_to_acm, cloud, wrong) == "ValidationException"
    assert code(import_to_acm, cloud, issued, CertificateChain=None) == "ValidationException"
    assert import_to_acm(cloud, Issued(issued.certificate, issued.key, issued.chain + pem(ca.root)))


def test_acm_keeps_type_and_usages_of_a_certificate_that_is_imported_again(cloud, ca):
    server, client = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
    arn = import_to_acm(cloud, ca.issue(usages=[server, client]), Tags=[{"Key": "for", "Value": "test"}])
    assert (
        code(import_to_acm, cloud, ca.issue(algorithm="RSA", usages=[server]), CertificateArn=arn)
        == "ValidationException"
    )
    assert code(import_to_acm, cloud, ca.issue(usages=[client]), CertificateArn=arn) == "ValidationException"
    tag = [{"Key": "for", "Value": "other"}]
    assert code(import_to_acm, cloud, ca.issue(usages=[server]), CertificateArn=arn, Tags=tag) == "ValidationException"
    assert import_to_acm(cloud, ca.issue(usages=[server]), CertificateArn=arn) == arn
    assert cloud.client("acm").list_tags_for_certificate(CertificateArn=arn)["Tags"] == [
        {"Key": "for", "Value": "test"}
    ]


def test_acm_lists_small_rsa_keys_unless_asked_for_others(cloud, ca):
    acm = cloud.client("acm", region="eu-west-1")
    curved, rsa = (import_to_acm(cloud, ca.issue(algorithm=each), "eu-west-1") for each in ("EC", "RSA"))

    def listed(**settings) -> set[str]:
        return {each["CertificateArn"] for each in acm.list_certificates(**settings)["CertificateSummaryList"]}

    assert listed() == {rsa}
    assert listed(Includes={"keyTypes": ["RSA_2048", "EC_prime256v1"]}) == {rsa, curved}


def test_the_years_imports_can_run_out(cloud, ca):
    cloud.acm.imports_left = 1
    try:
        import_to_acm(cloud, ca.issue())
        assert code(import_to_acm, cloud, ca.issue()) == "LimitExceededException"
    finally:
        cloud.acm.imports_left = None


def test_a_certificate_in_use_says_by_whom_and_stays(cloud, ca):
    acm, elb = cloud.client("acm"), cloud.client("elbv2")
    first, second, further = (import_to_acm(cloud, ca.issue()) for _ in range(3))
    found = listener(cloud, "in-use", first)
    elb.add_listener_certificates(ListenerArn=found, Certificates=[{"CertificateArn": further}])
    for arn in (first, further):
        used_by = acm.describe_certificate(CertificateArn=arn)["Certificate"]["InUseBy"]
        assert ["/app/in-use/" in user for user in used_by] == [True]
        assert code(acm.delete_certificate, CertificateArn=arn) == "ResourceInUseException"
    elb.modify_listener(ListenerArn=found, Certificates=[{"CertificateArn": second}])
    shown = elb.describe_listener_certificates(ListenerArn=found)["Certificates"]
    assert [each["CertificateArn"] for each in shown] == [second, further]
    assert acm.describe_certificate(CertificateArn=first)["Certificate"]["InUseBy"] == []
    acm.delete_certificate(CertificateArn=first)
    assert code(acm.describe_certificate, CertificateArn=first) == "ResourceNotFoundException"


def test_a_load_balancer_takes_certificates_of_its_region_only(cloud, ca):
    elsewhere = import_to_acm(cloud, ca.issue(), "eu-west-1")
    assert code(listener, cloud, "elsewhere", elsewhere) == "CertificateNotFound"
    assert listener(cloud, "here", elsewhere, "eu-west-1")


def test_iam_keeps_a_certificate_with_its_own_dates(cloud, ca):
    iam, issued = cloud.client("iam"), ca.issue(days=(-1, 9))
    made = upload_to_iam(cloud, issued, "dated", Path="/cloudfront/x/", Tags=[{"Key": "a", "Value": "b"}])
    assert made["Arn"].endswith(":server-certificate/cloudfront/x/dated")
    got = iam.get_server_certificate(ServerCertificateName="dated")["ServerCertificate"]
    assert (got["ServerCertificateMetadata"]["Expiration"] - got["ServerCertificateMetadata"]["UploadDate"]).days == 8
    assert got["CertificateBody"].strip() == issued.certificate.decode().strip()
    assert iam.list_server_certificate_tags(ServerCertificateName="dated")["Tags"] == [{"Key": "a", "Value": "b"}]
    listed = iam.list_server_certificates(PathPrefix="/cloudfront/")["ServerCertificateMetadataList"]
    assert [each["ServerCertificateName"] for each in listed] == ["dated"]


def test_iam_refuses_a_second_name_and_what_does_not_belong_together(cloud, ca):
    issued, other = ca.issue(), ca.issue()
    upload_to_iam(cloud, issued, "taken")
    assert code(upload_to_iam, cloud, other, "taken") == "EntityAlreadyExists"
    mixed = Issued(issued.certificate, pem_key(key_of("EC")), issued.chain)
    assert code(upload_to_iam, cloud, mixed, "mixed") == "KeyPairMismatch"
    broken = Issued(issued.certificate, issued.key, pem(ca.root))
    with pytest.raises(ClientError, match="invalid certificate is: -1"):
        upload_to_iam(cloud, broken, "broken")
    assert code(upload_to_iam, cloud, ca.issue(days=(-2, -1)), "expired") == "MalformedCertificate"


def test_iam_keeps_a_certificate_that_is_in_use(cloud, ca):
    iam, classic = cloud.client("iam"), cloud.client("elb")
    arn = upload_to_iam(cloud, ca.issue(), "used")["Arn"]
    entry = {"Protocol": "HTTPS", "LoadBalancerPort": 443, "InstancePort": 80, "SSLCertificateId": arn}
    classic.create_load_balancer(LoadBalancerName="uses", AvailabilityZones=["us-east-1a"], Listeners=[entry])
    assert code(iam.delete_server_certificate, ServerCertificateName="used") == "DeleteConflict"
    classic.delete_load_balancer(LoadBalancerName="uses")
    iam.delete_server_certificate(ServerCertificateName="used")
    assert code(iam.get_server_certificate, ServerCertificateName="used") == "NoSuchEntity"


def test_a_new_server_certificate_is_invisible_for_a_while(cloud, ca):
    iam = cloud.client("iam")
    cloud.server_certificates.delay = 3600
    try:
        arn = upload_to_iam(cloud, ca.issue(), "hidden")["Arn"]
    finally:
        cloud.server_certificates.delay = 0
    assert code(iam.get_server_certificate, ServerCertificateName="hidden") == "NoSuchEntity"
    assert code(listener, cloud, "too-early", arn) == "CertificateNotFound"
    assert code(upload_to_iam, cloud, ca.issue(), "hidden") == "EntityAlreadyExists"
    prompt = upload_to_iam(cloud, ca.issue(), "prompt")["Arn"]
    assert listener(cloud, "in-time", prompt)


def test_cloudfront_wants_certificates_of_one_region_and_its_own_path(cloud, ca):
    client = cloud.client("cloudfront")

    def create(reference: str, **viewer) -> dict:
        return client.create_distribution(DistributionConfig=distribution(reference, **viewer))

    elsewhere, here = (import_to_acm(cloud, ca.issue(), each) for each in ("eu-west-1", "us-east-1"))
    assert (
        code(create, "elsewhere", ACMCertificateArn=elsewhere, SSLSupportMethod="sni-only")
        == "InvalidViewerCertificate"
    )
    assert create("here", ACMCertificateArn=here, SSLSupportMethod="sni-only")
    used_by = cloud.client("acm").describe_certificate(CertificateArn=here)["Certificate"]["InUseBy"]
    assert ["distribution/" in user for user in used_by] == [True]
    plain, own = (
        upload_to_iam(cloud, ca.issue(), "plain"),
        upload_to_iam(cloud, ca.issue(), "own", Path="/cloudfront/own/"),
    )
    assert code(create, "plain", IAMCertificateId=plain["ServerCertificateId"]) == "InvalidViewerCertificate"
    assert create("own", IAMCertificateId=own["ServerCertificateId"], SSLSupportMethod="sni-only")
    assert code(cloud.client("iam").delete_server_certificate, ServerCertificateName="own") == "DeleteConflict"


def test_a_distribution_is_changed_by_those_who_know_its_version(cloud):
    client = cloud.client("cloudfront")
    made = client.create_distribution(DistributionConfig=distribution("versions"))
    identifier, first = made["Distribution"]["Id"], made["ETag"]
    wanted = distribution("versions")
    second = client.update_distribution(Id=identifier, IfMatch=first, DistributionConfig=wanted)["ETag"]
    assert second != first
    assert (
        code(client.update_distribution, Id=identifier, IfMatch=first, DistributionConfig=wanted)
        == "PreconditionFailed"
    )
    assert code(client.delete_distribution, Id=identifier, IfMatch=second) == "DistributionNotDisabled"
    disabled = {**wanted, "Enabled": False}
    third = client.update_distribution(Id=identifier, IfMatch=second, DistributionConfig=disabled)["ETag"]
    client.delete_distribution(Id=identifier, IfMatch=third)
