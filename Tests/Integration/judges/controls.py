"""Certificates and requests with one defect each, that a judge has to refuse: else its silence would mean nothing."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from judges.document import Case, Document

CERTIFICATE = Case("certificate", "example.com")
REQUEST = Case("request", None, ("example.com",))


def write(folder: Path, defect: str, case: Case) -> Document:
    """Defects: "none", "no-issuer" (as certificates for long domains were), "forged", "mapped", "expired"."""
    document = Document(case, folder)
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in case.expected_names()]
    if defect == "mapped":
        names.append(x509.IPAddress(ipaddress.IPv6Address("::ffff:10.1.2.3")))
    made = _request(key, names) if document.is_request else _certificate(document, key, names, defect)
    content = bytearray(made.public_bytes(Encoding.DER))
    if defect == "forged":
        content[-1] ^= 1
    load = x509.load_der_x509_csr if document.is_request else x509.load_der_x509_certificate
    document.pem.write_bytes(load(bytes(content)).public_bytes(Encoding.PEM))
    document.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return document


def _request(key: ec.EllipticCurvePrivateKey, names: list[x509.GeneralName]) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(key, hashes.SHA256())


def _certificate(
    document: Document, key: ec.EllipticCurvePrivateKey, names: list[x509.GeneralName], defect: str
) -> x509.Certificate:
    no_issuer = defect == "no-issuer"
    end = document.moment + timedelta(hours=-1 if defect == "expired" else 1)
    common_name = x509.NameAttribute(x509.NameOID.COMMON_NAME, "*.example.com")
    subject = x509.Name([] if no_issuer else [common_name])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    usage = x509.KeyUsage(True, *[False] * 8)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(document.moment - timedelta(days=1))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(False, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier(identifier.digest, None, None), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=no_issuer)
    )
    return builder.sign(key, hashes.SHA256())
