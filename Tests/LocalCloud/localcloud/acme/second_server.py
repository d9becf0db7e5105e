"""acme2certifier as a process: `python -P second_server.py PORT DNS_PORT CERTIFICATE KEY`.

Its settings come from a file that the environment names.

It is started as a plain script, and so imports nothing of this package.
"""

from __future__ import annotations

import sys

import dns.resolver
from werkzeug.serving import make_server


def main() -> None:
    port, dns_port, certificate, key = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    reset = dns.resolver.Resolver.reset

    def reset_to_port(resolver: dns.resolver.Resolver) -> None:
        # Its settings name servers, but no port.
        reset(resolver)
        resolver.port = dns_port

    dns.resolver.Resolver.reset = reset_to_port  # type: ignore[method-assign, assignment]
    from acme2certifier.share.acme2certifier_wsgi import application

    make_server("127.0.0.1", port, application, threaded=True, ssl_context=(certificate, key)).serve_forever()


main()
