"""Handshakes without end, by a client that trusts only what the load balancer's policies say at that moment."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from localcloud import LocalCloud
from localcloud.elb import BackendChecker
from moto.elb.models import elb_backends

_WORKERS = 3


@dataclass
class Counts:
    """Handshakes by their result; `keys` are the public keys that servers showed."""

    accepted: int = 0
    refused: int = 0
    # Of servers that are being replaced there are some.
    unanswered: int = 0
    keys: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        shaken = self.accepted + self.refused
        return f"{shaken} handshakes, {self.refused} refused, {self.unanswered} unanswered, {len(self.keys)} keys seen"


class Traffic:
    """Shakes hands with every server of one load balancer that has reported ready.

    `narrowed` may take keys away from those that the policies name: the control that shows that refusals are seen.
    """

    def __init__(
        self, cloud: LocalCloud, load_balancer: str, narrowed: Callable[[list[str]], list[str]] = lambda keys: keys
    ):
        self._cloud = cloud
        self._name = load_balancer
        self._narrowed = narrowed
        self._lock = threading.Lock()

    def trusted(self) -> list[str]:
        """What the policies name now. Past the API, which would be most of the time that a handshake takes."""
        balancer = elb_backends[self._cloud.account][self._cloud.region].load_balancers[self._name]
        by_name = {policy.policy_name: policy for policy in list(balancer.policies)}
        keys = []
        for backend in balancer.backends:
            for name in backend.policy_names:
                for attribute in by_name[name].policy_attribute_descriptions:
                    if attribute["AttributeName"] == "PublicKeyPolicyName":
                        named = by_name[attribute["AttributeValue"]].policy_attribute_descriptions
                        keys += [a["AttributeValue"] for a in named if a["AttributeName"] == "PublicKey"]
        return keys

    @staticmethod
    def shown_by(port: int) -> str:
        """The public key of the server at a port, in a handshake of its own."""
        settings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        settings.check_hostname, settings.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", port), 5) as connection, settings.wrap_socket(connection) as tls:
            encoded = tls.getpeercert(binary_form=True)
        key = x509.load_der_x509_certificate(encoded or b"").public_key()
        return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()

    def _shake_hands(self, port: int, counts: Counts) -> None:
        before = self._narrowed(self.trusted())
        try:
            key = self.shown_by(port)
        except OSError:
            # A server that is being ended answers no more, which is no distrust.
            with self._lock:
                counts.unanswered += 1
            return
        # A policy that changes during the handshake may be seen either way.
        accepted = key in before or key in self._narrowed(self.trusted())
        with self._lock:
            counts.keys.add(key)
            if accepted:
                counts.accepted += 1
            else:
                counts.refused += 1

    @contextlib.contextmanager
    def flowing(self) -> Iterator[Counts]:
        counts, stop = Counts(), threading.Event()

        def work() -> None:
            while not stop.is_set():
                ready = [server for server in list(self._cloud.instances) if server.boot_exit_code == 0]
                for server in ready:
                    self._shake_hands(server.port(8443), counts)
                if not ready:
                    time.sleep(0.01)

        workers = [threading.Thread(target=work, daemon=True) for _ in range(_WORKERS)]
        for worker in workers:
            worker.start()
        try:
            yield counts
        finally:
            stop.set()
            for worker in workers:
                worker.join(10)
                assert not worker.is_alive(), "a handshake did not end within ten seconds"


def agrees(traffic: Traffic, checker: BackendChecker) -> bool:
    """Whether the short cut sees what the API tells."""
    return sorted(traffic.trusted()) == sorted(checker.trusted_keys() or [])
