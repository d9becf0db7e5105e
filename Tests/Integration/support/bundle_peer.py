"""AWS as one server sees it: a parameter that names a bundle, and the bundles. For runs by the hundred."""

from __future__ import annotations

import datetime
import http.server
import json
import threading
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "kill.example.com"


@dataclass(frozen=True)
class Pair:
    """A private key and its certificate, as files hold them."""

    key: bytes = field(repr=False)
    certificate: bytes
    public_key: bytes

    @classmethod
    def make(cls, days: float = 30) -> Pair:
        """`days`: until it ends; may be negative."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - datetime.timedelta(days=60))
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        return cls(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
            certificate.public_bytes(pem),
            key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo),
        )

    def bundle(self) -> bytes:
        members = {"private_key": self.key, "certificate": self.certificate, "public_key": self.public_key}
        return json.dumps({name: value.decode() for name, value in members.items()}).encode()


@dataclass
class BundlePeer:
    """Answers GetParameter with `pointer`, and GetObject with the bundle of that name. Looks at no signature."""

    pointer: str = ""
    bundles: dict[str, Pair] = field(default_factory=dict)

    def point_to(self, name: str, pair: Pair) -> None:
        self.bundles[name] = pair
        self.pointer = name

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._server.server_port}",
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "none",
        }

    def __enter__(self) -> BundlePeer:
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(peer: BundlePeer) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(json.dumps({"Parameter": {"Name": "p", "Type": "String", "Value": peer.pointer}}).encode())

        def do_GET(self) -> None:
            self._answer(peer.bundles[urlsplit(self.path).path.rsplit("/", 1)[1]].bundle())

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", '"1"')
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
