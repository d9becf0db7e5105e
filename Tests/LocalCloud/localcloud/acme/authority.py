"""The authority as a test starts it: pebble behind its shim, the DNS it asks, the websites it looks at."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from localcloud.acme.loopback_tls import LoopbackTls
from localcloud.acme.pebble import Pebble, Settings
from localcloud.acme.shim import Shim
from localcloud.cloud import LocalCloud
from localcloud.dns.server import DnsServer
from localcloud.dns.zones import Zones
from localcloud.website import WebsiteFront


class CertificateAuthority:
    """`with CertificateAuthority(cloud, Settings(…)) as authority:`, beside a cloud that is running.

    While it runs, functions of the cloud trust its directory: their processes start with `variables`.
    """

    def __init__(self, cloud: LocalCloud, settings: Settings | None = None):
        self._cloud = cloud
        self._settings = settings or Settings()

    def start(self) -> CertificateAuthority:
        with contextlib.ExitStack() as started:
            files = started.enter_context(tempfile.TemporaryDirectory(prefix="localcloud-authority-"))
            self._tls = LoopbackTls(Path(files))
            self.dns = DnsServer(Zones(self._cloud.route53.visible).resolve)
            started.callback(self.dns.stop)
            self.website = WebsiteFront(self._cloud.endpoint)
            started.callback(self.website.stop)
            self.pebble = Pebble(self._settings, Path(files), self._tls, self.dns.address, self.website.port)
            started.callback(self.pebble.stop)
            functions = self._cloud.functions
            self.shim = Shim(self.pebble, self._tls, self._cloud.faults, functions.kill_busy)
            started.callback(self.shim.stop)
            started.callback(functions.set_variables, functions.variables)
            functions.set_variables(self.variables)
            self._started = started.pop_all()
        return self

    @property
    def directory(self) -> str:
        """The URL of the ACME directory, as the shim shows it."""
        return self.shim.directory

    @property
    def trust(self) -> Path:
        """PEM file of the authority that signed the directory's own TLS certificate."""
        return self._tls.trust

    @property
    def variables(self) -> dict[str, str]:
        """What makes a process trust the directory."""
        return {"SSL_CERT_FILE": str(self.trust)}

    def root(self, number: int = 0) -> str:
        """PEM of the root that its certificates lead to."""
        return self.pebble.root(number)

    def stop(self) -> None:
        self._started.close()

    def __enter__(self) -> CertificateAuthority:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()
