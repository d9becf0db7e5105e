"""A certificate of sixty seconds, renewed again and again by the schedule, while clients shake hands with the listener
that shows it."""

from __future__ import annotations

import datetime
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from localcloud import LocalCloud
from localcloud.acme import CertificateAuthority, Settings
from localcloud.fronts import ListenerFront

# What the black-box tests install and look through serves here as well.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Tests/Integration"))

from support import lets_encrypt, tls  # noqa: E402
from support.provider import install  # noqa: E402
from support.renewal import Renewal, deployer  # noqa: E402

LIFETIME = 60
STACK = "short-lived"
# The schedule's hour, at the scale of the lifetime: it is woken a dozen times in it, as for one of six days.
HOUR = LIFETIME / 12
PATIENCE = 3 * LIFETIME


@dataclass
class Seen:
    """`validity` is of each certificate in turn; `refused` says why handshakes failed."""

    validity: list[tuple[datetime.datetime, datetime.datetime]] = field(default_factory=list)
    handshakes: int = 0
    refused: list[str] = field(default_factory=list)
    seconds: float = 0

    @property
    def overlaps(self) -> list[float]:
        """Seconds for which a certificate and the next are both valid; negative for a gap."""
        return [
            (ended - begins).total_seconds()
            for (_, ended), (begins, _) in zip(self.validity, self.validity[1:], strict=False)
        ]


def template(provider: lets_encrypt.LetsEncryptProvider, authority: CertificateAuthority) -> tuple[str, str]:
    """The stack's template, and the name that its certificate is for."""
    shop = lets_encrypt.shop(provider, authority, STACK, with_listener=True, Rotation={"Ref": "CertificateRotation"})
    written = json.loads(shop.template(shop.properties, None))
    written["Parameters"] = {"CertificateRotation": {"Type": "String", "Default": "1"}}
    return json.dumps(written), shop.domain


@contextmanager
def handshakes(port: int, name: str, root: str, seen: Seen) -> Iterator[None]:
    """A client that verifies what it is shown, over and over."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.05):
            try:
                tls.verified(port, name, root)
                seen.handshakes += 1
            except Exception as error:  # whatever it is, a client got no page
                seen.refused.append(str(error))

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join(20)


def renewed_in_a_row(code: Path, times: int) -> Seen:
    """Raises RuntimeError when a renewal fails or does not come."""
    os.environ.setdefault("STACKCERT_ZIP", str(code.resolve()))
    seen = Seen()
    with LocalCloud() as cloud, CertificateAuthority(cloud, Settings(validity=LIFETIME)) as authority:
        beside = install(cloud)
        body, domain = template(lets_encrypt.install(beside), authority)
        renewal = Renewal(beside)
        started = time.monotonic()
        made = cloud.stacks.create(STACK, body, RoleARN=deployer(cloud))
        if made.status != "CREATE_COMPLETE":
            raise RuntimeError(f"{made.status}: {made.reasons()}")

        def note(outputs: dict[str, str]) -> None:
            pem = cloud.client("acm").get_certificate(CertificateArn=outputs["CertificateArn"])["Certificate"]
            shown = x509.load_pem_x509_certificate(pem.encode())
            seen.validity.append((shown.not_valid_before_utc, shown.not_valid_after_utc))

        note(made.outputs)
        with (
            ListenerFront(cloud, made.outputs["Listener"]) as front,
            handshakes(front.port, domain, authority.root(), seen),
        ):
            number, last = made.outputs["SerialNumber"], time.monotonic()
            while len(seen.validity) <= times:
                time.sleep(HOUR)
                renewal.fire()
                now = cloud.stacks.wait(STACK)
                if now.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                    raise RuntimeError(f"{now.status}: {now.reasons()}")
                if now.outputs["SerialNumber"] != number:
                    number, last = now.outputs["SerialNumber"], time.monotonic()
                    note(now.outputs)
                elif time.monotonic() - last > PATIENCE:
                    raise RuntimeError(f"nothing was renewed for {PATIENCE} seconds: {renewal.line}")
        seen.seconds = time.monotonic() - started
        cloud.stacks.delete(STACK)
    return seen
