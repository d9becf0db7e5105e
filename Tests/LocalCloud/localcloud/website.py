"""What browsers, and validators of HTTP-01, see of S3's website buckets: plain HTTP, the host names the bucket."""

from __future__ import annotations

import http.client
import re
from urllib.parse import quote, unquote

from moto.s3.models import FakeBucket

from localcloud.authz.authorizer import bucket
from localcloud.gateway.call import Answer, Call
from localcloud.gateway.server import LoopbackServer

_WEBSITE_HOST = re.compile(r"(.+)\.s3-website[.-][a-z0-9-]+\.amazonaws\.com")
_SUFFIX = re.compile(r"<Suffix>([^<]+)</Suffix>")


def _refused(status: int, code: str) -> Answer:
    return Answer(status, [("Content-Type", "text/html; charset=utf-8")], f"<h1>{status} {code}</h1>".encode())


class WebsiteFront:
    """Listens for all website buckets at one port. Objects are read as anybody may read them, with no credentials.

    names: host → bucket, where something stands before a bucket that is not named like the host.
    requests: (host, path) of every request.
    """

    def __init__(self, endpoint: str):
        self._address = endpoint.removeprefix("http://")
        self._server = LoopbackServer(self._answer)
        self.port = self._server.port
        self.names: dict[str, str] = {}
        self.requests: list[tuple[str, str]] = []

    def _answer(self, call: Call) -> Answer:
        host = (call.header("host") or "").split(":")[0].lower().rstrip(".")
        self.requests.append((host, call.path))
        if call.method not in ("GET", "HEAD"):
            return _refused(405, "Method Not Allowed")
        named = _WEBSITE_HOST.fullmatch(host)
        found = bucket(named.group(1) if named else self.names.get(host, host))
        if found is None:
            return _refused(404, "Not Found: NoSuchBucket")
        if not found.website_configuration:
            return _refused(404, "Not Found: NoSuchWebsiteConfiguration")
        return self._object(call.method, found, unquote(call.path).lstrip("/"))

    def _object(self, method: str, found: FakeBucket, key: str) -> Answer:
        configuration = found.website_configuration
        document = configuration.decode() if isinstance(configuration, bytes) else str(configuration)
        index = _SUFFIX.search(document)
        if index and (not key or key.endswith("/")):
            key += index.group(1)
        connection = http.client.HTTPConnection(self._address, timeout=30)
        try:
            connection.request(method, f"/{found.name}/{quote(key)}")
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            return _refused(answer.status, answer.reason or "")
        kept = ("content-type", "etag", "last-modified", "cache-control")
        return Answer(200, [(name, value) for name, value in answer.getheaders() if name.lower() in kept], body)

    def stop(self) -> None:
        self._server.stop()
