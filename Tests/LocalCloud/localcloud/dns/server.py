"""A DNS server on loopback, over UDP and TCP at one port."""

from __future__ import annotations

import threading
from collections.abc import Callable

from dnslib import QTYPE, RCODE, DNSRecord
from dnslib.server import BaseResolver, DNSLogger, DNSServer

from localcloud.dns.zones import Found, plain
from localcloud.errors import NotCoveredLocally

_POLL = 0.1
_ATTEMPTS = 20


class DnsServer(BaseResolver):
    """Answers with what `resolve` finds. A test reads `queries` and fills `failing`.

    queries: (type, name) of every question.
    failing: names, and all names below them, that are answered with SERVFAIL.
    """

    def __init__(self, resolve: Callable[[str, str], Found]):
        self._resolve = resolve
        self.queries: list[tuple[str, str]] = []
        self.failing: set[str] = set()
        quiet = DNSLogger("-request,-reply,-truncated,-error", False)
        for attempt in range(_ATTEMPTS):
            over_udp = DNSServer(self, address="127.0.0.1", port=0, logger=quiet)
            self.port: int = over_udp.server.server_address[1]
            try:
                over_tcp = DNSServer(self, address="127.0.0.1", port=self.port, tcp=True, logger=quiet)
                break
            except OSError:
                over_udp.server.server_close()
                if attempt == _ATTEMPTS - 1:
                    raise
        self.address = f"127.0.0.1:{self.port}"
        self._servers = [over_udp.server, over_tcp.server]
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": _POLL}, daemon=True)
            for server in self._servers
        ]
        for thread in self._threads:
            thread.start()

    def resolve(self, request: DNSRecord, _handler: object) -> DNSRecord:
        name, kind = plain(str(request.q.qname)), str(QTYPE[request.q.qtype])
        self.queries.append((kind, name))
        reply = request.reply()
        reply.header.ra = 1
        if any(name == failing or name.endswith("." + failing) for failing in self.failing):
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        try:
            found = self._resolve(name, kind)
            rows = [row for record in found.records for row in record.rows()]
        except NotCoveredLocally:
            reply.header.rcode = RCODE.NOTIMP
            return reply
        reply.header.rcode = getattr(RCODE, found.code)
        reply.add_answer(*rows)
        if not rows and found.soa:
            reply.add_auth(*found.soa.rows())
        return reply

    def stop(self) -> None:
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join(5)
