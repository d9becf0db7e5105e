"""Certificates from pebble, as `stackcert issue`, certbot and lego get them in turns: the same authority, names and
emulated Route 53."""

from __future__ import annotations

import http.server
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localcloud import LocalCloud
from localcloud.acme import CertificateAuthority, Settings

CONTACT = "ops@example.com"
PATIENCE = 900


@dataclass
class World:
    cloud: LocalCloud
    authority: CertificateAuthority
    zone: str
    domain: str

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], **self.cloud.environment_variables(), **self.authority.variables}


@contextmanager
def world(domain: str, settings: Settings) -> Iterator[World]:
    with LocalCloud() as cloud, CertificateAuthority(cloud, settings) as authority:
        made = cloud.client("route53").create_hosted_zone(Name=domain, CallerReference=domain)
        yield World(cloud, authority, made["HostedZone"]["Id"].removeprefix("/hostedzone/"), domain)


def timed(arguments: list[str], environment: dict[str, str], result: Path, is_other: bool = False) -> float:
    """The seconds that a command takes to leave a certificate. Another client than ours counts with `PATIENCE` when it
    takes longer."""
    started = time.perf_counter()
    try:
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        if not is_other:
            raise
        return PATIENCE
    elapsed = time.perf_counter() - started
    if not result.exists():
        raise RuntimeError(f"{arguments[0]} got no certificate: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return elapsed


def stackcert(command: Path, names: list[str], place: World) -> float:
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "tls.crt"
        domains = [word for name in names for word in ("--domain", name)]
        arguments = [
            *(str(command), "issue", *domains, "--directory", place.authority.directory, "--contact", CONTACT),
            *("--agree-to-terms", "--acme-folder", f"{folder}/acme", "--timeout", str(PATIENCE)),
            *("--certificate", str(result), "--private-key", f"{folder}/tls.key"),
        ]
        return timed(arguments, place.environment, result)


def certbot(names: list[str], place: World) -> float:
    with tempfile.TemporaryDirectory() as folder:
        domains = [word for name in names for word in ("-d", name)]
        folders = [word for kind in ("config", "work", "logs") for word in (f"--{kind}-dir", f"{folder}/{kind}")]
        arguments = [
            *(str(Path(sys.executable).with_name("certbot")), "certonly", "--dns-route53", "--non-interactive"),
            *("--agree-tos", "--email", CONTACT, "--server", place.authority.directory, "--cert-name", "bench"),
            *(*domains, *folders),
        ]
        environment = {**place.environment, "REQUESTS_CA_BUNDLE": str(place.authority.trust)}
        return timed(arguments, environment, Path(folder) / "config/live/bench/fullchain.pem", is_other=True)


class Bridge:
    """lego's Route 53 provider knows no other endpoint than AWS's. Its `httpreq` provider asks this server, which makes
    the same changes in the same zone."""

    def __init__(self, place: World) -> None:
        client = place.cloud.client("route53")
        zone = place.zone
        lock = threading.Lock()
        standing: dict[str, set[str]] = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                name, value = asked["fqdn"], f'"{asked["value"]}"'
                with lock:
                    before = set(standing.get(name, ()))
                    after = before | {value} if self.path == "/present" else before - {value}
                    standing[name] = after
                    changes = [
                        {"Action": action, "ResourceRecordSet": record(name, values)}
                        for action, values in (("DELETE", before), ("CREATE", after))
                        if values
                    ]
                    if before != after:
                        client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def record(name: str, values: set[str]) -> dict[str, object]:
    return {"Name": name, "Type": "TXT", "TTL": 10, "ResourceRecords": [{"Value": value} for value in sorted(values)]}


def lego(names: list[str], place: World) -> float:
    bridge = Bridge(place)
    try:
        with tempfile.TemporaryDirectory() as folder:
            domains = [word for name in names for word in ("--domains", name)]
            arguments = [
                *("lego", "--path", folder, "--server", place.authority.directory, "--email", CONTACT, "--accept-tos"),
                *(
                    "--dns",
                    "httpreq",
                    "--dns.disable-cp",
                    "--dns.resolvers",
                    place.authority.dns.address,
                    *domains,
                    "run",
                ),
            ]
            environment = {
                **place.environment,
                "LEGO_CA_CERTIFICATES": str(place.authority.trust),
                "HTTPREQ_ENDPOINT": bridge.endpoint,
                "HTTPREQ_PROPAGATION_TIMEOUT": "60",
                "HTTPREQ_POLLING_INTERVAL": "1",
            }
            result = Path(folder) / "certificates" / f"{names[0].replace('*', '_')}.crt"
            return timed(arguments, environment, result, is_other=True)
    finally:
        bridge.stop()


def in_turns(names: list[str], place: World, command: Path, rounds: int) -> dict[str, float]:
    """Medians."""
    clients: dict[str, Callable[[], float]] = {
        "stackcert": lambda: stackcert(command, names, place),
        "certbot": lambda: certbot(names, place),
        "lego": lambda: lego(names, place),
    }
    times: dict[str, list[float]] = {name: [] for name in clients}
    for _ in range(rounds):
        for name, run in clients.items():
            times[name].append(run())
    return {name: statistics.median(values) for name, values in times.items()}


def measured(command: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Apex and wildcard in one order, and a hundred names of which the validator takes its time over each."""
    with world("pair.example.net", Settings()) as place:
        pair = in_turns(["pair.example.net", "*.pair.example.net"], place, command, rounds=3)
    with world("many.example.net", Settings(slow_validation=True)) as place:
        many = in_turns([f"n{number}.many.example.net" for number in range(100)], place, command, rounds=1)
    return pair, many
