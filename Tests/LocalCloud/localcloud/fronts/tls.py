"""A TLS server that shows certificates of ACM and IAM, chosen at each handshake by the name that is asked for."""

from __future__ import annotations

import hashlib
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography import x509

from localcloud.gateway.call import Answer, Call
from localcloud.gateway.server import LoopbackServer
from localcloud.services.acm import Acm
from localcloud.services.server_certificates import ServerCertificates


class Keys:
    """Where fronts find a certificate with its chain and key: the services keep them for their own use."""

    def __init__(self, acm: Acm, server_certificates: ServerCertificates):
        self._acm = acm
        self._server_certificates = server_certificates

    def find(self, arn: str) -> tuple[bytes, bytes] | None:
        """The certificate with its chain, and the key, as PEM."""
        if ":acm:" in arn:
            bundle = self._acm.bundle(arn)
            return (bundle.cert.rstrip() + b"\n" + bundle.chain, bundle.key) if bundle else None
        found = self._server_certificates.by_arn(arn)
        if found is None:
            return None
        return f"{found.cert_body.rstrip()}\n{found.cert_chain or ''}".encode(), found.private_key.encode()


def covers(pem: bytes, name: str) -> bool:
    """Whether a certificate is for a name, by itself or by a wildcard in place of its first label."""
    certificate = x509.load_pem_x509_certificate(pem)
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    wanted = name.lower().rstrip(".")
    names = {each.lower() for each in extension.get_values_for_type(x509.DNSName)}
    return wanted in names or ("." in wanted and "*." + wanted.split(".", 1)[1] in names)


class TlsFront:
    """`certificates` names ARNs, the default one first; `answer` takes the requests."""

    def __init__(self, keys: Keys, certificates: Callable[[], list[str]], answer: Callable[[Call], Answer]):
        self._keys = keys
        self._certificates = certificates
        self._files = tempfile.TemporaryDirectory(prefix="localcloud-front-")
        self._contexts: dict[str, ssl.SSLContext] = {}
        shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        shown.sni_callback = self._choose  # type: ignore[assignment]
        self._server = LoopbackServer(answer, tls=shown)
        self.port = self._server.port

    def _choose(self, connection: ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> int | None:
        pairs = [pair for pair in map(self._keys.find, self._certificates()) if pair]
        if not pairs:
            return int(ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)
        covering = [pair for pair in pairs if name and covers(pair[0], name)]
        connection.context = self._context(*(covering or pairs)[0])
        return None

    def _context(self, certificate: bytes, key: bytes) -> ssl.SSLContext:
        digest = hashlib.sha256(certificate + key).hexdigest()
        if digest not in self._contexts:
            # OpenSSL reads files only; the directory is this user's alone.
            path = Path(self._files.name) / f"{digest}.pem"
            path.write_bytes(certificate.rstrip() + b"\n" + key)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(path)
            self._contexts[digest] = context
        return self._contexts[digest]

    def stop(self) -> None:
        self._server.stop()
        self._files.cleanup()

    def __exit__(self, *_exception: object) -> None:
        self.stop()
