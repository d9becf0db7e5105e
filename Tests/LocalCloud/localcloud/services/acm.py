"""ACM's checks of imports and deletions, and what uses a certificate."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from moto.acm.models import CertBundle, acm_backends

from localcloud.errors import AwsError
from localcloud.gateway.call import Answer, Call
from localcloud.gateway.emulator import Emulator
from localcloud.services.certificate_users import users_of
from localcloud.services.key_pairs import KeyPair, Unfit, algorithm_of, key_pair

_LISTED_BY_DEFAULT = ["RSA_1024", "RSA_2048"]
_MISSING = "New certificate is missing one or more {what} supported by the currently imported certificate"
_UNFIT = {
    "several": "The certificate field contains more than one certificate. You can specify only one certificate in this "
    "field.",
    "certificate": "The certificate is not PEM-encoded or is not valid.",
    "key": "The private key is not PEM-encoded or is not valid.",
    "unsupported": "The private key is not supported.",
    "mismatch": "The private key does not match the certificate.",
    "expired": "The certificate has expired, is not valid.",
    "early": "The certificate is not in effect yet, is not valid.",
    "alone": "Provided certificate is not a valid self signed. Please provide either a valid self-signed certificate "
    "or certificate chain.",
    "chain": "Could not validate the certificate with the certificate chain.",
}


def _refused(message: str, code: str = "ValidationException") -> AwsError:
    return AwsError(code, message, 400)


class Acm:
    """Keeps certificates in the emulator. A test may set `imports_left`, the rest of the year's quota."""

    def __init__(self, emulator: Emulator):
        self._emulator = emulator
        self.imports_left: int | None = None

    def operations(self) -> dict[str, Callable[[Call], Answer]]:
        return {
            "acm:ImportCertificate": self.import_certificate,
            "acm:DescribeCertificate": self.describe,
            "acm:ListCertificates": self.list,
            "acm:DeleteCertificate": self.delete,
        }

    @staticmethod
    def bundle(arn: str) -> CertBundle | None:
        """The certificate as the emulator keeps it, with its key."""
        parts = arn.split(":")
        return acm_backends[parts[4]][parts[3]]._certificates.get(arn) if len(parts) == 6 else None

    def _answer(self, call: Call) -> Answer:
        assert call.principal is not None
        return self._emulator.answer(call, call.principal.account)

    def import_certificate(self, call: Call) -> Answer:
        params, arn = call.params, call.params.get("CertificateArn")
        chain = params.get("CertificateChain")
        try:
            given = key_pair(params["Certificate"], params["PrivateKey"], chain, alone=False)
        except Unfit as unfit:
            raise _refused(_UNFIT[unfit.what]) from None
        before = self.bundle(arn) if arn else None
        tags = dict(before.tags) if before else {}
        if before:
            self._check_successor(before, given, params)
        if self.imports_left is not None:
            if self.imports_left < 1:
                raise _refused("The account has reached its limit of imported certificates.", "LimitExceededException")
            self.imports_left -= 1
        answer = self._answer(call)
        if answer.status < 300:
            made = self.bundle(json.loads(answer.body)["CertificateArn"])
            assert made is not None
            # The emulator adds a root of its own to every chain, and forgets the tags of what was there before.
            made.chain = chain or b""
            made.tags.update(tags)
        return answer

    @staticmethod
    def _check_successor(before: CertBundle, given: KeyPair, params: dict[str, Any]) -> None:
        """A certificate that takes the place of another keeps its key's type and size, and all its usages."""
        if params.get("Tags"):
            raise _refused("Tagging is not permitted on re-import.")
        if before.type != "IMPORTED":
            raise _refused("Only imported certificates can be imported again.")
        if algorithm_of(before._cert.public_key()) != given.algorithm:
            raise _refused("New certificate has another key type or size than the currently imported certificate")
        if _extended_usages(before._cert) - _extended_usages(given.certificate) - {ExtendedKeyUsageOID.CLIENT_AUTH}:
            raise _refused(_MISSING.format(what="Extended Key Usages"))
        dispensable = {"key_encipherment"} if given.algorithm.startswith("EC_") else set()
        if _usages(before._cert) - _usages(given.certificate) - dispensable:
            raise _refused(_MISSING.format(what="Key Usages"))

    def describe(self, call: Call) -> Answer:
        assert call.principal is not None
        found = self.bundle(call.params["CertificateArn"])
        if found:
            found.in_use_by = users_of(found.arn, call.principal.account)
        return self._answer(call)

    def list(self, call: Call) -> Answer:
        """Without a filter on key types only RSA keys of the two smallest sizes are told of."""
        asked = json.loads(call.body or b"{}")
        asked.setdefault("Includes", {}).setdefault("keyTypes", _LISTED_BY_DEFAULT)
        body = json.dumps(asked).encode()
        altered = Call(call.method, call.target, call.headers, body, "acm", call.operation, call.params, call.region)
        altered.principal = call.principal
        return self._answer(altered)

    def delete(self, call: Call) -> Answer:
        assert call.principal is not None
        arn, account = call.params["CertificateArn"], call.principal.account
        if users_of(arn, account):
            raise _refused(f"Certificate {arn} in account {account} is in use.", "ResourceInUseException")
        return self._answer(call)


def _extended_usages(certificate: x509.Certificate) -> set[x509.ObjectIdentifier]:
    try:
        return set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return set()


def _usages(certificate: x509.Certificate) -> set[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return set()
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    return {name for name in names if getattr(found, name)}
