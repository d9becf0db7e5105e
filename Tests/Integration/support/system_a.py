"""AwsCertificateManagerDemo as its users have it: its function, as a stand-in that keeps to what its documentation and
behaviour promise, and the parts of its template that touch the certificate. Facts only; none of its code is here."""

from __future__ import annotations

import io
import json
import sys
import textwrap
import zipfile
from dataclasses import dataclass
from typing import Any

from localcloud import LocalCloud

from support import tls
from support.provider import CODE_BUCKET, CODE_KEY, Provider

FUNCTION = "CreateElbBackendCertificates"

# Runs as a function's process. Reuses the object when it is there, makes it otherwise, deletes it on Delete; its
# physical ids are names of log streams.
_PROGRAM = """
import base64, datetime, json, os, urllib.request
import boto3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

API = "http://%s/2018-06-01/runtime/invocation/" % os.environ["AWS_LAMBDA_RUNTIME_API"]
s3 = boto3.client("s3")
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo


def make(name, domain):
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "*." + domain)])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "private_key": secret.decode(),
        "certificate": certificate.public_bytes(PEM).decode(),
        "public_key": key.public_key().public_bytes(PEM, SPKI).decode(),
        "app_name": name,
        "apps_domain": domain,
    }


def handle(event):
    properties = event["ResourceProperties"]
    bucket, key = properties["AppS3Bucket"], "backend-certificate-%s.json" % properties["AppName"]
    if event["RequestType"] == "Delete":
        s3.delete_object(Bucket=bucket, Key=key)
        return {}
    try:
        bundle = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except Exception:
        bundle = make(properties["AppName"], properties["AppDomain"])
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(bundle).encode(), ACL="private")
    public = serialization.load_pem_public_key(bundle["public_key"].encode()).public_bytes(DER, SPKI)
    return {"PublicKey": base64.b64encode(public).decode(), "CertificateS3Key": key}


while True:
    asked = urllib.request.urlopen(API + "next")
    number, event = asked.headers["Lambda-Runtime-Aws-Request-Id"], json.load(asked)
    answer = {
        "Status": "SUCCESS",
        "PhysicalResourceId": os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
        "Data": handle(event),
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    put = urllib.request.Request(event["ResponseURL"], data=json.dumps(answer).encode(), method="PUT")
    put.add_header("Content-Type", "")
    urllib.request.urlopen(put)
    urllib.request.urlopen(urllib.request.Request(API + number + "/response", data=b"{}", method="POST"))
"""


def _zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, f"#!{sys.executable}\n{textwrap.dedent(_PROGRAM)}")
    return packed.getvalue()


def template(later: str | None = None, **properties: str) -> str:
    """What its template says of certificate, load balancer and role. Without arguments it is the one that its users
    have; `properties` are added to the certificate's, `later` is the value of a parameter that follows it (an empty one
    cannot be made)."""
    key = {"Fn::GetAtt": ["ElbBackendCertificate", "PublicKey"]}
    stable = ["arn:aws:s3:::", {"Ref": "CertificateBucket"}, "/backend-certificate-", {"Ref": "Domain"}, ".json"]
    trust = {"Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"]}, "Action": ["sts:AssumeRole"]}
    read = {"Effect": "Allow", "Action": ["s3:Get*", "s3:Head*"], "Resource": {"Fn::Join": ["", stable]}}
    names = ("Domain", "CertificateBucket", "CreateElbBackendCertificatesArn")
    body: dict[str, Any] = {
        "Parameters": {name: {"Type": "String"} for name in names},
        "Resources": {
            "ElbBackendCertificate": {
                "Type": "Custom::ElbBackendCertificate",
                "Properties": {
                    "ServiceToken": {"Ref": "CreateElbBackendCertificatesArn"},
                    "AppDomain": {"Ref": "Domain"},
                    "AppName": {"Ref": "Domain"},
                    "AppS3Bucket": {"Ref": "CertificateBucket"},
                    **properties,
                },
            },
            "ElasticLoadBalancer": {
                "Type": "AWS::ElasticLoadBalancing::LoadBalancer",
                "Properties": {
                    "AvailabilityZones": {"Fn::GetAZs": ""},
                    "Listeners": [
                        {"LoadBalancerPort": 80, "InstancePort": 8443, "Protocol": "HTTP", "InstanceProtocol": "HTTPS"}
                    ],
                    "Policies": [
                        {
                            "PolicyName": "BackendPublicKeyPolicy",
                            "PolicyType": "PublicKeyPolicyType",
                            "Attributes": [{"Name": "PublicKey", "Value": key}],
                        },
                    ],
                },
            },
            "AppRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {"Path": "/", "AssumeRolePolicyDocument": {"Statement": [trust]}},
            },
            "AppPolicy": {
                "Type": "AWS::IAM::Policy",
                "Properties": {
                    "PolicyName": "AppRole",
                    "PolicyDocument": {"Statement": [read]},
                    "Roles": [{"Ref": "AppRole"}],
                },
            },
        },
        "Outputs": {
            "PublicKey": {"Value": key},
            "CertificateS3Key": {"Value": {"Fn::GetAtt": ["ElbBackendCertificate", "CertificateS3Key"]}},
            "Role": {"Value": {"Fn::GetAtt": ["AppRole", "Arn"]}},
        },
    }
    if later is not None:
        body["Resources"]["Later"] = {
            "Type": "AWS::SSM::Parameter",
            "DependsOn": "ElbBackendCertificate",
            "Properties": {"Type": "String", "Value": later},
        }
    return json.dumps(body, indent=1)


