"""The authority as a test starts it: pebble behind its shim, the DNS it asks, the websites it looks at."""

from __future__ import annotations

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
        self._files = tempfile.TemporaryDirectory(prefix="localcloud-authority-")
        directory = Path(self._files.name)
        self._tls = LoopbackTls(directory)
        self.dns = DnsServer(Zones(self._cloud.route53.visible).resolve)
        self.website = WebsiteFront(self._cloud.endpoint)
        try:
            self.pebble = Pebble(self._settings, directory, self._tls, self.dns.address, self.website.port)
        except BaseException:
            self._stop_servers()
            raise
        self.shim = Shim(self.pebble, self._tls, self._cloud.faults, self._cloud.functions.kill_busy)
        self._variables_before = self._cloud.functions.variables
        self._cloud.functions.set_variables(self.variables)
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

    def _stop_servers(self) -> None:
        self.website.stop()
        self.dns.stop()
        self._files.cleanup()

    def stop(self) -> None:
        self._cloud.functions.set_variables(self._variables_before)
        self.shim.stop()
        self.pebble.stop()
        self._stop_servers()

    def __enter__(self) -> CertificateAuthority:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()
