"""How a load balancer hands a request to a server."""

from __future__ import annotations

import http.client
import ssl

from localcloud.cloud import LocalCloud
from localcloud.gateway.call import Answer, Call

_PATIENCE = 30


def _told(status: int, text: str) -> Answer:
    return Answer(status, [("Content-Type", "text/plain")], text.encode())


def forwarded(cloud: LocalCloud, call: Call, targets: dict[str, int], protocol: str) -> Answer:
    """The answer of the first of the `targets` (instance id → port inside) that runs. Over HTTPS its certificate is not
    looked at: whom a Classic Load Balancer trusts is for `localcloud.elb` to say."""
    running = next((each for each in cloud.instances if each.id in targets), None)
    if running is None:
        return _told(503, "Service Unavailable")
    host, port = "127.0.0.1", running.port(int(targets[running.id]))
    connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
    if protocol in ("HTTPS", "SSL"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, port, timeout=_PATIENCE, context=context)
    try:
        connection.request(call.method, call.target, call.body or None, dict(call.headers))
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())
    except OSError:
        return _told(502, "Bad Gateway")
    finally:
        connection.close()
