"""A certificate, its key and its chain as ACM and IAM take them: PEM, matching, in order, valid now."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

_CURVES = {"secp256r1": "EC_prime256v1", "secp384r1": "EC_secp384r1", "secp521r1": "EC_secp521r1"}
_RSA_SIZES = (1024, 2048, 3072, 4096)


class Unfit(Exception):
    """`what` is one of: several, certificate, key, unsupported, mismatch, expired, early, alone, chain.

    `index`: with `chain`, the place in the chain of the certificate that does not sign the one before it; -1 when the
    first one does not sign the certificate itself.
    """

    def __init__(self, what: str, index: int = -1):
        super().__init__(what)
        self.what = what
        self.index = index


@dataclass
class KeyPair:
    certificate: x509.Certificate
    chain: list[x509.Certificate]
    algorithm: str
    """As ACM names it: RSA_2048, EC_prime256v1."""


def algorithm_of(key: object) -> str:
    if isinstance(key, rsa.RSAPublicKey) and key.key_size in _RSA_SIZES:
        return f"RSA_{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    raise Unfit("unsupported")


def _parsed(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise Unfit("certificate") from None


def signs(issuer: x509.Certificate, issued: x509.Certificate) -> bool:
    try:
        issued.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def key_pair(certificate: bytes, key: bytes, chain: bytes | None, alone: bool) -> KeyPair:
    """Raises Unfit. `alone` says whether a certificate that is not self-signed may come without a chain."""
    found = _parsed(certificate)
    if len(found) != 1:
        raise Unfit("several")
    leaf, now = found[0], datetime.datetime.now(datetime.UTC)
    try:
        private = load_pem_private_key(key, None)
    except (ValueError, TypeError):
        raise Unfit("key") from None
    algorithm = algorithm_of(leaf.public_key())
    encoded = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*encoded) != leaf.public_key().public_bytes(*encoded):
        raise Unfit("mismatch")
    if leaf.not_valid_after_utc <= now:
        raise Unfit("expired")
    if leaf.not_valid_before_utc > now:
        raise Unfit("early")
    issuers = _parsed(chain) if chain else []
    if not issuers and not alone and not signs(leaf, leaf):
        raise Unfit("alone")
    for index, (issued, issuer) in enumerate(zip([leaf, *issuers], issuers, strict=False)):
        if not signs(issuer, issued):
            raise Unfit("chain", index - 1)
    return KeyPair(leaf, issuers, algorithm)