@dataclass
class SystemA:
    """Its function and bucket, set up by hand as its documentation says."""

    cloud: LocalCloud
    bucket: str
    arn: str

    @classmethod
    def set_up(cls, cloud: LocalCloud, bucket: str, versioned: bool, log_group: str | None = None) -> SystemA:
        """`log_group` is one of its user's choice: physical ids then hold the function's name."""
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket=bucket)
        everything = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": "*"}
        name = f"{FUNCTION}-{bucket}"
        role = cloud.create_role(f"{name}-role")
        # Its policy has no Version, and no s3:PutObjectAcl though it writes with an ACL.
        cloud.client("iam").put_role_policy(
            RoleName=f"{name}-role", PolicyName="objects", PolicyDocument=json.dumps({"Statement": [everything]})
        )
        made = cloud.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler="lambda_function.handler",
            Role=role,
            Code={"ZipFile": _zip()},
            Timeout=30,
            **({"LoggingConfig": {"LogGroup": log_group}} if log_group else {}),
        )
        found = cls(cloud, bucket, made["FunctionArn"])
        if versioned:
            found.switch_on_versions()
        return found

    def switch_on_bucket_keys(self) -> None:
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
        self.cloud.client("s3").put_bucket_encryption(
            Bucket=self.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]}
        )

    def switch_on_versions(self) -> None:
        self.cloud.client("s3").put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})

    def suspend_versions(self) -> None:
        self.cloud.client("s3").put_bucket_versioning(
            Bucket=self.bucket, VersioningConfiguration={"Status": "Suspended"}
        )

    def put(self, key: str, body: bytes) -> None:
        """What somebody writes in a bundle's place before the take-over."""
        self.cloud.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)

    def parameters(self, domain: str) -> dict[str, str]:
        return {
            "Domain": domain,
            "CertificateBucket": self.bucket,
            "CreateElbBackendCertificatesArn": self.arn,
        }

    def stable_key(self, domain: str) -> str:
        return f"backend-certificate-{domain}.json"

    def bundle(self, domain: str, role_arn: str) -> dict[str, Any]:
        """The bundle as a server reads it at its start."""
        client = self.cloud.client("s3", as_role=role_arn)
        return json.loads(client.get_object(Bucket=self.bucket, Key=self.stable_key(domain))["Body"].read())

    def public_key(self, domain: str, role_arn: str) -> str:
        return tls.public_key_of(self.bundle(domain, role_arn)["private_key"])

    def take_over(self, provider: Provider) -> None:
        """Our code in its function's place: the ARN stays, as provider.yml describes it."""
        client = self.cloud.client("lambda")
        ours = client.get_function_configuration(FunctionName=provider.function_name)
        client.update_function_code(FunctionName=self.arn, S3Bucket=CODE_BUCKET, S3Key=CODE_KEY)
        client.update_function_configuration(
            FunctionName=self.arn,
            Runtime=ours["Runtime"],
            Handler=ours["Handler"],
            Role=ours["Role"],
            Timeout=ours["Timeout"],
            Environment={"Variables": ours["Environment"]["Variables"]},
            LoggingConfig={"LogGroup": provider.log_group},
        )
