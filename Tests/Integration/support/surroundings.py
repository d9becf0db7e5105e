"""What an application of templates/ needs and does not make itself: a zone, a front-end certificate, an image."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from localcloud import LocalCloud


@dataclass(frozen=True)
class Surroundings:
    zone_id: str
    certificate_arn: str
    image_id: str

    @property
    def parameters(self) -> dict[str, str]:
        return {
            "SSLCertificate": self.certificate_arn,
            "Route53HostedZoneId": self.zone_id,
            "ImageId": self.image_id,
        }


def self_signed(domain: str) -> tuple[bytes, bytes]:
    """A certificate and its private key (PEM), of nobody in particular."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain[:64])])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), secret


def surroundings(cloud: LocalCloud, domain: str) -> Surroundings:
    """Make them for a domain."""
    zone = domain.split(".", 1)[1]
    made = cloud.client("route53").create_hosted_zone(Name=zone, CallerReference=domain)
    certificate, key = self_signed(domain)
    imported = cloud.client("acm").import_certificate(Certificate=certificate, PrivateKey=key)
    images = cloud.client("ec2").describe_images(Owners=["amazon"])["Images"]
    return Surroundings(made["HostedZone"]["Id"].rsplit("/", 1)[1], imported["CertificateArn"], images[0]["ImageId"])
