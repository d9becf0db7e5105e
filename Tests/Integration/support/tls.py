"""Keys and certificates as attributes show them, OpenSSL's opinion of them, and processes that listen on a port."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

STUNNEL = "/usr/bin/stunnel"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _base64(public_key: object) -> str:
    return base64.b64encode(public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def public_key_of(private_key: str) -> str:
    """The attribute PublicKey that belongs to a private key (PEM)."""
    return _base64(load_pem_private_key(private_key.encode(), None).public_key())


def public_key_in(certificate: str) -> str:
    """The attribute PublicKey that belongs to a certificate (PEM)."""
    return _base64(x509.load_pem_x509_certificate(certificate.encode()).public_key())


def fingerprint(public_key: str) -> str:
    """The attribute PublicKeyFingerprint that belongs to a public key."""
    return hashlib.sha256(base64.b64decode(public_key)).hexdigest()[:16]


def certificate_fingerprint(certificate: str) -> str:
    """Lower-case hexadecimal SHA-256 of a certificate in PEM."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()


def openssl(*arguments: str, stdin: str = "") -> str:
    """Run openssl; its output. CalledProcessError when it does not agree."""
    done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, text=True, check=True)
    return done.stdout


def wait_for_port(port: int, process: subprocess.Popen, seconds: float = 10) -> None:
    limit = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode}")
        if time.monotonic() > limit:
            raise TimeoutError(f"nothing listens on port {port}")
        time.sleep(0.02)


@contextlib.contextmanager
def running(arguments: list[str], port: int, log: Path, **options: object) -> Iterator[subprocess.Popen]:
    """A process that listens on a port, ended by its own id."""
    with log.open("wb") as output:
        process = subprocess.Popen(arguments, stdout=output, stderr=subprocess.STDOUT, **options)
        try:
            wait_for_port(port, process)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


def verified(port: int, name: str, root: str) -> str:
    """The certificate (PEM) that a server at 127.0.0.1 shows for a name, verified against a root (PEM)."""
    context = ssl.create_default_context(cadata=root)
    with (
        socket.create_connection(("127.0.0.1", port), 10) as connection,
        context.wrap_socket(connection, server_hostname=name) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    assert shown is not None
    return ssl.DER_cert_to_PEM_cert(shown)


def page(port: int, name: str, root: str, path: str = "/") -> str:
    """What a server at 127.0.0.1 answers for a name, over TLS verified against a root (PEM)."""
    context = ssl.create_default_context(cadata=root)
    connection = http.client.HTTPSConnection(name, 443, context=context, timeout=10)
    connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname=name)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()
