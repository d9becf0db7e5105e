"""Certificates for tests: an authority with an intermediate, and leaves of any kind."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from localcloud import LocalCloud

NOW = datetime.datetime.now(datetime.UTC)


def key_of(algorithm: str):
    return ec.generate_private_key(ec.SECP256R1()) if algorithm == "EC" else rsa.generate_private_key(65537, 2048)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def pem_key(key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signed(
    subject: str, key, issuer: str, issuer_key, ca: bool = False, days: tuple[int, int] = (-1, 30), usages=()
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + datetime.timedelta(days=days[0]))
        .not_valid_after(NOW + datetime.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


@dataclass
class Issued:
    certificate: bytes
    key: bytes
    chain: bytes


class Authority:
    """A root, an intermediate, and what it issues."""

    def __init__(self) -> None:
        self._root_key, self._key = key_of("EC"), key_of("EC")
        self.root = signed("root.test", self._root_key, "root.test", self._root_key, ca=True)
        self.intermediate = signed("middle.test", self._key, "root.test", self._root_key, ca=True)

    def issue(self, subject: str = "app.test", algorithm: str = "EC", **settings) -> Issued:
        key = key_of(algorithm)
        leaf = signed(subject, key, "middle.test", self._key, **settings)
        return Issued(pem(leaf), pem_key(key), pem(self.intermediate))


def listener(cloud: LocalCloud, name: str, certificate: str, region: str = "us-east-1") -> str:
    """An application load balancer with one HTTPS listener: the listener's ARN."""
    ec2, elb = cloud.client("ec2", region=region), cloud.client("elbv2", region=region)
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]][:2]
    balancer = elb.create_load_balancer(Name=name, Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    return elb.create_listener(
        LoadBalancerArn=balancer,
        Port=443,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
    )["Listeners"][0]["ListenerArn"]
