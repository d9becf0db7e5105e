"""acme2certifier beside a cloud: another program's reading of RFC 8555, RFC 9773 and of profiles."""

from __future__ import annotations

import contextlib
import datetime
import json
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from localcloud.acme.loopback_tls import LoopbackTls
from localcloud.acme.pebble import free_port
from localcloud.cloud import LocalCloud
from localcloud.dns.server import DnsServer
from localcloud.dns.zones import Zones

_SERVER = Path(__file__).parent / "second_server.py"
_PATIENCE = 60.0


class SecondAuthority:
    """`with SecondAuthority(cloud) as second:` — no shim, no faults, dns-01 only (it fetches http-01 from port 80).

    external_accounts: key id → base64url HMAC key; a new account must then be bound to one of them.
    profiles: name → description.
    """

    def __init__(
        self,
        cloud: LocalCloud,
        external_accounts: dict[str, str] | None = None,
        profiles: dict[str, str] | None = None,
        days: int = 90,
    ):
        self._cloud = cloud
        self._external_accounts, self._profiles, self._days = external_accounts or {}, profiles or {}, days

    def __enter__(self) -> SecondAuthority:
        self._files = tempfile.TemporaryDirectory(prefix="localcloud-second-authority-")
        self._work = Path(self._files.name)
        self._tls = LoopbackTls(self._work)
        self._make_root()
        self.dns = DnsServer(Zones(self._cloud.route53.visible).resolve)
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        self._variables_before = self._cloud.functions.variables
        self._cloud.functions.set_variables(self.variables)
        return self

    @property
    def directory(self) -> str:
        return f"https://127.0.0.1:{self._port}/directory"

    @property
    def trust(self) -> Path:
        """PEM file of the authority that signed the directory's own TLS certificate."""
        return self._tls.trust

    @property
    def variables(self) -> dict[str, str]:
        return {"SSL_CERT_FILE": str(self.trust)}

    def root(self) -> str:
        """PEM of the root under which it issues."""
        return (self._work / "root.pem").read_text()

    def _make_root(self) -> None:
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Second Authority")])
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        root = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(identifier, critical=False)
            .sign(key, hashes.SHA256())
        )
        (self._work / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
        revoked = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(name)
            .last_update(now)
            .next_update(now + datetime.timedelta(days=30))
            .sign(key, hashes.SHA256())
        )
        (self._work / "revoked.pem").write_bytes(revoked.public_bytes(Encoding.PEM))
        plain = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        (self._work / "root-key.pem").write_bytes(plain)

    def _settings(self) -> str:
        lines = ["[DEFAULT]", 'dns_server_list: ["127.0.0.1"]', "[Nonce]", "[Certificate]", "[Challenge]"]
        lines += ["http_01_support: False", "tls_alpn_01_support: False", "[DBhandler]", "handler: wsgi"]
        lines += [f"dbfile: {self._work / 'second.db'}", "[CAhandler]"]
        lines += ["handler_module: acme2certifier.cahandlers.openssl_ca_handler"]
        lines += [f"issuing_ca_key: {self._work / 'root-key.pem'}", f"issuing_ca_cert: {self._work / 'root.pem'}"]
        lines += [f"issuing_ca_crl: {self._work / 'revoked.pem'}"]
        lines += ["ca_cert_chain_list: []", f"cert_validity_days: {self._days}"]
        lines += [f"cert_save_path: {self._work / 'issued'}", "[Order]"]
        if self._profiles:
            lines.append(f"profiles: {json.dumps(self._profiles)}")
        if self._external_accounts:
            (self._work / "accounts.json").write_text(json.dumps(self._external_accounts))
            lines += ["[EABhandler]", "eab_handler_module: acme2certifier.eabhandlers.json_handler"]
            lines += [f"key_file: {self._work / 'accounts.json'}"]
        return "\n".join(lines) + "\n"

    def _start(self) -> None:
        self._port = free_port()
        (self._work / "issued").mkdir()
        configuration = self._work / "acme_srv.cfg"
        configuration.write_text(self._settings())
        served = [str(self._tls.certificate), str(self._tls.key)]
        with (self._work / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_SERVER), str(self._port), str(self.dns.port), *served],
                cwd=self._work,
                env={"ACME_SRV_CONFIGFILE": str(configuration), "ACME2CERTIFIER_BASE_DIR": str(self._work)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        trust, limit = ssl.create_default_context(cafile=str(self.trust)), time.monotonic() + _PATIENCE
        while self._process.poll() is None and time.monotonic() < limit:
            with contextlib.suppress(OSError), urllib.request.urlopen(self.directory, timeout=10, context=trust):
                return
            time.sleep(0.05)
        raise RuntimeError(f"acme2certifier does not start:\n{self.log()[-2000:]}")

    def log(self) -> str:
        return (self._work / "log").read_text(errors="replace")

    def __exit__(self, *_exception: object) -> None:
        if hasattr(self, "_variables_before"):
            self._cloud.functions.set_variables(self._variables_before)
        if hasattr(self, "_process"):
            self._process.kill()
            self._process.wait(5)
        self.dns.stop()
        self._files.cleanup()
