"""IAM's server certificates: checked at upload, with their own dates, ids and tags, visible after a while."""

from __future__ import annotations

import datetime
import secrets
import string
import time
from collections.abc import Callable, Iterator
from typing import Any

from moto.iam.models import Certificate, iam_backends

from localcloud.errors import AwsError
from localcloud.gateway.call import Call
from localcloud.services.certificate_users import users_of
from localcloud.services.key_pairs import Unfit, key_pair

_ID = string.ascii_uppercase + string.digits
_CHAIN = (
    "Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, "
    "followed by any intermediaries in order. The index within the chain of the invalid certificate is: {index}"
)
_UNFIT = {
    "several": ("MalformedCertificate", "The certificate body holds more than one certificate."),
    "certificate": (
        "MalformedCertificate",
        "Unable to parse certificate. Please ensure the certificate is in PEM format.",
    ),
    "key": ("MalformedCertificate", "Unable to parse key. Please ensure the key is in PEM format."),
    "unsupported": ("MalformedCertificate", "The key's type or size is not supported."),
    "mismatch": ("KeyPairMismatch", "Public key in certificate and private key do not match."),
    "expired": ("MalformedCertificate", "The certificate has expired."),
    "early": ("MalformedCertificate", "The certificate is not valid yet."),
    "chain": ("MalformedCertificate", _CHAIN),
}


class ServerCertificate(Certificate):
    """With what the emulator makes up. `visible_from` is a time of time.monotonic()."""

    identifier: str
    uploaded: datetime.datetime
    expires: datetime.datetime
    algorithm: str
    tags: list[dict[str, str]]
    visible_from: float


class ServerCertificates:
    """Keeps certificates in the emulator. `delay` is how many seconds a new one stays invisible: to reads, and to load
    balancers that shall use it."""

    def __init__(self) -> None:
        self.delay = 0.0

    def operations(self) -> dict[str, Callable[[Call], dict[str, Any]]]:
        return {
            "iam:UploadServerCertificate": self.upload,
            "iam:GetServerCertificate": self.get,
            "iam:ListServerCertificates": self.list,
            "iam:DeleteServerCertificate": self.delete,
            "iam:ListServerCertificateTags": self.list_tags,
        }

    @staticmethod
    def _all(account: str) -> dict[str, ServerCertificate]:
        return iam_backends[account]["aws"].certificates  # type: ignore[return-value]

    def visible(self, account: str) -> Iterator[ServerCertificate]:
        return (each for each in list(self._all(account).values()) if each.visible_from <= time.monotonic())

    def by_arn(self, arn: str) -> ServerCertificate | None:
        """A visible certificate, with its key."""
        return next((each for each in self.visible(arn.split(":")[4]) if each.arn == arn), None)

    def _named(self, call: Call) -> ServerCertificate:
        assert call.principal is not None
        name = call.params["ServerCertificateName"]
        found = next((each for each in self.visible(call.principal.account) if each.cert_name == name), None)
        if found is None:
            raise AwsError("NoSuchEntity", f"The Server Certificate with name {name} cannot be found.", 404)
        return found

    def upload(self, call: Call) -> dict[str, Any]:
        assert call.principal is not None
        params, account = call.params, call.principal.account
        name, chain = params["ServerCertificateName"], params.get("CertificateChain")
        body, key = params["CertificateBody"], params["PrivateKey"]
        if any(each.cert_name == name for each in self._all(account).values()):
            raise AwsError("EntityAlreadyExists", f"The Server Certificate with name {name} already exists.", 409)
        try:
            pair = key_pair(body.encode(), key.encode(), chain.encode() if chain else None, alone=True)
        except Unfit as unfit:
            code, message = _UNFIT[unfit.what]
            raise AwsError(code, message.format(index=unfit.index), 400) from None
        made = ServerCertificate(account, call.region, name, body, key, chain, params.get("Path"))
        made.identifier = "ASCA" + "".join(secrets.choice(_ID) for _ in range(17))
        made.uploaded = datetime.datetime.now(datetime.UTC).replace(tzinfo=None, microsecond=0)
        made.expires = pair.certificate.not_valid_after_utc.replace(tzinfo=None)
        made.algorithm = pair.algorithm
        made.tags = list(params.get("Tags", []))
        made.visible_from = time.monotonic() + self.delay
        self._all(account)[made.identifier] = made
        return {"ServerCertificateMetadata": self._described(made), "Tags": made.tags}

    @staticmethod
    def _described(found: ServerCertificate) -> dict[str, Any]:
        return {
            "Path": found.path,
            "ServerCertificateName": found.cert_name,
            "ServerCertificateId": found.identifier,
            "Arn": found.arn,
            "UploadDate": found.uploaded,
            "Expiration": found.expires,
        }

    def get(self, call: Call) -> dict[str, Any]:
        found = self._named(call)
        shown = {"ServerCertificateMetadata": self._described(found), "CertificateBody": found.cert_body}
        shown |= {"CertificateChain": found.cert_chain} if found.cert_chain else {}
        return {"ServerCertificate": {**shown, "Tags": found.tags}}

    def list(self, call: Call) -> dict[str, Any]:
        assert call.principal is not None
        prefix, size = call.params.get("PathPrefix") or "/", int(call.params.get("MaxItems") or 100)
        found = sorted(self.visible(call.principal.account), key=lambda each: each.cert_name)
        rows = [each for each in found if each.path.startswith(prefix)]
        first = int(call.params.get("Marker") or 0)
        page: dict[str, Any] = {
            "ServerCertificateMetadataList": [self._described(each) for each in rows[first : first + size]],
            "IsTruncated": len(rows) > first + size,
        }
        return {**page, "Marker": str(first + size)} if page["IsTruncated"] else page

    def delete(self, call: Call) -> dict[str, Any]:
        assert call.principal is not None
        found, account = self._named(call), call.principal.account
        users = users_of(found.arn, account) or users_of(found.identifier, account)
        if users:
            raise AwsError(
                "DeleteConflict",
                f"Certificate: {found.identifier} is currently in use by {users[0]}. Please remove it first before "
                "deleting it from IAM.",
                409,
            )
        del self._all(account)[found.identifier]
        return {}

    def list_tags(self, call: Call) -> dict[str, Any]:
        return {"Tags": self._named(call).tags, "IsTruncated": False}
