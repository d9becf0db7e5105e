"""One request of a client, and its answer, as plain bytes and names."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from localcloud.authz.principals import Principal


@dataclass
class Answer:
    """An HTTP answer. Header names keep the spelling they were given."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass
class Call:
    """A request on its way through the gateway: first only bytes, later also operation, parameters and principal."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    service: str = ""
    operation: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    region: str = "us-east-1"
    principal: Principal | None = None
    number: int = 0

    @cached_property
    def path(self) -> str:
        """The path as it arrived: not percent-decoded."""
        return self.target.split("?", 1)[0] or "/"

    @cached_property
    def query_string(self) -> str:
        return self.target.split("?", 1)[1] if "?" in self.target else ""

    @cached_property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ",".join(values) if values else None

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"

    def environ(self) -> dict[str, Any]:
        """The WSGI environment that moto's application expects for this request."""
        host = self.header("host") or "127.0.0.1"
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(self.path, "latin-1"),
            "QUERY_STRING": self.query_string,
            "RAW_URI": self.target,
            "REQUEST_URI": self.target,
            "SERVER_NAME": host.split(":")[0],
            "SERVER_PORT": host.split(":")[1] if ":" in host else "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(self.body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        preserved: dict[str, str] = {}
        for name, value in self.headers:
            if name.lower() in ("content-length", "transfer-encoding"):
                continue
            key = name.upper().replace("-", "_")
            if "_" in name:
                preserved["HTTP_" + key] = name
            key = key if key == "CONTENT_TYPE" else "HTTP_" + key
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        environ["moto.preserved_header_names"] = preserved
        return environ
